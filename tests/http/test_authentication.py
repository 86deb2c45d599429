"""Nothing but what is open to all is answered before it is known who asks."""

from collections.abc import AsyncIterator

import pytest

from service.auth.api_keys import new_key
from tests.api.serving import API, ROUTES, Client, ask, serving
from tests.auth.attempts import Answer, Attempts, attempting, check_let_in, check_refused
from tests.fakes.mlflow import FakeMlflow

KEY, LINE = new_key("ada")
GOOD = f"X-API-Key: {KEY}"
AUTH = {"mode": "api_key", "api_keys": LINE}
GETS = [API + path for method, path, _ in ROUTES.values() if method == "GET"]
UNKNOWN = ["/", "/api", API, f"{API}/nothing", f"{API}/runs/a/artifacts", "/metrics/", "/favicon.ico", "//"]
DOCS = ["/docs", "/openapi.json", "/docs/start.js", "/docs/swagger-ui/swagger-ui.css"]
OPEN = ["/livez", "/readyz"]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "CONNECT"]


@pytest.fixture
async def attempts(fake: FakeMlflow) -> AsyncIterator[Attempts]:
    """The service with callers told apart and nothing opened but its health checks."""
    fake.add_run(run_id="abc123def456")
    async with attempting(fake.url, GOOD, {**AUTH, "open_docs": False}) as made:
        yield made


def check_refused_to(method: str, answer: Answer) -> None:
    """Refused, with a body or, for HEAD, with the status and headers of one."""
    if method != "HEAD":
        check_refused(answer)
    assert (401, "no-store") == (answer.status, answer.headers["Cache-Control"])
    assert "WWW-Authenticate" in answer.headers
    assert method != "HEAD" or answer.body == b""


class TestClosed:
    @pytest.mark.parametrize("method", METHODS)
    async def test_whatever_is_asked(self, attempts: Attempts, fake: FakeMlflow, method: str) -> None:
        """Each route with each method, paths that are no route, /metrics and the documentation: 401."""
        for path in [*GETS, f"{API}/runs/compare", "/metrics", *DOCS, *UNKNOWN]:
            check_refused_to(method, await attempts(method=method, target=path))
        assert [] == fake.calls

    async def test_nothing_tells_them_apart(self, attempts: Attempts) -> None:
        """A run that is there, one that is not and a path that is nothing have the same answer."""
        paths = [f"{API}/runs/abc123def456", f"{API}/runs/nobody", f"{API}/runs", "/metrics", "/nothing"]
        answers = [await attempts(target=path) for path in paths]
        said = {str(answer.json | {"request_id": ""}) for answer in answers}
        assert 1 == len(said)
        assert 1 == len({tuple(sorted(answer.headers.keys())) for answer in answers})

    async def test_an_answer_that_the_caller_has(self, attempts: Attempts) -> None:
        """Who has an answer already is not told that it still holds."""
        known = await attempts(GOOD)
        again = f"If-None-Match: {known.headers['ETag']}"
        assert 304 == (await attempts(GOOD, again)).status
        check_refused(await attempts(again))
        check_refused(await attempts("If-None-Match: *"))

    async def test_what_is_remembered(self, attempts: Attempts) -> None:
        """An answer that another caller had is given to nobody else."""
        check_let_in(await attempts(GOOD))
        for _ in range(3):
            check_refused(await attempts())

    @pytest.mark.parametrize(
        "line",
        [
            "Expect: 100-continue",
            "Expect: much",
            "Content-Type: application/json",
            "Cache-Control: no-cache",
            "X-Request-Timeout: 0",
            "Origin: https://research.example.com",
            "Access-Control-Request-Method: GET",
            "Upgrade: websocket",
            "Range: bytes=0-5",
            "Accept: text/html",
            "X-HTTP-Method-Override: OPTIONS",
            "X-Original-URL: /livez",
            "X-Rewrite-URL: /livez",
            "X-Forwarded-Prefix: /livez",
            "X-Forwarded-Uri: /livez",
            "Host: livez",
            "Host: 127.0.0.1/livez",
            "Host: service/livez?",
            "Referer: http://127.0.0.1/docs",
        ],
    )
    async def test_whatever_else_is_said(self, attempts: Attempts, line: str) -> None:
        """No other header opens a route or changes the answer."""
        for method in ("GET", "OPTIONS"):
            check_refused(await attempts(line, method=method))

    async def test_a_body_that_is_wrong(self, attempts: Attempts) -> None:
        """What is wrong with a request is told to callers who are known."""
        start = f"POST {API}/runs/compare HTTP/1.1\r\nHost: service\r\nConnection: close\r\n"
        for body in ("{", '{"run_ids": []}', "x" * 100_000):
            head = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            check_refused(await attempts.raw(f"{start}{head}\r\n{body}".encode()))

    async def test_the_second_request_of_a_connection(self, attempts: Attempts) -> None:
        """A connection on which a caller was known makes the next request on it nobody's."""
        first = f"GET {API}/runs HTTP/1.1\r\nHost: service\r\n{GOOD}\r\n\r\n"
        second = f"GET {API}/runs HTTP/1.1\r\nHost: service\r\nConnection: close\r\n\r\n"
        answer = await attempts.raw(f"{first}{second}".encode())
        assert 200 == answer.status
        assert b"HTTP/1.1 401 " in answer.body
        assert b"HTTP/1.1 200 " not in answer.body


TRICKS = {
    "//livez": 401,
    "///livez": 401,
    "/livez/": 401,
    "/livez/.": 401,
    "/./livez": 401,
    "/livez/..": 401,
    "/api/../livez": 401,
    "/%6civez": 401,
    "/%6Civez": 401,
    "/LIVEZ": 401,
    "/livez;x": 401,
    "/livez%20": 401,
    "/livez%00": 401,
    "/livez%0d%0a": 401,
    "/livez%3f": 401,
    "/livez%23": 401,
    "/livez%2f": 401,
    "/livez.json": 401,
    "/livez\\": 401,
    f"/livez/../{API[1:]}/runs": 401,
    f"/livez/..{API}/runs": 401,
    f"/livez/%2e%2e{API}/runs": 401,
    f"/livez%2f..%2f{API[1:]}/runs": 401,
    f"/livez/..;{API}/runs": 401,
    f"/livez\\..{API}/runs": 401,
    f"//livez{API}/runs": 401,
    f"{API}/runs/../../../../livez": 401,
    f"{API}/runs;/livez": 401,
    f"{API}/runs?/livez": 401,
    f"{API}/runs#/livez": 401,
    f"{API}/runs/%2flivez": 401,
    f"http://service{API}/runs": 401,
    f"http://livez{API}/runs": 401,
    f"http://service/livez/..{API}/runs": 401,
    f"https://service{API}/runs": 401,
    f"http://livez@service{API}/runs": 401,
    f"ftp://service{API}/runs": 401,
    "http://service": 401,
    "http://service//livez": 401,
    "*": 400,
    "livez": 400,
    "": 400,
}
STILL_LIVEZ = [
    "/livez?",
    f"/livez?{API}/runs",
    f"/livez?/..{API}/runs",
    f"/livez#{API}/runs",
    "http://service/livez",
    "http://elsewhere.example/livez",
]


class TestTricks:
    @pytest.mark.parametrize(("target", "expected"), TRICKS.items(), ids=TRICKS)
    async def test_a_path_that_is_nearly_open(
        self, attempts: Attempts, fake: FakeMlflow, target: str, expected: int
    ) -> None:
        """Only the very letters of an open path open it: all else is no request, or nobody's."""
        answer = await attempts(target=target)
        assert expected == answer.status, answer.body
        assert answer.json["code"] == {401: "unauthenticated", 400: "unreadable_request"}[expected]
        assert [] == fake.calls

    @pytest.mark.parametrize("target", STILL_LIVEZ)
    async def test_a_path_that_is_open(self, attempts: Attempts, fake: FakeMlflow, target: str) -> None:
        """An open path with a query, a fragment or a host is that path, and never another."""
        answer = await attempts(target=target)
        assert (200, {"status": "alive"}) == (answer.status, answer.json)
        assert [] == fake.calls

    @pytest.mark.parametrize(
        ("method", "target"),
        [
            ("CONNECT", "livez"),
            ("CONNECT", "livez:80"),
            ("CONNECT", "/livez"),
            ("CONNECT", f"{API}/runs"),
            ("OPTIONS", "*"),
        ],
    )
    async def test_a_target_that_is_no_path(self, attempts: Attempts, method: str, target: str) -> None:
        """What is asked of a proxy, or of the server as a whole, is asked by nobody."""
        check_refused(await attempts(method=method, target=target))

    async def test_two_hosts(self, attempts: Attempts) -> None:
        """Two Host lines are no request."""
        assert 400 == (await attempts("Host: service", "Host: livez")).status

    async def test_an_old_request(self, attempts: Attempts) -> None:
        """HTTP/1.0, which has no Host, opens nothing either."""
        check_refused(await attempts.raw(f"GET {API}/runs HTTP/1.0\r\n\r\n".encode()))


class TestOpen:
    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    async def test_health(self, attempts: Attempts, method: str) -> None:
        """The health checks answer everybody, with a wrong credential, too."""
        for path in OPEN:
            for lines in ((), ("X-API-Key: wrong",), ("Authorization: Basic x",)):
                assert 200 == (await attempts(*lines, method=method, target=path)).status

    @pytest.mark.parametrize("open_docs", [False, True])
    @pytest.mark.parametrize("open_metrics", [False, True])
    async def test_what_the_settings_open(
        self, fake: FakeMlflow, open_docs: bool, open_metrics: bool
    ) -> None:
        """The documentation and the metrics are open where the settings say so, each by itself."""
        auth = {**AUTH, "open_docs": open_docs, "open_metrics": open_metrics}
        async with attempting(fake.url, GOOD, auth) as attempts:
            for paths, expected in ((DOCS, open_docs), (["/metrics"], open_metrics), (GETS, False)):
                for path in paths:
                    assert (200 if expected else 401) == (await attempts(target=path)).status, path

    async def test_the_documentation_is_open_by_default(self, fake: FakeMlflow) -> None:
        """What the API is like is no secret unless the settings say so; the metrics are one."""
        async with attempting(fake.url, GOOD, AUTH) as attempts:
            answers = {path: (await attempts(target=path)).status for path in (*DOCS, "/metrics")}
            assert {**dict.fromkeys(DOCS, 200), "/metrics": 401} == answers


class TestKnown:
    @pytest.fixture
    async def api(self, fake: FakeMlflow) -> AsyncIterator[Client]:
        """The service for callers with a key."""
        fake.add_run(run_id="abc123def456")
        fake.add_run(run_id="def456ghi789")
        async with serving(fake.url, auth=AUTH) as client:
            yield client

    @pytest.mark.parametrize("route", ROUTES)
    @pytest.mark.parametrize("line", [("X-API-Key", KEY), ("Authorization", f"Bearer {KEY}")])
    async def test_each_route(self, api: Client, fake: FakeMlflow, route: str, line: tuple[str, str]) -> None:
        """A caller who is known has every route, and its credential goes no further than here."""
        assert 200 == (await ask(api, route, headers=dict([line]))).status
        assert fake.calls
        for call in fake.calls:
            assert KEY not in str(call.headers)
            assert "X-API-Key" not in call.headers

    async def test_an_unknown_path(self, api: Client) -> None:
        """A caller who is known is told that a path is none, and which methods another has."""
        assert 404 == (await api.get("/nothing", headers={"X-API-Key": KEY})).status
        assert 405 == (await api.delete(f"{API}/runs", headers={"X-API-Key": KEY})).status

    async def test_who_it_was_stands_in_the_log(self, fake: FakeMlflow) -> None:
        """The log names the caller of each request, and nobody where nobody was known."""
        async with attempting(fake.url, GOOD, AUTH) as attempts:
            for lines in ((GOOD,), (), ("X-API-Key: wrong",)):
                await attempts(*lines)
            assert ["ada", None, None] == [answered.caller for answered in attempts.answered]


async def test_without_authentication_all_is_open(fake: FakeMlflow) -> None:
    """Where callers are not told apart, a credential is nothing, and nobody is named."""
    async with attempting(fake.url, GOOD, {"mode": "none"}) as attempts:
        for lines in ((), (GOOD,), ("Authorization: Basic x",)):
            check_let_in(await attempts(*lines))
        assert [None] * 3 == [answered.caller for answered in attempts.answered]
