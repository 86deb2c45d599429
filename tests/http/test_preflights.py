"""What a browser is told that asks whether a page of another host may ask."""

import json
from collections.abc import AsyncIterator

import pytest
from multidict import CIMultiDict

from tests.api.pages import (
    ALLOWED,
    COMPARE,
    ORIGIN,
    OTHER,
    RUNS,
    allows,
    assert_readable,
    from_page,
    preflight,
    vary,
)
from tests.api.serving import Client, serving
from tests.fakes.mlflow import FakeMlflow

ALLOW_HEADERS = "Access-Control-Allow-Headers"
PRIVATE_NETWORK = "Access-Control-Request-Private-Network"


@pytest.fixture
async def api(fake: FakeMlflow) -> AsyncIterator[Client]:
    """The service for the pages of two origins."""
    async with serving(fake.url, cors={"allowed_origins": f"{ALLOWED}, {OTHER}"}) as client:
        yield client


class TestPreflights:
    @pytest.mark.parametrize("path", [RUNS, COMPARE, "/nothing"])
    async def test_its_answer(self, api: Client, path: str) -> None:
        """A browser learns what may be asked, keeps that for two hours, and nothing of cookies is said."""
        response = await api.options(path, headers=preflight("POST", "authorization,content-type"))
        assert (204, b"") == (response.status, await response.read())
        assert ALLOWED == response.headers[ORIGIN]
        assert "GET, HEAD, POST" == response.headers["Access-Control-Allow-Methods"]
        assert "7200" == response.headers["Access-Control-Max-Age"]
        assert "Access-Control-Allow-Credentials" not in response.headers
        assert {
            "Origin",
            "Access-Control-Request-Headers",
            "Access-Control-Request-Private-Network",
        } == vary(response)

    @pytest.mark.parametrize(
        "asked",
        [
            "baggage, sentry-trace",  # Sentry
            "x-datadog-origin, x-datadog-parent-id, x-datadog-sampling-priority, x-datadog-trace-id",
            "b3, traceparent, tracestate, x-b3-spanid, x-b3-traceid",  # OpenTelemetry
            "x-amzn-trace-id",  # AWS X-Ray
            "newrelic",
            "elastic-apm-traceparent, uber-trace-id, x-instana-l, x-instana-s, x-instana-t",
            "pragma, x-requested-with",
            "!#$%&'*+-.^_`|~9",
        ],
    )
    async def test_headers_of_tools_that_trace_pages(self, api: Client, asked: str) -> None:
        """A page may send each header that its browser asks for, whoever adds it."""
        response = await api.options(RUNS, headers=preflight(headers=asked.replace(" ", "")))
        assert (204, asked) == (response.status, response.headers[ALLOW_HEADERS])

    async def test_headers_asked_for_in_several_lines(self, api: Client) -> None:
        """Lines are one list, as everywhere in HTTP, and empty members mean nothing."""
        asked = [*from_page().items(), ("Access-Control-Request-Method", "GET")]
        asked += [("Access-Control-Request-Headers", line) for line in ("baggage,,", " sentry-trace\t")]
        response = await api.options(RUNS, headers=CIMultiDict(asked))
        assert "baggage, sentry-trace" == response.headers[ALLOW_HEADERS]

    @pytest.mark.parametrize(
        "asked", ["", ",", "a b", "x:y", "a;b", "(x)", '"x"', "ä", "*, x/y", ",".join(["x" * 8] * 500)]
    )
    async def test_what_are_no_names_of_headers(self, api: Client, asked: str) -> None:
        """They are not repeated, nor is a list without an end: the page may send what the service reads."""
        response = await api.options(RUNS, headers=preflight(headers=asked))
        allowed = response.headers[ALLOW_HEADERS]
        assert (204, True) == (response.status, allowed.startswith("Authorization, Cache-Control, "))

    async def test_a_page_that_is_not_allowed(self, api: Client) -> None:
        """It is told of no header, no method and no network."""
        asked = {**preflight(), "Origin": "https://evil.example", PRIVATE_NETWORK: "true"}
        response = await api.options(RUNS, headers=asked)
        assert (204, {}) == (response.status, allows(response))

    @pytest.mark.parametrize(("asked", "said"), [("true", "true"), ("false", None), (None, None)])
    async def test_a_service_in_a_private_network(
        self, api: Client, asked: str | None, said: str | None
    ) -> None:
        """A page of a public address that is allowed reaches a service in a network of its own."""
        asking = preflight() | ({} if asked is None else {PRIVATE_NETWORK: asked})
        response = await api.options(RUNS, headers=asking)
        assert said == response.headers.get("Access-Control-Allow-Private-Network")

    @pytest.mark.parametrize(
        "name",
        [
            "authorization",
            "cache-control",
            "content-type",
            "if-none-match",
            "traceparent",
            "tracestate",
            "x-api-key",
            "x-request-id",
            "x-request-timeout",
        ],
    )
    async def test_headers_that_the_service_reads(self, api: Client, name: str) -> None:
        """A page may send each of them."""
        for asked in ("", name):
            response = await api.options(RUNS, headers=preflight(headers=asked))
            assert name in response.headers[ALLOW_HEADERS].lower().split(", ")

    async def test_it_asks_nobody(self, api: Client, fake: FakeMlflow) -> None:
        """MLflow is not asked."""
        await api.options(RUNS, headers=preflight())
        assert [] == fake.calls

    async def test_an_options_request_of_another_kind(self, api: Client) -> None:
        """Without the header of a preflight it is a request as any other, of a method that no route knows."""
        response = await api.options(RUNS, headers=from_page())
        assert (405, "method_not_allowed") == (response.status, json.loads(await response.text())["code"])
        assert_readable(response)
