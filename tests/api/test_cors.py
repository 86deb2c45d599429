"""Which pages of other hosts may read answers."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientResponse
from multidict import CIMultiDict

from service.app import CAPACITY, QUERIES
from service.auth.api_keys import new_key
from service.setting_groups import CorsSettings
from tests.api.raw import connected
from tests.api.serving import API, Client, serving
from tests.fakes.mlflow import FakeMlflow

ALLOWED = "https://research.example.com"
OTHER = "http://127.0.0.1:3000"
RUNS = f"{API}/runs"
COMPARE = f"{RUNS}/compare"
ORIGIN = "Access-Control-Allow-Origin"
EXPOSE = "Access-Control-Expose-Headers"
EXPOSED = {
    "Age",
    "Allow",
    "Cache-Status",
    "ETag",
    "Link",
    "Retry-After",
    "WWW-Authenticate",
    "X-Request-ID",
}
ALLOW_HEADERS = "Access-Control-Allow-Headers"
PRIVATE_NETWORK = "Access-Control-Request-Private-Network"
NOT_ALLOWED = [
    "null",
    "https://research.example.com:444",
    "https://research.example.com:443",
    "http://research.example.com",
    "https://research.example.com.evil.example",
    "https://evil-research.example.com",
    "https://research.example.co",
    "https://sub.research.example.com",
    "https://RESEARCH.example.com",
    "HTTPS://research.example.com",
    "https://research.example.com/",
    "https://research.example.com, https://evil.example",
    "https://user@research.example.com",
    "*",
    "",
]


@pytest.fixture
async def api(fake: FakeMlflow) -> AsyncIterator[Client]:
    """The service for the pages of two origins."""
    async with serving(fake.url, cors={"allowed_origins": f"{ALLOWED}, {OTHER}"}) as client:
        yield client


def from_page(origin: str = ALLOWED, **headers: str) -> dict[str, str]:
    """The headers of a request of a page."""
    return {"Origin": origin, **headers}


def preflight(method: str = "GET", headers: str = "authorization") -> dict[str, str]:
    """The headers of a browser's question whether a page may ask."""
    return from_page(**{"Access-Control-Request-Method": method, "Access-Control-Request-Headers": headers})


def vary(response: ClientResponse) -> set[str]:
    """What caches must tell answers apart by."""
    return {name.strip() for line in response.headers.getall("Vary", ()) for name in line.split(",")}


def allows(response: ClientResponse) -> dict[str, str]:
    """All that a browser is told of pages."""
    return {name: value for name, value in response.headers.items() if name.startswith("Access-Control-")}


def assert_readable(response: ClientResponse, origin: str = ALLOWED) -> None:
    """The page may read the answer and the headers that matter, and no cache gives it to another page."""
    assert {ORIGIN, EXPOSE} == set(allows(response))
    assert [origin] == response.headers.getall(ORIGIN)
    assert set(response.headers[EXPOSE].split(", ")) == EXPOSED
    assert "Origin" in vary(response)


class TestAnswers:
    @pytest.mark.parametrize("origin", [ALLOWED, OTHER])
    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    async def test_good_ones(self, api: Client, method: str, origin: str) -> None:
        """A page of each origin in the list reads them, new ones and hot ones."""
        for path in (RUNS, "/livez", "/openapi.json", "/docs"):
            for _ in range(2):
                response = await api.request(method, path, headers=from_page(origin))
                assert 200 == response.status
                assert_readable(response, origin)

    async def test_not_modified(self, api: Client) -> None:
        """A 304 bears them, too: a browser takes its headers from there."""
        etag = (await api.get(RUNS)).headers["ETag"]
        response = await api.get(RUNS, headers=from_page(**{"If-None-Match": etag}))
        assert 304 == response.status
        assert_readable(response)

    @pytest.mark.parametrize("origin", NOT_ALLOWED)
    async def test_pages_of_other_origins(self, api: Client, origin: str) -> None:
        """They are told nothing, and the answer is kept apart from those of others."""
        for method, headers in (("GET", {}), ("OPTIONS", preflight())):
            response = await api.request(method, RUNS, headers={**headers, "Origin": origin})
            assert {} == allows(response)
            assert "Origin" in vary(response)

    async def test_requests_of_no_page(self, api: Client) -> None:
        """They are kept apart, too, so that no page gets their answer from a cache."""
        for method, path in (("GET", RUNS), ("HEAD", RUNS), ("GET", "/nothing"), ("OPTIONS", RUNS)):
            response = await api.request(method, path)
            assert {} == allows(response)
            assert "Origin" in vary(response)

    async def test_what_the_encoding_varies(self, api: Client) -> None:
        """Answers of the API vary by both."""
        assert {"Accept-Encoding", "Origin"} == vary(await api.get(RUNS, headers=from_page()))


class TestErrors:
    @pytest.mark.parametrize(
        ("method", "path", "body", "status"),
        [
            ("GET", "/nothing", None, 404),
            ("GET", f"{RUNS}/unknown", None, 404),
            ("DELETE", RUNS, None, 405),
            ("GET", f"{RUNS}?limit=x", None, 422),
            ("POST", COMPARE, b"x" * 70_000, 413),
            ("POST", COMPARE, b"{", 400),
        ],
    )
    async def test_of_callers(
        self, api: Client, method: str, path: str, body: bytes | None, status: int
    ) -> None:
        """A page reads what is wrong with its request."""
        json_body = {"Content-Type": "application/json"} if body else {}
        response = await api.request(method, path, data=body, headers=from_page(**json_body))
        assert status == response.status
        assert_readable(response)

    async def test_a_defect(self, api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        """A page reads that the service failed."""

        async def fails(**_: Any) -> None:
            raise RuntimeError

        monkeypatch.setattr(api.app[QUERIES], "runs", fails)
        response = await api.get(RUNS, headers=from_page())
        assert 500 == response.status
        assert_readable(response)

    async def test_too_many_requests(self, api: Client) -> None:
        """A page reads that it shall come back, and when."""
        api.app[CAPACITY].most = 0
        response = await api.get(RUNS, headers=from_page())
        assert (503, "1") == (response.status, response.headers["Retry-After"])
        assert_readable(response)

    async def test_nobody_is_known(self, fake: FakeMlflow) -> None:
        """A page reads that it needs a credential; that question itself needs none."""
        _, line = new_key("page")
        auth = {"mode": "api_key", "api_keys": line}
        async with serving(fake.url, cors={"allowed_origins": ALLOWED}, auth=auth) as api:
            response = await api.get(RUNS, headers=from_page())
            assert 401 == response.status
            assert_readable(response)
            assert 204 == (await api.options(RUNS, headers=preflight())).status

    async def test_what_cannot_be_read(self, api: Client) -> None:
        """Nothing is known of such a request; its answer is kept apart."""
        async with connected(api.port) as connection:
            connection.send(b"hello\r\n\r\n")
            answer = await connection.answer()
        assert (400, "Origin") == (answer.status, answer.headers["vary"])


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


class TestOtherSettings:
    @pytest.mark.parametrize("origin", [ALLOWED, "null", "https://anybody.example"])
    async def test_all_pages(self, fake: FakeMlflow, origin: str) -> None:
        """ "*" lets every page read, none with cookies, and answers are the same for all."""
        async with serving(fake.url, cors={"allowed_origins": "*"}) as api:
            for response in (
                await api.get(RUNS, headers=from_page(origin)),
                await api.options(RUNS, headers={**preflight(), "Origin": origin}),
            ):
                assert ["*"] == response.headers.getall(ORIGIN)
                assert "Access-Control-Allow-Credentials" not in response.headers
                assert "Origin" not in vary(response)

    async def test_no_page(self, fake: FakeMlflow) -> None:
        """Without a list no page is told anything, and an OPTIONS request is a 405."""
        async with serving(fake.url) as api:
            response = await api.get(RUNS, headers=from_page())
            assert ({}, {"Accept-Encoding"}) == (allows(response), vary(response))
            response = await api.options(RUNS, headers=preflight())
            assert (405, {}) == (response.status, allows(response))

    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            ("https://a.example/", "https://a.example"),
            ("https://A.Example", "https://a.example"),
            ("HTTPS://a.example:443/", "https://a.example"),
            ("http://a.example:80", "http://a.example"),
            ("http://a.example:443", "http://a.example:443"),
            ("http://[::1]:3000/", "http://[::1]:3000"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
            ("https://a.example/, https://a.example, http://b.example", "https://a.example,http://b.example"),
            (" * ", "*"),
            ("", ""),
        ],
    )
    def test_origins_as_people_write_them(self, given: str, expected: str) -> None:
        """Capitals, a port that goes without saying and a slash mean the origin that browsers send."""
        assert expected == CorsSettings(allowed_origins=given).allowed_origins

    @pytest.mark.parametrize(
        ("origins", "said"),
        [
            ("*, https://a.example", "other origins"),
            ("https://a.example/path", "did you mean https://a.example?"),
            ("https://a.example?x=1", "did you mean https://a.example?"),
            ("https://a.example#x", "did you mean https://a.example?"),
            ("https://user:pass@a.example", "did you mean https://a.example?"),
            ("https://*.a.example", "each origin"),
            ("ftp://a.example", "no origin"),
            ("a.example", "did you mean https://a.example?"),
            ("localhost:3000", "did you mean http://localhost:3000?"),
            ("127.0.0.1:3000", "did you mean http://127.0.0.1:3000?"),
            ("//a.example", "no origin"),
            ("https://", "no origin"),
            ("https://a.example:99999", "no origin"),
            ("null", "every sandboxed page"),
        ],
    )
    def test_what_is_no_origin(self, origins: str, said: str) -> None:
        """A list that no browser's Origin could equal is refused at start, with what may be meant."""
        with pytest.raises(ValueError, match="origin") as caught:
            CorsSettings(allowed_origins=origins)
        assert said in str(caught.value)

    async def test_an_origin_as_a_person_wrote_it(self, fake: FakeMlflow) -> None:
        """The page that is meant reads answers."""
        origins = {"allowed_origins": "https://Research.example.com:443/"}
        async with serving(fake.url, cors=origins) as api:
            assert_readable(await api.get(RUNS, headers=from_page()))
