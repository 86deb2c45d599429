"""The OpenAPI 3.1 document, derived from the routes and from the models of the contract."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from pydantic import BaseModel

from service import __version__, errors
from service.api import headers, lineage_schemas, schemas
from service.api.examples import PROBLEMS, REQUEST_ID
from service.api.json_schemas import components, query_parameters, reference
from service.http import errors as http_errors
from service.http.problems import CONTENT_TYPE, problem_body, status_of
from service.http.route import Access, Content, Operation, PathParameter, Route

Described = tuple[Route, Operation]
Errors = Sequence[type[errors.TrackingError]]

# What any route may answer, whatever its handler does.
_OF_ANY_ROUTE: Errors = (
    http_errors.UnreadableRequest,
    http_errors.ExpectationFailed,
    http_errors.InternalError,
)
_OF_AUTHENTICATION: Errors = (errors.Unauthenticated, errors.Forbidden, errors.AuthUnavailable)
_MODELS: Mapping[type[errors.TrackingError], type[BaseModel]] = {
    errors.InvalidRequest: schemas.InvalidProblem,
    errors.RunsNotFound: schemas.MissingRunsProblem,
    errors.LineageNotFound: lineage_schemas.LineageProblem,
}
# How callers authenticate, by the mode of authentication; in every other mode nobody is asked to.
_SECURITY_SCHEMES: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "api_key": {
        "bearer": {"type": "http", "scheme": "bearer", "description": "An API key."},
        "api_key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "An API key."},
    },
    "jwt": {
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "A JSON Web Token of the issuer that this service trusts.",
        },
    },
}


def openapi_document(routes: Iterable[Route], auth: str = "none") -> dict[str, Any]:
    """The document of these routes, made anew.

    auth: how the service authenticates callers: none, api_key or jwt. A route without an operation is not in
    the document.
    """
    described = [(route, route.operation) for route in routes if route.operation is not None]
    schemes = _SECURITY_SCHEMES.get(auth, {})
    tags = {operation.tag.name: operation.tag for _, operation in described}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Experiment Tracking API",
            "version": __version__,
            "description": "Runs, lineage and comparisons of an MLflow tracking server, for frontends.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        # Relative to where this document is: the paths below stand beside it, also behind a proxy's prefix.
        "servers": [{"url": ".", "description": "where this document is"}],
        "tags": [{"name": tag.name, "description": tag.description} for tag in tags.values()],
        "security": [{name: []} for name in schemes],
        "paths": _paths(described),
        "components": {
            "schemas": components(
                _models(described), [operation.body.model for _, operation in described if operation.body]
            ),
            "responses": _shared_responses(described),
            "parameters": headers.PARAMETERS,
            "headers": headers.HEADERS,
            **({"securitySchemes": schemes} if schemes else {}),
        },
    }


def openapi_json(routes: Iterable[Route], auth: str) -> bytes:
    """The document as callers get it."""
    return json.dumps(openapi_document(routes, auth)).encode()


def errors_of(route: Route) -> Errors:
    """Every class of error that the route may answer, by its own handler or before it."""
    own = () if route.operation is None else route.operation.errors
    before = () if route.always_answered else (http_errors.Overloaded,)
    auth = () if route.access is Access.OPEN else _OF_AUTHENTICATION
    return (*_OF_ANY_ROUTE, *own, *auth, *before)


def _paths(described: Sequence[Described]) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for route, operation in described:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, operation)
    return paths


def _operation(route: Route, operation: Operation) -> dict[str, Any]:
    members = {
        "operationId": operation.id,
        "tags": [operation.tag.name],
        "summary": operation.summary,
        "parameters": [
            *map(_path_parameter, operation.path_parameters),
            *([] if operation.query is None else query_parameters(operation.query)),
            *headers.of_request(route, operation),
        ],
        "requestBody": operation.body and {"required": True, "content": _json(operation.body)},
        "responses": {str(status): response for status, response in _responses(route, operation).items()},
    }
    open_to_all: dict[str, Any] = {"security": []} if route.access is Access.OPEN else {}
    return {**{name: value for name, value in members.items() if value}, **open_to_all}


def _responses(route: Route, operation: Operation) -> dict[int, dict[str, Any]]:
    """The responses of an operation by status, good ones first."""
    answer_headers = headers.of_answer(route, operation)
    responses: dict[int, dict[str, Any]] = {
        status: {"description": content.description, "headers": answer_headers, "content": _json(content)}
        for status, content in operation.answers.items()
    }
    if operation.cached and route.method == "GET":
        description = "The caller has this answer already: its ETag is in If-None-Match."
        responses[304] = {"description": description, "headers": answer_headers}
    for status, classes in _problems(route, operation):
        responses[status] = {"$ref": f"#/components/responses/{_name(classes)}"}
    return responses


def _problems(route: Route, operation: Operation) -> Iterator[tuple[int, Errors]]:
    """The errors that an operation may answer, by status."""
    for status, classes in groupby(sorted(errors_of(route), key=status_of), status_of):
        if status not in operation.answers:
            yield status, tuple(classes)


def _shared_responses(described: Sequence[Described]) -> dict[str, Any]:
    """The responses that operations refer to: one for each group of errors that an operation may answer."""
    groups = {
        _name(group): group for route, operation in described for _, group in _problems(route, operation)
    }
    return {name: _problem(groups[name]) for name in sorted(groups)}


def _name(classes: Errors) -> str:
    return "Or".join(error.__name__ for error in classes)


def _problem(classes: Errors) -> dict[str, Any]:
    """The response for all errors of a group, which have one status."""
    models = dict.fromkeys(_MODELS.get(error, schemas.Problem) for error in classes)
    references = [reference(model) for model in models]
    return {
        "description": "; ".join(f"{error.title} (`{error.code}`)" for error in classes),
        "headers": headers.of_problems([PROBLEMS[error] for error in classes]),
        "content": {
            CONTENT_TYPE: {
                "schema": references[0] if len(references) == 1 else {"anyOf": references},
                "examples": {
                    error.code: {"summary": error.title, "value": problem_body(PROBLEMS[error], REQUEST_ID)}
                    for error in classes
                },
            }
        },
    }


def _path_parameter(parameter: PathParameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": "path",
        "required": True,
        "description": parameter.description,
        "schema": {"type": "string"},
        "example": parameter.example,
    }


def _json(content: Content) -> dict[str, Any]:
    return {
        "application/json": {"schema": reference(content.model), "example": content.example},
        **{
            media_type: {"schema": {"type": "string"}, "example": example}
            for media_type, example in content.texts.items()
        },
    }


def _models(described: Iterable[Described]) -> list[type]:
    answers = [content.model for _, operation in described for content in operation.answers.values()]
    return list(dict.fromkeys([*answers, schemas.Problem, *_MODELS.values()]))
