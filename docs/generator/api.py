"""docs/reference/api.md, from the OpenAPI document."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from generator.tables import REMARK, table
from service.api.openapi import openapi_document
from service.app import build
from service.http.problems import CONTENT_TYPE
from service.settings.load import Settings

API = """\
# API

This page shows the OpenAPI document, which the service serves at `/openapi.json`, and at `/docs` as a page
to try it out. The runs in the examples are made up. [The fine print](contract.md) says what holds beyond
it, and [errors](errors.md) lists the codes.
"""


def api_page() -> str:
    """Every route of the OpenAPI document, with its parameters, its answers and an example."""
    document = openapi_document(build(Settings(create_experiment=False), "http://mlflow").routes)
    parts = [REMARK.format(source="the OpenAPI document, service/api/"), API]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            parts.append(_operation(document, method.upper(), path, operation))
    components = document["components"]
    parts.append(_headers("Request headers", components.get("parameters", {})))
    parts.append(_headers("Response headers", components.get("headers", {})))
    parts.append("\n## Shapes\n")
    for name, shape in components["schemas"].items():
        parts.append(_shape(name, shape))
    return "".join(parts)


def _operation(document: Mapping[str, Any], method: str, path: str, operation: Mapping[str, Any]) -> str:
    text = f"\n## {method} {path}\n\n{operation['summary'].rstrip('.')}.\n"
    if "description" in operation:
        text += f"\n{operation['description']}\n"
    rows = [
        (f"`{one['name']}`", str(one["in"]), _type(one["schema"]), str(one.get("description", "")))
        for one in operation.get("parameters", ())
        if "$ref" not in one  # the headers that routes share stand in a table of their own
    ]
    if rows:
        text += "\n" + table(("parameter", "in", "type", "meaning"), rows)
    responses = {status: _resolved(document, response) for status, response in operation["responses"].items()}
    good = [
        status for status, response in responses.items() if CONTENT_TYPE not in response.get("content", ())
    ]
    answers = [
        (status, _content(responses[status]), responses[status]["description"]) for status in sorted(good)
    ]
    text += "\n" + table(("status", "body", "meaning"), answers)
    if bad := sorted(responses.keys() - set(good)):
        text += f"\nErrors: {', '.join(bad)}; see [errors](errors.md).\n"
    text += "\n<!-- not run: its runs are made up; the tutorial has such a request on real ones -->\n"
    address = path.replace("{run_id}", "abc123def456") + _query(operation)
    text += "```sh\ncurl "
    if "text/event-stream" in responses["200"]["content"]:  # which is what */* gets
        text += "-H 'Accept: application/json' "
    text += f"'http://127.0.0.1:8080{address}'"
    if "requestBody" in operation:
        body = json.dumps(_example(operation["requestBody"]))
        text += f" \\\n  -H 'Content-Type: application/json' -d '{body}'"
    return text + f"\n```\n\n```json\n{json.dumps(_example(responses['200']), indent=2)}\n```\n"


def _query(operation: Mapping[str, Any]) -> str:
    """The query of the example: the parameters that have to be there."""
    needed = [
        (one["name"], one["example"])
        for one in operation.get("parameters", ())
        if one.get("in") == "query" and one.get("required")
    ]
    return f"?{urlencode(needed, doseq=True)}" if needed else ""


def _headers(title: str, headers: Mapping[str, Any]) -> str:
    """What is said of headers that several routes have."""
    rows = [
        (f"`{one.get('name', name)}`", _type(one["schema"]), one["description"])
        for name, one in headers.items()
    ]
    return f"\n## {title}\n\n{table(('header', 'type', 'meaning'), rows)}" if rows else ""


def _resolved(document: Mapping[str, Any], value: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a reference stands for."""
    found: Any = value
    while "$ref" in found:
        target = found["$ref"].removeprefix("#/").split("/")
        found = document
        for part in target:
            found = found[part]
    return dict(found)


def _content(part: Mapping[str, Any]) -> str:
    return ", ".join(_type(content["schema"]) for content in part.get("content", {}).values())


def _example(part: Mapping[str, Any]) -> Any:
    content = next(iter(part["content"].values()))
    if "example" in content:
        return content["example"]
    return next(iter(content["examples"].values()))["value"]


def _shape(name: str, shape: Mapping[str, Any]) -> str:
    text = f"\n### {name}\n\n{shape.get('description', '')}\n"
    required = shape.get("required", ())
    rows = [
        (f"`{field}`" + ("" if field in required else " (optional)"), _type(one), one.get("description", ""))
        for field, one in shape.get("properties", {}).items()
    ]
    if rows:
        return text + "\n" + table(("member", "type", "meaning"), rows)
    return text + f"\nType: {_type(shape)}.\n"


def _type(schema: Mapping[str, Any]) -> str:
    """A schema in a few words; a shape of its own as a link."""
    match schema:
        case {"$ref": reference}:
            name = reference.rsplit("/", 1)[-1]
            words = f"[{name}](#{name.lower()})"
        case {"anyOf": options} | {"oneOf": options} | {"allOf": options}:
            words = " or ".join(_type(option) for option in options)
        case {"enum": options}:
            words = ", ".join(f"`{option}`" for option in options)
        case {"const": value}:
            words = f"`{value}`"
        case {"type": "array", "items": items}:
            words = f"list of {_type(items)}"
        case {"type": "object", "additionalProperties": dict() as values}:
            words = f"object of {_type(values)}"
        case {"type": list() as types}:
            words = " or ".join(types)
        case _:
            words = str(schema.get("type", "any"))
    return words
