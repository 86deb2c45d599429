"""The OpenAPI document against the running service, with requests that schemathesis makes up from it."""

import asyncio
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import pytest
import schemathesis
from hypothesis import assume, settings

from service.auth.api_keys import new_key
from service.http.route import Access
from tests.api.document import DESCRIBED, closed_document
from tests.api.searching import RUNS, HeldIndex, over
from tests.api.serving import running
from tests.fakes.faults import answering
from tests.fakes.mlflow import FakeMlflow

pytestmark = pytest.mark.thorough

KEY, LINE = new_key("ada")
KNOWN = {"X-API-Key": KEY}
OPEN = {route.path for route in DESCRIBED if route.access is Access.OPEN}
EXAMPLES = settings().max_examples // 4  # of each operation; a profile with more has all of them
_INTEGER = re.compile(r"-?[0-9]+", re.ASCII)
TIMEOUT = {"$ref": "#/components/parameters/RequestTimeout"}
MLFLOW_FAILS = schemathesis.checks.not_a_server_error
# The path of compare could be a run's, too, so its Allow also has the methods of a run's detail.
ALLOWS_MORE = schemathesis.checks.allow_header_conformance
# No schema can tell a filter or a reference from another text, which is rightly refused.
REFUSES_TEXTS = schemathesis.checks.positive_data_acceptance
DESCRIBED_CHECKS = [
    schemathesis.checks.content_type_conformance,
    schemathesis.checks.response_headers_conformance,
    schemathesis.checks.response_schema_conformance,
]


def schema(auth: str, **generation: Any) -> schemathesis.BaseSchema:
    """What schemathesis makes requests from: the same ones each time.

    Answers may have no fields but those described: this version has no others. No request has a timeout of
    its own, which would rightly make an error of any answer, and none has a cursor, which is refused unless
    the service wrote it.
    """
    document = closed_document(auth)
    for methods in document["paths"].values():
        for operation in methods.values():
            operation["parameters"] = [
                one for one in operation["parameters"] if one != TIMEOUT and one.get("name") != "cursor"
            ]
    generating = {
        "deterministic": True,
        "max-examples": EXAMPLES,
        "database": "none",
        "allow-extra-parameters": False,  # they are ignored, which it takes for a fault
        **generation,
    }
    config = {"generation": generating, "request-timeout": 10}
    return schemathesis.openapi.from_dict(document, config=schemathesis.Config.from_dict(config))


@contextmanager
def served(fake: FakeMlflow, **settings: Any) -> Iterator[str]:
    """The address of the service over this MLflow: schemathesis blocks, so both run in a thread."""
    loop = asyncio.new_event_loop()
    started, stop = threading.Event(), asyncio.Event()
    addresses: list[str] = []

    async def serve() -> None:
        async with fake.serve(), running(over(HeldIndex(RUNS), fake, **settings)) as service:
            addresses.append(f"http://127.0.0.1:{service.port}")
            started.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=[serve()])
    thread.start()
    try:
        assert started.wait(10)
        yield addresses[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()


def with_runs() -> FakeMlflow:
    """An MLflow with a few runs, the reference's among them."""
    fake = FakeMlflow()
    for run_id in ("abc123def456", "def456ghi789", "ghi789jkl012"):
        fake.add_run(run_id=run_id, metrics={"oos_sharpe": 1.0}, params={"p": "1"}, tags={"run_type": "cpcv"})
    return fake


@pytest.fixture(scope="module")
def healthy() -> Iterator[str]:
    """The service over an MLflow with a few runs."""
    with served(with_runs()) as url:
        yield url


@pytest.fixture(scope="module")
def guarded() -> Iterator[str]:
    """The same, for callers with a key."""
    with served(with_runs(), auth={"mode": "api_key", "api_keys": LINE}) as url:
        yield url


@pytest.fixture(scope="module")
def failing() -> Iterator[str]:
    """The service over an MLflow that only fails, for callers with a key."""
    fake = FakeMlflow()
    fake.before = answering(500)
    with served(fake, auth={"mode": "api_key", "api_keys": LINE}) as url:
        yield url


# Their texts are of a grammar that no schema can say.
_WITH_TEXTS = (
    "/events",
    "/runs/search",
    "/runs/groups",
    "/runs/fields",
    "/runs/compare/analysis",
    "/lineage",
    "/strategies",
    "/selection",
    "/drivers",
)


def true_all_the_same(case: schemathesis.Case[Any]) -> list[Any]:
    """The checks that find faults in what is right."""
    has_texts = case.path.endswith(_WITH_TEXTS)
    return [ALLOWS_MORE, REFUSES_TEXTS] if has_texts else [ALLOWS_MORE]


def can_be_sent(case: schemathesis.Case[Any]) -> None:
    """Make up another request where this one's address is too long: of a hundred ids of 250 letters it is.

    And where `to` is less than `from`, which is rightly refused, and no schema can say so. Events are asked
    for as JSON: the other form is a stream, which does not end.
    """
    query = case.query or {}
    assume(len(urlencode(query, doseq=True)) < 8_000)
    first, last = (str(query.get(name)) for name in ("from", "to"))
    assume(not (_INTEGER.fullmatch(first) and _INTEGER.fullmatch(last) and int(last) < int(first)))
    if case.path.endswith("/events"):
        case.headers["Accept"] = "application/json"


ANYBODY = schema("none")
# A credential that schemathesis makes up beside the good one would be a second one.
THE_KNOWN = schema("api_key", **{"with-security-parameters": False, "max-examples": EXAMPLES * 14 // 5})
STRANGERS = schema("api_key")


@ANYBODY.parametrize()
def test_answers_are_as_described(case: schemathesis.Case[Any], healthy: str) -> None:
    """Whatever the request, the answer's status, headers, type and body are described, and it is no 5xx."""
    can_be_sent(case)
    case.call_and_validate(base_url=healthy, excluded_checks=true_all_the_same(case))


@THE_KNOWN.parametrize()
def test_answers_to_callers_with_a_key(case: schemathesis.Case[Any], guarded: str) -> None:
    """With a good key the answer is described; without, or with another, the same request is refused."""
    can_be_sent(case)
    case.call_and_validate(base_url=guarded, headers=KNOWN, excluded_checks=true_all_the_same(case))


@ANYBODY.parametrize()
def test_failures_are_as_described(case: schemathesis.Case[Any], failing: str) -> None:
    """Over an MLflow that fails, the errors are described, too."""
    can_be_sent(case)
    excluded = [*true_all_the_same(case), MLFLOW_FAILS]
    case.call_and_validate(base_url=failing, headers=KNOWN, excluded_checks=excluded)


@STRANGERS.parametrize()
def test_answers_to_strangers(case: schemathesis.Case[Any], guarded: str) -> None:
    """Without a key, or with one that is made up, there is a 401 whatever the request, as described."""
    can_be_sent(case)
    response = case.call(base_url=guarded)
    if case.path in OPEN:
        assert response.status_code in {200, 405}
    else:
        assert 401 == response.status_code
        case.validate_response(response, checks=DESCRIBED_CHECKS)
