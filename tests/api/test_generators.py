"""What generators of clients need, over the whole OpenAPI document."""

from collections.abc import Iterator
from typing import Any

import pytest

from service.http.problems import codes
from tests.api.document import DESCRIBED, document

DOCUMENT = document()
COMPONENTS = DOCUMENT["components"]
# Where a schema has schemas in it: lists of them, by name, and one.
_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
_NAMED = ("properties", "patternProperties", "$defs")
_SINGLE = ("items", "additionalProperties", "not")
Schema = dict[str, Any]


def within(place: str, schema: Schema) -> Iterator[tuple[str, Schema]]:
    """A schema and all schemas in it, each with its place."""
    yield place, schema
    for keyword in _LISTS:
        for number, inner in enumerate(schema.get(keyword, ())):
            yield from within(f"{place}/{keyword}/{number}", inner)
    for keyword in _NAMED:
        for name, inner in schema.get(keyword, {}).items():
            yield from within(f"{place}/{keyword}/{name}", inner)
    for keyword in _SINGLE:
        if isinstance(inner := schema.get(keyword), dict):
            yield from within(f"{place}/{keyword}", inner)


def found(place: str, node: Any) -> Iterator[tuple[str, Schema]]:
    """Every schema in a part of the document."""
    if isinstance(node, dict):
        for name, inner in node.items():
            if name == "schema":
                yield from within(f"{place}/{name}", inner)
            elif name == "schemas":
                for model, schema in inner.items():
                    yield from within(f"{place}/{name}/{model}", schema)
            elif name not in {"example", "examples", "value"}:
                yield from found(f"{place}/{name}", inner)
    elif isinstance(node, list):
        for number, inner in enumerate(node):
            yield from found(f"{place}/{number}", inner)


SCHEMAS = dict(found("#", DOCUMENT))
MODELS = COMPONENTS["schemas"]


def types_of(schema: Schema) -> set[str]:
    types = schema.get("type", [])
    return {types} if isinstance(types, str) else set(types)


def test_schemas_are_found_everywhere() -> None:
    """The walk reaches models, their properties, parameters, headers and bodies."""
    assert 100 < len(SCHEMAS)
    for place in (
        "#/components/schemas/RunDetail/properties/end_time",
        "#/components/schemas/Metrics/additionalProperties",
        "#/components/parameters/IfNoneMatch/schema",
        "#/components/headers/Age/schema",
        "#/paths//api/v1/tracking/runs/get/parameters/2/schema",
        "#/paths//api/v1/tracking/runs/get/responses/200/content/application/json/schema",
    ):
        assert place in SCHEMAS


def test_times_have_64_bits() -> None:
    """Every epoch time has format int64: without it Java, C#, Kotlin, Go and Rust read 32 bits."""
    times = {place: one for place, one in SCHEMAS.items() if place.endswith(("_time", "_ms"))}
    assert times
    assert [] == [place for place, one in times.items() if one.get("format") != "int64"]
    told = [place for place, one in SCHEMAS.items() if "epoch" in one.get("description", "")]
    assert set(told) == set(times)


def test_numbers_have_64_bits() -> None:
    """Every number has format double: without it Go reads 32 bits."""
    numbers = {place: one for place, one in SCHEMAS.items() if "number" in types_of(one)}
    assert numbers
    assert [] == [place for place, one in numbers.items() if one.get("format") != "double"]


def test_null_is_one_of_two_types() -> None:
    """What may be null has a list of types with null in it, or is a model or null: no other choice."""
    nullable = {place: types_of(one) for place, one in SCHEMAS.items() if "null" in types_of(one)}
    assert nullable
    assert {2} == {len(types) for place, types in nullable.items() if "/anyOf/" not in place}
    assert [] == [place for place, one in SCHEMAS.items() if {"oneOf", "allOf"} & one.keys()]
    choices = [one["anyOf"] for one in SCHEMAS.values() if "anyOf" in one]
    assert [] == [one for one in choices if ["$ref"] != list(one[0]) or [{"type": "null"}] != one[1:]]


def test_schemas_have_no_titles() -> None:
    """A schema is named by its key: a title would be a second name, which some generators prefer."""
    assert [] == [place for place, one in SCHEMAS.items() if "title" in one]


def test_answers_are_open() -> None:
    """No schema forbids further fields, so that a client of this version can read a later one's answers."""
    assert [] == [place for place, one in SCHEMAS.items() if one.get("additionalProperties") is False]


# What an answer may lack, by its model.
MAY_LACK = {
    "FoundRun": set(MODELS["FoundRun"]["properties"]),
    "FoundRuns": {"runs", "columns", "not_finite"},
    "FieldProblem": {"position"},
    "Problem": {"share_read"},
    "EventData": set(MODELS["EventData"]["properties"]),  # which it has depends on the name of the event
}


def test_fields_of_answers_are_required() -> None:
    """An answer has all of its fields but those that depend on what was asked for."""
    answers = {name: one for name, one in MODELS.items() if not name.endswith("Request")}
    for name, one in answers.items():
        lacking = set(one.get("properties", {})) - set(one.get("required", ()))
        assert MAY_LACK.get(name, set()) == lacking, name


def test_enumerations_have_names() -> None:
    """An enumeration of an answer is a model of its own, so that a client has one type for it."""
    enumerations = [place for place, one in SCHEMAS.items() if "enum" in one]
    assert {"#/components/schemas/RunStatus", "#/components/schemas/ProblemCode"} <= set(enumerations)
    inside = [
        place.removeprefix("#/components/schemas/") for place in enumerations if "/parameters/" not in place
    ]
    assert [] == [place for place in inside if place not in MODELS]


@pytest.mark.parametrize(
    ("field", "model"),
    [("params", "Params"), ("metrics", "Metrics"), ("tags", "Tags"), ("status", "RunStatus")],
)
def test_what_runs_share_has_a_name(field: str, model: str) -> None:
    """Each model of a run has the same named types, so that code for one fits the others."""
    name_a_run = {"LineageCompleteness", "RegisteredVersion"}
    runs = [
        one
        for name, one in MODELS.items()
        if {"run_id", field} <= one.get("properties", {}).keys() and name not in name_a_run
    ]
    assert 2 <= len(runs)
    assert [{"$ref": f"#/components/schemas/{model}"}] * len(runs) == [
        one["properties"][field] for one in runs
    ]


def test_every_model_is_described_and_used() -> None:
    """Each model has a description, and is referred to."""
    references = {one["$ref"].rpartition("/")[2] for one in SCHEMAS.values() if "$ref" in one}
    assert set(MODELS) == references
    assert [] == [name for name, one in MODELS.items() if not one.get("description")]


def test_codes_are_enumerated() -> None:
    """The code of every problem is one of the service's, or the one that only this problem has."""
    assert sorted({*codes()}) == MODELS["ProblemCode"]["enum"]
    own = {
        name: one["properties"]["code"]
        for name, one in MODELS.items()
        if name.endswith("Problem") and name != "FieldProblem"
    }
    assert {
        "Problem": {"$ref": "#/components/schemas/ProblemCode"},
        "InvalidProblem": {"type": "string", "const": "invalid_request"},
        "LineageProblem": {"type": "string", "const": "lineage_not_found"},
        "MissingRunsProblem": {"type": "string", "const": "run_not_found"},
    } == own


def test_headers_of_responses_have_schemas() -> None:
    """Each response has an X-Request-ID, and each header a type: numbers are integers."""
    responses = [
        response
        for methods in DOCUMENT["paths"].values()
        for operation in methods.values()
        for response in operation["responses"].values()
        if "$ref" not in response
    ]
    for response in [*responses, *COMPONENTS["responses"].values()]:
        assert "X-Request-ID" in response["headers"]
        for name, header in response["headers"].items():
            own = {**COMPONENTS["headers"][name], "required": False}  # an export has no ETag
            assert header in ({"$ref": f"#/components/headers/{name}"}, own)
    types = {name: one["schema"] for name, one in COMPONENTS["headers"].items()}
    assert {"type": "integer", "minimum": 0} == types.pop("Age")
    assert {"type": "integer", "minimum": 1} == types.pop("Retry-After")
    assert {"string"} == {one["type"] for one in types.values()}


def test_headers_of_requests_are_declared() -> None:
    """An operation declares what its route reads: ids always, conditions where there is an ETag."""
    names = {name: one["name"] for name, one in COMPONENTS["parameters"].items()}
    assert {"header"} == {one["in"] for one in COMPONENTS["parameters"].values()}
    traced = {"X-Request-ID", "X-Request-Timeout", "traceparent"}
    for route in DESCRIBED:
        described = DOCUMENT["paths"][route.path][route.method.lower()]["parameters"]
        declared = {names[one["$ref"].rpartition("/")[2]] for one in described if "$ref" in one}
        assert route.operation is not None
        expected = {"X-Request-ID"} if route.always_answered else set(traced)
        if route.operation.resumable:
            expected.add("Last-Event-ID")
        if route.operation.cached:
            expected |= {"Cache-Control", *(["If-None-Match"] if route.method == "GET" else [])}
        assert expected == declared, route.path
