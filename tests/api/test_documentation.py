"""The page that shows the OpenAPI document, and the files that it loads."""

import hashlib
from html.parser import HTMLParser
from pathlib import Path

from service.api.documentation import STATIC
from service.auth.api_keys import new_key
from tests.api.document import document
from tests.api.serving import Client, serving, strictly
from tests.fakes.mlflow import FakeMlflow


async def test_the_document_is_served(api: Client) -> None:
    """/openapi.json is the document, as JSON."""
    response = await api.get("/openapi.json")
    assert "application/json" == response.content_type
    assert document() == strictly(await response.text())


async def test_the_document_says_how_callers_authenticate(fake: FakeMlflow) -> None:
    """The document of a service for callers with keys describes the keys."""
    async with serving(fake.url, auth={"mode": "api_key", "api_keys": new_key("ada").line}) as api:
        assert document("api_key") == strictly(await (await api.get("/openapi.json")).text())


class Links(HTMLParser):
    """What a page loads."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del tag
        self.found += [value for name, value in attrs if name in {"src", "href"} and value]


async def test_the_page_and_all_that_it_loads(api: Client) -> None:
    """/docs is a page whose files come from the service itself, by addresses relative to a proxy's prefix."""
    response = await api.get("/docs")
    assert (200, "text/html") == (response.status, response.content_type)
    links = Links()
    links.feed(await response.text())
    assert 4 <= len(links.found)
    for link in links.found:
        assert not link.startswith(("/", "http"))
        asset = await api.get(f"/{link}")
        assert 200 == asset.status
        assert await asset.read()
        expected = {"css": "text/css", "js": "text/javascript", "png": "image/png"}[link.rpartition(".")[2]]
        assert expected == asset.content_type.replace("application/javascript", "text/javascript")


async def test_the_page_shows_the_document(api: Client) -> None:
    """What starts Swagger UI names the document, relative, and asks no validator of somebody else's."""
    start = await (await api.get("/docs/start.js")).text()
    assert 'url: "openapi.json"' in start
    assert "validatorUrl: null" in start


def test_the_vendored_files_are_the_released_ones() -> None:
    """Swagger UI's files have the checksums that were written down, and none is without one."""
    folder = STATIC / "swagger-ui"
    lines = (folder / "SHA256SUMS").read_text("ascii").splitlines()
    written = {name: digest for digest, name in (line.split() for line in lines)}
    assert {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in written} == written
    assert {path.name for path in Path(folder).iterdir()} - {"SHA256SUMS", "README.md"} == set(written)
