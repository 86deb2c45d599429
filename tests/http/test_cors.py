"""Which pages of other hosts may read answers."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from service.auth.api_keys import new_key
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
from tests.http.raw import connected

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


@pytest.mark.parametrize("path", [RUNS, "/docs", "/openapi.json", "/console/runs"])
async def test_what_an_answer_varies_by_besides_is_still_said(fake: FakeMlflow, path: str) -> None:
    """A shared cache must not give one caller's encoding to another."""
    async with serving(fake.url) as alone, serving(fake.url, cors={"allowed_origins": ALLOWED}) as api:
        besides = vary(await alone.get(path))
        assert {"Origin", *besides} == vary(await api.get(path, headers=from_page(ALLOWED)))


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

        monkeypatch.setattr(api.service.queries, "runs", fails)
        response = await api.get(RUNS, headers=from_page())
        assert 500 == response.status
        assert_readable(response)

    async def test_too_many_requests(self, api: Client) -> None:
        """A page reads that it shall come back, and when."""
        api.service.capacity.limit = 0
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

    async def test_an_origin_as_a_person_wrote_it(self, fake: FakeMlflow) -> None:
        """The page that is meant reads answers."""
        origins = {"allowed_origins": "https://Research.example.com:443/"}
        async with serving(fake.url, cors=origins) as api:
            assert_readable(await api.get(RUNS, headers=from_page()))
