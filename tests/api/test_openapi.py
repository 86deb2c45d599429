"""The OpenAPI document, true to the application, and the page that shows it."""

import hashlib
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped] # it has no types of its own
from openapi_spec_validator import validate

from service import __version__
from service.api import examples
from service.api.openapi import STATIC, openapi_document
from service.app import build
from service.auth.api_keys import new_key
from service.http.problems import kinds, status_of
from service.tracking.runs import RUN_ID_PATTERN
from tests.api.serving import Client, make_settings, serving, strictly
from tests.fakes.mlflow import FakeMlflow

DOCUMENT = openapi_document()
# Routes that are for machines of the operator's, or that show the document itself.
NOT_DESCRIBED = {"/openapi.json", "/docs", "/metrics"}


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def contents() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every body that is described, with a name for it."""
    for method, path, operation in operations():
        described = {"request": operation.get("requestBody", {}), **operation["responses"]}
        for name, one in described.items():
            for media_type, content in one.get("content", {}).items():
                yield f"{method} {path} {name} {media_type}", content


CONTENTS = dict(contents())


@pytest.mark.parametrize("auth", ["none", "api_key", "jwt"])
def test_the_document_is_valid(auth: str) -> None:
    """It is OpenAPI 3.1 by openapi-spec-validator, however callers say who they are."""
    document = openapi_document(auth)
    validate(document)
    assert "3.1.0" == document["openapi"]
    assert __version__ == document["info"]["version"]


async def test_the_document_is_served(api: Client) -> None:
    """/openapi.json is the document, as JSON."""
    response = await api.get("/openapi.json")
    assert "application/json" == response.content_type
    assert DOCUMENT == strictly(await response.text())


async def test_the_document_says_how_callers_are_told_apart(fake: FakeMlflow) -> None:
    """The document of a service for callers with keys describes the keys."""
    async with serving(fake.url, auth={"mode": "api_key", "api_keys": new_key("ada").line}) as api:
        assert openapi_document("api_key") == strictly(await (await api.get("/openapi.json")).text())


@pytest.mark.parametrize(
    ("auth", "expected"), [("api_key", {"bearer", "api_key"}), ("jwt", {"bearer"}), ("none", set())]
)
def test_credentials_are_asked_for_where_they_are_needed(auth: str, expected: set[str]) -> None:
    """One of the ways that the service takes, for all but health checks; none at all where it takes none."""
    document = openapi_document(auth)
    assert expected == set(document["components"].get("securitySchemes", {}))
    for path, methods in document["paths"].items():
        for operation in methods.values():
            asked = operation.get("security", document.get("security", []))
            wanted = set() if path in {"/livez", "/readyz"} else expected
            assert wanted == {name for one in asked for name in one}
            assert {} not in asked


@pytest.mark.parametrize(
    ("document", "base"),
    [
        ("http://host:8080/openapi.json", "http://host:8080"),
        ("https://host/tracking/openapi.json", "https://host/tracking"),
        ("https://host/a/b/openapi.json", "https://host/a/b"),
    ],
)
def test_requests_go_where_the_document_is(document: str, base: str) -> None:
    """The one server is relative to the document, so that a prefix before both is kept."""
    [server] = DOCUMENT["servers"]
    assert base == urljoin(document, server["url"]).rstrip("/")


@pytest.mark.parametrize("name", CONTENTS)
def test_every_example_fits_its_schema(name: str) -> None:
    """Each body has an example, and the example validates against the body's schema."""
    content = CONTENTS[name]
    schema = {**content["schema"], "components": DOCUMENT["components"]}
    Draft202012Validator(schema).validate(content["example"])


def test_the_reference_is_the_example() -> None:
    """The examples of the six routes are those of the API reference."""
    paths = DOCUMENT["paths"]
    base = "/api/v1/tracking"
    shown = {
        f"{base}/runs": examples.RUN_LIST,
        f"{base}/runs/{{run_id}}": examples.RUN_DETAIL,
        f"{base}/runs/{{run_id}}/metrics": examples.RUN_METRICS,
        f"{base}/runs/{{run_id}}/params": examples.RUN_PARAMS,
        f"{base}/runs/compare": examples.COMPARISON,
        f"{base}/experiments": examples.EXPERIMENTS,
    }
    for path, example in shown.items():
        [operation] = paths[path].values()
        assert example == operation["responses"]["200"]["content"]["application/json"]["example"]


def test_the_document_describes_the_routes_of_the_service() -> None:
    """Each route is described, and each description has a route."""
    routes = {
        (route.method.lower(), route.path)
        for route in build(make_settings(), "http://mlflow.invalid").routes
        if not route.path.startswith(tuple(NOT_DESCRIBED))
    }
    assert {(method, path) for method, path, _ in operations()} == routes


def test_operations_have_names_of_their_own() -> None:
    """operationIds are there and distinct, and each operation has a summary."""
    names = [operation["operationId"] for _, _, operation in operations()]
    assert len(names) == len(set(names))
    assert all(operation["summary"] for _, _, operation in operations())


def test_errors_are_described() -> None:
    """Errors are problem+json; their examples have the status, and a code that the service has."""
    codes = {kind.code: status_of(kind) for kind in kinds() if hasattr(kind, "code")}
    for _, _, operation in operations():
        for status, response in operation["responses"].items():
            if status < "400":
                continue
            if not response.get("content", {}).get("application/problem+json"):
                assert status == "503", (
                    "the readiness of a replica that drains is its only error without a problem"
                )
                continue
            example = response["content"]["application/problem+json"]["example"]
            assert int(status) == example["status"] == codes[example["code"]]


def test_the_errors_of_the_contract_are_described() -> None:
    """The six routes tell of every failure of MLflow's, and each of what is wrong with its request."""
    upstream = {"500", "502", "503", "504"}
    own = {
        "listRuns": {"422"},
        "getRun": {"404"},
        "getRunMetrics": set(),
        "getRunParams": set(),
        "compareRuns": {"400", "404", "413", "415", "422"},
        "listExperiments": set(),
    }
    for _, _, operation in operations():
        name = operation["operationId"]
        if name in own:
            assert {"200"} | upstream | own[name] <= set(operation["responses"])
            retry_after = operation["responses"]["503"]["headers"]["Retry-After"]
            assert {"type": "integer", "minimum": 1} == retry_after["schema"]


def test_the_limit_is_described() -> None:
    """A client can read the default, the bounds and the optional filters from the parameters."""
    parameters = {one["name"]: one for one in DOCUMENT["paths"]["/api/v1/tracking/runs"]["get"]["parameters"]}
    assert {"run_type", "strategy_id", "limit"} == set(parameters)
    assert (50, 1) == (parameters["limit"]["schema"]["default"], parameters["limit"]["schema"]["minimum"])
    assert "integer" == parameters["limit"]["schema"]["type"]
    assert ["string", "string"] == [
        parameters[name]["schema"]["type"] for name in ("run_type", "strategy_id")
    ]
    assert not any(one.get("required") for one in parameters.values())


def test_the_ids_to_compare_are_described() -> None:
    """A client can read how many ids there may be, and of which form."""
    ids = DOCUMENT["components"]["schemas"]["CompareRequest"]["properties"]["run_ids"]
    assert (2, 10, True) == (ids["minItems"], ids["maxItems"], ids["uniqueItems"])
    assert RUN_ID_PATTERN == ids["items"]["pattern"]


def test_answers_allow_no_other_fields() -> None:
    """The schemas of the answers are closed: exactly the fields of the reference."""
    for name, schema in DOCUMENT["components"]["schemas"].items():
        if name != "CompareRequest":
            assert schema["additionalProperties"] is False, name
            assert set(schema["properties"]) == set(schema["required"]), name


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
