"""The OpenAPI document against the served API: each response is as described, and each described one occurs.

The client of the tests over the served API holds all responses to the document (conformance.py). Here each
kind of response is provoked once.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from jsonschema import ValidationError  # type: ignore[import-untyped] # it has no types of its own

from service.auth.api_keys import new_key
from service.http.route import Route
from service.tracking.queries import TrackingQueries
from service.tracking.search.searches import RunSearches
from service.upstream import breaker
from tests.api.conformance import Conformance, Response
from tests.api.document import DESCRIBED, document
from tests.api.searching import RUNS, HeldIndex, over
from tests.api.serving import API, Client
from tests.fakes.faults import answering
from tests.fakes.mlflow import FakeMlflow
from tests.http.raw import connected

KEY, LINE = new_key("ada")
KNOWN = {"X-API-Key": KEY}
AUTH = {"mode": "api_key", "api_keys": LINE}
RUN_IDS = ["abc123def456", "def456ghi789"]


def example_of(route: Route) -> str:
    """The route's path, with a run that the fake has or the documented example for each parameter."""
    parameters = () if route.operation is None else route.operation.path_parameters
    path = route.path.format(**{one.name: one.example for one in parameters} | {"run_id": RUN_IDS[0]})
    return path + OF_QUERIES.get(route.operation.id if route.operation else "", "")


# The queries of those that need one.
OF_QUERIES = {
    "getLineage": f"?ref={RUN_IDS[0]}",
    "getComparison": f"?run_id={RUN_IDS[0]}&run_id={RUN_IDS[1]}",
    "getAnalysis": f"?run_id={RUN_IDS[0]}&run_id={RUN_IDS[1]}",
    "groupRuns": "?by=status",
    "getDrivers": "?metric=sharpe",
    "getMetricHistory": "?key=sharpe",
    "getFolds": "?key=sharpe",
    "getSelection": "?metric=sharpe",
}
REQUESTS = {
    route.operation.id: (route.method, example_of(route))
    for route in DESCRIBED
    if route.operation is not None
}
TRACKING = {name for name, (_, path) in REQUESTS.items() if path.startswith(API)}
WITH_BODY = {name for name, (method, _) in REQUESTS.items() if method == "POST"}
HEALTH = REQUESTS.keys() - TRACKING
VALIDATED = {
    route.operation.id
    for route in DESCRIBED
    if route.operation is not None and route.operation.cached and route.method == "GET"
}
FORMS = {"listenToEvents": {"Accept": "application/json"}}  # else it is a stream, which does not end
# API keys have no scopes, and nothing that a health check does can fail.
NOT_PROVOKED = {(name, 403) for name in TRACKING} | {(name, 500) for name in HEALTH}


async def ask(api: Client, name: str, headers: dict[str, str] | None = None, **arguments: Any) -> int:
    """The status of one request to an operation, by a caller with a key if not told otherwise."""
    method, path = REQUESTS[name]
    if method == "POST" and "data" not in arguments:
        arguments.setdefault("json", {"run_ids": RUN_IDS})
    headers = {**FORMS.get(name, {}), **(KNOWN if headers is None else headers)}
    response = await api.request(method, path, headers=headers, **arguments)
    return response.status


async def ask_in_vain(api: Client, conformance: Conformance, name: str, version: str, *lines: str) -> int:
    """The status of a request that no library sends; headers are given as lines."""
    method, path = REQUESTS[name]
    async with connected(api.port) as connection:
        head = [f"{method} {path} {version}", "Host: x", f"X-API-Key: {KEY}", *lines]
        connection.send("\r\n".join([*head, "", ""]).encode())
        answer = await connection.answer()
    conformance.check(Response(method, path.partition("?")[0], *answer))
    return answer.status


async def slowly() -> AsyncIterator[bytes]:
    """A body of which only the beginning comes."""
    yield b"{"
    await asyncio.Event().wait()


async def hang(_: web.Request) -> None:
    await asyncio.Event().wait()


async def fail(*_: object, **__: object) -> None:
    raise RuntimeError("a defect")


async def good_answers(api: Client) -> None:
    for name in REQUESTS:
        assert 200 == await ask(api, name)
    for name in VALIDATED:
        assert 304 == await ask(api, name, {**KNOWN, "If-None-Match": "*"})
    api.service.drain()
    assert 503 == await ask(api, "readyz")


async def refusals(api: Client, conformance: Conformance) -> None:
    for name in TRACKING:
        assert 401 == await ask(api, name, {})
    for name in REQUESTS:
        assert 400 == await ask_in_vain(api, conformance, name, "HTTP/1.2")
        assert 417 == await ask_in_vain(api, conformance, name, "HTTP/1.1", "Expect: much")
    assert 422 == await ask(api, "listRuns", params={"limit": 0})
    for name in ("searchRuns", "groupRuns", "listFields", "listStrategies", "getSelection", "getDrivers"):
        assert 422 == await ask(api, name, params={"filter": "status"})
    assert 422 == await ask(api, "listenToEvents", params={"since": "x"})
    assert 422 == await ask(api, "getLineage", params={"experiment_id": "x"})
    assert 404 == (await api.get(f"{API}/lineage?ref=nowhere", headers=KNOWN)).status
    assert 422 == await ask(api, "searchRunsByBody", json={"filter": "status"})
    assert 422 == (await api.get(f"{API}/runs/{RUN_IDS[0]}/metrics/history", headers=KNOWN)).status
    assert 422 == await ask(api, "getFolds", params={"axis": "time"})
    assert 404 == (await api.get(f"{API}/runs/nowhere", headers=KNOWN)).status
    assert 404 == (await api.get(f"{API}/runs/nowhere/folds?key=sharpe", headers=KNOWN)).status
    for path in ("/runs/compare", "/runs/compare/analysis"):
        compare = f"{API}{path}?run_id={RUN_IDS[0]}"
        assert 404 == (await api.get(f"{compare}&run_id=nowhere", headers=KNOWN)).status
        assert 422 == (await api.get(compare, headers=KNOWN)).status
    for name in ("compareRuns", "analyseRuns"):
        assert 404 == await ask(api, name, json={"run_ids": [RUN_IDS[0], "nowhere"]})
        assert 422 == await ask(api, name, json={"run_ids": []})
    as_json = {**KNOWN, "Content-Type": "application/json"}
    in_a_hurry = {**as_json, "X-Request-Timeout": "0.1"}
    for name in WITH_BODY:
        assert 400 == await ask(api, name, as_json, data=b"{")
        assert 408 == await ask(api, name, in_a_hurry, data=slowly())
        assert 413 == await ask(api, name, as_json, data=b" " * 2_000)
        assert 415 == await ask(api, name, data=b"{}")


async def failures(api: Client, fake: FakeMlflow) -> None:
    anew = {**KNOWN, "Cache-Control": "no-cache"}
    for hook, status in ((answering(500), 502), (answering(429), 503)):
        fake.before = hook
        for name in TRACKING:
            assert status == await ask(api, name, anew)
    fake.before = hang
    for name in TRACKING:
        assert 504 == await ask(api, name, {**anew, "X-Request-Timeout": "0.1"})


async def defects(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("runs", "run", "together", "experiments"):
        monkeypatch.setattr(TrackingQueries, name, fail)
    monkeypatch.setattr(RunSearches, "experiment_ids", fail)
    for name in TRACKING:
        assert 500 == await ask(api, name)


@pytest.mark.thorough
async def test_each_described_response_occurs_as_described(
    fake: FakeMlflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each status of each operation is answered with the body and the headers that the document describes."""
    for run_id in RUN_IDS:
        fake.add_run(run_id=run_id, metrics={"sharpe": 1.0, "nan": float("nan")}, params={"depth": "6"})
    conformance = Conformance()
    monkeypatch.setattr(breaker, "_MIN_CALLS", 1_000)  # half of the calls fail, and each is to be asked
    settings: dict[str, Any] = {
        "auth": AUTH,
        "max_body_bytes": 1_000,
        "upstream": {"breaker_failures": 1_000, "attempts": 1},
    }
    async with Client(over(HeldIndex(RUNS), fake, **settings), conformance) as api:
        await good_answers(api)
    async with Client(over(HeldIndex(RUNS), fake, **settings), conformance) as api:
        await refusals(api, conformance)
        await failures(api, fake)
        await defects(api, monkeypatch)
    described = {
        (operation["operationId"], int(status))
        for methods in document("api_key")["paths"].values()
        for operation in methods.values()
        for status in operation["responses"]
    }
    assert described == conformance.seen | NOT_PROVOKED


@pytest.mark.parametrize(
    "response",
    [
        Response("GET", "/livez", 200, {"content-type": "application/json"}, b'{"status": "alive"}'),
        Response("GET", "/livez", 201, {"x-request-id": "a"}, b""),
    ],
    ids=["a header lacks", "another status"],
)
def test_the_check_finds_what_is_not_described(response: Response) -> None:
    """A response without a described header, or of a status that is not described, does not pass."""
    with pytest.raises(AssertionError):
        Conformance().check(response)


@pytest.mark.parametrize("body", [b'{"status": "dead"}', b'{"status": "alive", "more": 1}', b"{}"])
def test_the_check_finds_bodies_that_do_not_fit(body: bytes) -> None:
    """A body with another value, another field, or without a field does not pass."""
    headers = {"content-type": "application/json", "x-request-id": "a"}
    with pytest.raises(ValidationError):
        Conformance().check(Response("GET", "/livez", 200, headers, body))
