"""What every answer bears for the safety of browsers, whoever made it."""

import re

import pytest
from aiohttp import ClientResponse

from service.api.documentation import STATIC
from tests.api.serving import API, Client, ask, serving
from tests.fakes.mlflow import FakeMlflow
from tests.http.raw import connected

CONTENT_POLICY = "Content-Security-Policy"
NOTHING = "default-src 'none'; frame-ancestors 'none'"
ALWAYS = {
    "Server": "experiment-tracking",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
RUN = f"{API}/runs/abc"


def assert_safe(response: ClientResponse, policy: str = NOTHING) -> None:
    """It bears each of the headers, once."""
    for name, value in {**ALWAYS, CONTENT_POLICY: policy}.items():
        assert [value] == response.headers.getall(name), name


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "path",
    ["/livez", "/readyz", "/metrics", "/openapi.json", "/docs/start.js", f"{API}/experiments", RUN],
)
async def test_good_answers(api: Client, fake: FakeMlflow, method: str, path: str) -> None:
    """JSON, text and files bear them, new ones and hot ones."""
    fake.add_run(run_id="abc")
    for _ in range(2):
        response = await api.request(method, path)
        assert 200 == response.status
        assert_safe(response)


async def test_not_modified(api: Client, fake: FakeMlflow) -> None:
    """So do answers without a body: of the API, and of a file."""
    fake.add_run(run_id="abc")
    for path in (RUN, "/docs/start.js"):
        etag = (await api.get(path)).headers["ETag"]
        response = await api.get(path, headers={"If-None-Match": etag})
        assert 304 == response.status
        assert_safe(response)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", RUN, 404),
        ("DELETE", RUN, 405),
        ("GET", f"{API}/runs?limit=x", 422),
        ("POST", f"{API}/runs/compare", 415),
        ("OPTIONS", RUN, 405),
    ],
)
async def test_errors(api: Client, method: str, path: str, status: int) -> None:
    """So do errors."""
    response = await api.request(method, path)
    assert status == response.status
    assert_safe(response)


async def test_failures(fake: FakeMlflow) -> None:
    """So does what MLflow's failure makes of an answer."""
    async with serving(fake.url, upstream={"attempts": 1}) as api:
        await fake.stop()
        response = await ask(api, "run")
        assert 502 == response.status
        assert_safe(response)


async def test_what_cannot_be_read(api: Client) -> None:
    """So does the answer to what is no request."""
    async with connected(api.port) as connection:
        connection.send(b"hello\r\n\r\n")
        answer = await connection.answer()
    assert 400 == answer.status
    expected = {name.lower(): value for name, value in {**ALWAYS, CONTENT_POLICY: NOTHING}.items()}
    assert expected.items() <= answer.headers.items()


class TestThePageOfTheApi:
    async def test_its_policy(self, api: Client) -> None:
        """It runs, styles, shows and asks nothing but this service's own, and no page may frame it."""
        response = await api.get("/docs")
        assert 200 == response.status
        [policy] = response.headers.getall(CONTENT_POLICY)
        assert_safe(response, policy)
        directives = dict(directive.strip().split(" ", 1) for directive in policy.split(";"))
        assert {
            "default-src": "'none'",
            "script-src": "'self'",
            "style-src": "'self'",
            "img-src": "'self' data:",
            "connect-src": "'self'",
            "base-uri": "'none'",
            "form-action": "'none'",
            "frame-ancestors": "'none'",
        } == directives

    async def test_nothing_in_it_is_inline(self, api: Client) -> None:
        """No script, style or handler stands in the page itself, which the policy would refuse."""
        page = await (await api.get("/docs")).text()
        assert re.findall(r"<script[^>]*></script>", page) == re.findall(
            r"<script.*?</script>", page, re.DOTALL
        )
        assert [] == re.findall(r"<style|\sstyle=|\son\w+=", page)

    @pytest.mark.parametrize("name", ["LICENSE", "NOTICE", "swagger-ui-bundle.js.LICENSE.txt"])
    async def test_its_licences(self, api: Client, name: str) -> None:
        """The licences of what is vendored are given with it."""
        response = await api.get(f"/docs/swagger-ui/{name}")
        assert (200, (STATIC / "swagger-ui" / name).read_bytes()) == (response.status, await response.read())
