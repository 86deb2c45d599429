"""Pages of other hosts: what their browsers ask, and what they are told."""

from aiohttp import ClientResponse

from tests.api.serving import API

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
    "X-Run-Limit",
    "X-Total-Count",
    "WWW-Authenticate",
    "X-Request-ID",
}


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
