"""Holds each response that a test's client gets to the OpenAPI document."""

import gzip
import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from aiohttp import ClientHandlerType, ClientRequest, ClientResponse
from jsonschema import Draft202012Validator  # type: ignore[import-untyped] # it has no types of its own

from service.http.route import Route
from tests.api.document import DESCRIBED, closed_document

# Each described route with the paths that are its own; those without parameters come first.
PATHS = [
    (re.compile(re.sub(r"\{\w+\}", "[^/]+", route.path)), route)
    for route in sorted(DESCRIBED, key=lambda route: "{" in route.path)
]
GZIP = b"\x1f\x8b"
OF_NO_OPERATION = {"not_found", "method_not_allowed"}
DOCUMENT = closed_document()
PROBLEM = {"$ref": "#/components/schemas/Problem"}


class Response(NamedTuple):
    """What a caller got. path: as it was sent, without the query. headers: names in lower case."""

    method: str
    path: str
    status: int
    headers: Mapping[str, str]
    body: bytes


class Conformance:
    """Checks responses, and remembers those that it saw, as pairs of operationId and status."""

    def __init__(self) -> None:
        self.seen: set[tuple[str, int]] = set()

    async def middleware(self, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        """A middleware of aiohttp's client: the response, once it is checked."""
        response = await handler(request)
        headers = {name.lower(): value for name, value in response.headers.items()}
        body = await response.read()
        if body.startswith(GZIP):  # a client that does not decompress
            body = gzip.decompress(body)
        self.check(Response(request.method, request.url.raw_path, response.status, headers, body))
        return response

    def check(self, response: Response) -> None:
        """AssertionError or ValidationError where the document describes another response."""
        route = route_of(response.method, response.path)
        if route is None or code_of(response) in OF_NO_OPERATION:
            self._check_outside(response)
            return
        operation = DOCUMENT["paths"][route.path][route.method.lower()]
        described = operation["responses"].get(str(response.status))
        assert described is not None, f"{operation['operationId']} has no {response.status}"
        self.seen.add((operation["operationId"], response.status))
        described = resolved(described)
        self._check_headers(described["headers"], response)
        if "content" not in described:
            assert b"" == response.body
        elif response.method != "HEAD":
            media_type = response.headers["content-type"].partition(";")[0]
            content = described["content"][media_type]
            is_json = media_type.endswith("json")
            validate(content["schema"], json.loads(response.body) if is_json else response.body.decode())

    def _check_outside(self, response: Response) -> None:
        """A response of no operation: an error, or of a route that the document leaves out."""
        if response.status >= 400 and response.body:
            assert "application/problem+json" == response.headers["content-type"]
            validate(PROBLEM, json.loads(response.body))

    def _check_headers(self, described: Mapping[str, Any], response: Response) -> None:
        for name, header in described.items():
            value = response.headers.get(name.lower())
            schema = resolved(header)["schema"]
            if value is not None:
                validate(schema, int(value) if schema["type"] == "integer" else value)
            else:
                assert not resolved(header)["required"], (response.status, name)


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    """A part of the document, or what its reference refers to."""
    if "$ref" not in node:
        return node
    found = DOCUMENT
    for part in node["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return found


def validate(schema: Mapping[str, Any], value: object) -> None:
    """ValidationError where the value does not fit the schema."""
    validator(json.dumps(schema)).validate(value)


@cache
def validator(schema: str) -> Draft202012Validator:
    """What validates by a schema of the document, which is given as JSON."""
    return Draft202012Validator({**json.loads(schema), "components": DOCUMENT["components"]})


def route_of(method: str, path: str) -> Route | None:
    """The described route of a request; None where there is none."""
    own = "GET" if method == "HEAD" else method
    return next((route for pattern, route in PATHS if route.method == own and pattern.fullmatch(path)), None)


def code_of(response: Response) -> str | None:
    """The code of an error; None for another answer, and for one without a body."""
    if not response.body or response.headers.get("content-type") != "application/problem+json":
        return None
    return str(json.loads(response.body)["code"])
