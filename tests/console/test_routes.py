"""The console's page and files, as they are served."""

import gzip
import hashlib
import re
from urllib.parse import urljoin

import pytest

from service.auth.api_keys import new_key
from service.console.files import FOLDER, PACKAGES, contents, modules_of, styles_of
from service.console.page import PAGES
from tests.api.serving import Client, serving
from tests.fakes.mlflow import FakeMlflow

LOADED = re.compile(r'(?:href|src)="([^"]+)"')


@pytest.mark.parametrize("name", PAGES)
async def test_a_page_names_files_that_are_served_for_good(api: Client, name: str) -> None:
    """All that a page loads comes from the service, by relative addresses that bear the release's digest."""
    response = await api.get(f"/console/{name}")
    assert (200, "text/html") == (response.status, response.content_type)
    assert "no-cache" == response.headers["Cache-Control"]
    links = [link for link in LOADED.findall(await response.text()) if link.startswith("assets/")]
    assert 10 <= len(links)
    for link in links:
        asset = await api.get(urljoin(f"/console/{name}", link))
        assert 200 == asset.status, link
        assert "immutable" in asset.headers["Cache-Control"]


async def test_scripts_are_those_of_the_service(api: Client) -> None:
    """The policy allows no inline script but the import map, no inline style, no eval and no other host."""
    response = await api.get("/console/runs")
    policy = response.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "http" not in policy
    assert "require-trusted-types-for 'script'" in policy
    assert 1 == len(re.findall(r"<script(?![^>]*src=)", await response.text()))


async def test_the_console_leads_to_the_runs_relatively(api: Client) -> None:
    """The console's own address leads to its first page, behind a path prefix, too."""
    for path in ("/console", "/console/"):
        response = await api.get(path, allow_redirects=False)
        assert 307 == response.status
        assert "/console/runs" == urljoin(path, response.headers["Location"])


async def test_a_file_is_not_sent_again(api: Client) -> None:
    """A browser that names what it has gets a 304, gzipped or not."""
    first = await api.get("/console/runs")
    known = {"If-None-Match": first.headers["ETag"]}
    assert 304 == (await api.get("/console/runs", headers=known)).status
    plain = await api.get("/console/runs", headers={"Accept-Encoding": "identity"})
    assert plain.headers["ETag"] != first.headers["ETag"]
    assert await plain.text() == await first.text()


async def test_pages_need_no_key_and_bear_no_data(fake: FakeMlflow) -> None:
    """A browser without a key gets the page, which asks for one; the API stays closed."""
    key = new_key("ada").line
    async with serving(fake.url, auth={"mode": "api_key", "api_keys": key, "open_docs": False}) as api:
        assert 200 == (await api.get("/console/runs")).status
        assert 401 == (await api.get("/api/v1/tracking/runs")).status


def test_each_package_name_is_mapped_to_a_file() -> None:
    """A module that imports a package by its name finds it, and imports nothing else by a bare name."""
    assert set(PACKAGES.values()) <= contents().keys()
    modules = [text for path, text in contents().items() if path.startswith("js/")]
    names = {name for text in modules for name in re.findall(r'from "([^."][^"]*)"', text.decode())}
    assert names <= PACKAGES.keys()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_its_style_sheets(name: str) -> None:
    """A page names its style sheets, which are there, in the one way that is read before it is loaded."""
    styles = styles_of(f"js/pages/{name}.js")
    assert 2 <= len(styles)
    assert set(styles) <= contents().keys()


def test_comments_are_not_sent() -> None:
    """Of our own files the code is sent, with its lines where they are; of a comment its line ends."""
    for path, sent in contents().items():
        written = (FOLDER / path).read_bytes()
        assert written.count(b"\n") == sent.count(b"\n")
        if not path.startswith("vendor/"):
            assert b"@param" not in sent, path
            code = [line for line in sent.splitlines() if line.strip()]
            assert set(code) <= set(written.splitlines()), path


def test_the_first_load_is_small() -> None:
    """All scripts and styles that the page of the runs needs at once have at most 72 kB, gzipped."""
    modules = dict.fromkeys((*modules_of("js/main.js"), *modules_of("js/pages/runs.js")))
    sizes = {
        path: len(gzip.compress(contents()[path], 9)) for path in (*modules, *styles_of("js/pages/runs.js"))
    }
    assert 72_000 >= sum(sizes.values()), sizes


def test_the_vendored_files_are_the_released_ones() -> None:
    """They have the checksums that were written down, and none is without one."""
    folder = FOLDER / "vendor"
    lines = (folder / "SHA256SUMS").read_text("ascii").splitlines()
    written = {name: digest for digest, name in (line.split() for line in lines)}
    assert {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in written} == written
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert files - {"SHA256SUMS", "README.md"} == set(written)


async def test_the_page_says_where_mlflow_is(fake: FakeMlflow) -> None:
    """The page bears the address of MLflow's own page, by which it makes links."""
    async with serving(fake.url, console={"mlflow_url": "https://mlflow.example.com"}) as api:
        page = await (await api.get("/console/runs")).text()
    assert '<meta name="mlflow-url" content="https://mlflow.example.com">' in page


async def test_a_console_that_is_switched_off(fake: FakeMlflow) -> None:
    """Without the console its addresses do not exist."""
    async with serving(fake.url, console={"enabled": False}) as api:
        assert {404} == {(await api.get(path)).status for path in ("/console", "/console/", "/console/runs")}
