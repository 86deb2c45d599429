"""The OpenAPI document: valid, derived from all routes, and true to the reference and to the errors."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urljoin

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped] # it has no types of its own
from openapi_spec_validator import validate

from service import __version__
from service.api import examples
from service.api.openapi import errors_of
from service.app import build
from service.http.problems import problem_body, status_of
from service.http.route import Access, Route
from service.tracking.runs import RUN_ID_PATTERN
from tests.api.document import DESCRIBED, ROUTES, document
from tests.api.serving import API, make_settings

DOCUMENT = document()
MODES = ["none", "api_key", "jwt"]


class Operation(NamedTuple):
    """An operation of the document, and the route that it was derived from."""

    route: Route
    described: dict[str, Any]


OPERATIONS = [Operation(route, DOCUMENT["paths"][route.path][route.method.lower()]) for route in DESCRIBED]


def response(operation: Operation, status: int) -> dict[str, Any]:
    """The response of an operation, wherever it stands."""
    described: dict[str, Any] = operation.described["responses"][str(status)]
    name = described.get("$ref", "").rpartition("/")[2]
    return DOCUMENT["components"]["responses"][name] if name else described


def bodies() -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Each example of a body: a name for it, the body's schema, and the example."""
    for route, described in OPERATIONS:
        answers = {
            **({"body": described["requestBody"]} if "requestBody" in described else {}),
            **{status: one for status, one in described["responses"].items() if "content" in one},
        }
        for name, one in answers.items():
            for content in one["content"].values():
                yield f"{route.method} {route.path} {name}", content["schema"], content["example"]
    for name, one in DOCUMENT["components"]["responses"].items():
        for content in one["content"].values():
            for code, example in content["examples"].items():
                yield f"{name} {code}", content["schema"], example["value"]


BODIES = {name: (schema, example) for name, schema, example in bodies()}


@pytest.mark.parametrize("auth", MODES)
def test_the_document_is_valid(auth: str) -> None:
    """It is OpenAPI 3.1 by openapi-spec-validator, however callers authenticate."""
    described = document(auth)
    validate(described)
    assert "3.1.0" == described["openapi"]
    assert __version__ == described["info"]["version"]


@pytest.mark.parametrize(
    ("auth", "expected"), [("api_key", {"bearer", "api_key"}), ("jwt", {"bearer"}), ("none", set())]
)
def test_credentials_are_asked_for_where_they_are_needed(auth: str, expected: set[str]) -> None:
    """One of the ways that the service takes, for all but open routes; none at all where it takes none."""
    described = document(auth)
    assert expected == set(described["components"].get("securitySchemes", {}))
    for route in DESCRIBED:
        operation = described["paths"][route.path][route.method.lower()]
        required = operation.get("security", described["security"])
        assert {} not in required
        needed = set() if route.access is Access.OPEN else expected
        assert needed == {name for one in required for name in one}


@pytest.mark.parametrize(
    ("address", "base"),
    [
        ("http://host:8080/openapi.json", "http://host:8080"),
        ("https://host/tracking/openapi.json", "https://host/tracking"),
        ("https://host/a/b/openapi.json", "https://host/a/b"),
    ],
)
def test_requests_go_where_the_document_is(address: str, base: str) -> None:
    """The one server is relative to the document, so that a prefix before both is kept."""
    [server] = DOCUMENT["servers"]
    assert base == urljoin(address, server["url"]).rstrip("/")


@pytest.mark.parametrize("name", BODIES)
def test_every_example_fits_its_schema(name: str) -> None:
    """Each body has an example, and the example validates against the body's schema."""
    schema, example = BODIES[name]
    Draft202012Validator({**schema, "components": DOCUMENT["components"]}).validate(example)


def test_the_reference_is_the_example() -> None:
    """The examples of the six routes are those of the API reference."""
    shown = {
        f"{API}/runs": examples.RUN_LIST,
        f"{API}/runs/{{run_id}}": examples.RUN_DETAIL,
        f"{API}/runs/{{run_id}}/metrics": examples.RUN_METRICS,
        f"{API}/runs/{{run_id}}/params": examples.RUN_PARAMS,
        f"{API}/runs/compare": examples.COMPARISON,
        f"{API}/experiments": examples.EXPERIMENTS,
    }
    assert shown == {
        one.route.path: response(one, 200)["content"]["application/json"]["example"]
        for one in OPERATIONS
        if one.route.path in shown
    }


def test_the_service_serves_the_routes_of_the_document() -> None:
    """Each described route is one of the service's, and each route of the API is described."""
    service = build(make_settings(console={"enabled": False}), "http://mlflow.invalid")
    served = {(route.method, route.path) for route in service.routes}
    assert {(route.method, route.path) for route in ROUTES} == served
    described = {(method.upper(), path) for path, one in DOCUMENT["paths"].items() for method in one}
    assert {(method, path) for method, path in served if path.startswith("/api/")} <= described <= served


def test_operations_have_names_of_their_own() -> None:
    """Each operation has a summary, and an operationId that is one word in camel case and no other's."""
    names = [one.described["operationId"] for one in OPERATIONS]
    assert len(names) == len(set(names))
    assert [] == [name for name in names if not re.fullmatch(r"[a-z]+([A-Z][a-z]+)*", name)]
    assert all(one.described["summary"] for one in OPERATIONS)


def test_every_tag_is_described() -> None:
    """The document describes the tags that operations have, and no others."""
    tags = {tag["name"]: tag["description"] for tag in DOCUMENT["tags"]}
    assert {name for one in OPERATIONS for name in one.described["tags"]} == set(tags)
    assert all(description.endswith(".") for description in tags.values())


def test_every_error_of_a_route_is_described() -> None:
    """Each error that a route may answer is an example of the response with the error's status."""
    for one in OPERATIONS:
        for error in errors_of(one.route):
            described = response(one, status_of(error))
            content = described["content"].get("application/problem+json")
            if content is None:  # a draining replica is not ready, which is no problem
                assert ("/readyz", 503) == (one.route.path, status_of(error))
                continue
            body = problem_body(examples.PROBLEMS[error], examples.REQUEST_ID)
            assert body == content["examples"][error.code]["value"]
            assert status_of(error) == body["status"]
            assert f"`{error.code}`" in described["description"]


def test_the_errors_of_the_contract_are_described() -> None:
    """The six routes tell of every failure of MLflow's, and each of what is wrong with its request."""
    of_all = {"200", "400", "401", "403", "417", "500", "502", "503", "504"}
    expected = {
        "listRuns": {"304", "422"},
        "getRun": {"304", "404"},
        "getRunMetrics": {"304"},
        "getRunParams": {"304"},
        "compareRuns": {"404", "408", "413", "415", "422"},
        "listExperiments": {"304"},
    }
    described = {one.described["operationId"]: set(one.described["responses"]) for one in OPERATIONS}
    assert {name: of_all | own for name, own in expected.items()} == {
        name: described[name] for name in expected
    }


def test_the_limit_is_described() -> None:
    """A client can read the default, the bounds and the optional filters from the parameters."""
    described = DOCUMENT["paths"][f"{API}/runs"]["get"]["parameters"]
    parameters = {one["name"]: one for one in described if one.get("in") == "query"}
    optional = {"run_type", "strategy_id", "experiment_id", "cursor"}
    assert optional | {"limit"} == set(parameters)
    assert {"type": "integer", "default": 50, "minimum": 1} == parameters["limit"]["schema"]
    assert [{"type": "string"}] * 4 == [parameters[name]["schema"] for name in optional]
    assert not any(one.get("required") for one in parameters.values())


def test_the_ids_to_compare_are_described() -> None:
    """A client can read how many ids there may be, and of which form, in the body as in the query."""
    ids = DOCUMENT["components"]["schemas"]["CompareRequest"]["properties"]["run_ids"]
    [in_query] = [
        one
        for one in DOCUMENT["paths"][f"{API}/runs/compare"]["get"]["parameters"]
        if one.get("name") == "run_id"
    ]
    assert in_query["required"]
    assert {name: ids[name] for name in ids if name != "description"} == in_query["schema"]
    assert (2, 10, True) == (ids["minItems"], ids["maxItems"], ids["uniqueItems"])
    assert RUN_ID_PATTERN == ids["items"]["pattern"]
