"""The OpenAPI 3.1 document, generated from the models of the contract, and the page that shows it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiohttp import web
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from service import __version__, errors
from service.api import examples, schemas
from service.api.routes import BASE
from service.http import errors as http_errors
from service.http.handler import Handler
from service.http.problems import CONTENT_TYPE, problem_body, status_of
from service.http.route import Access, Route
from service.http.security import DOCS_POLICY

STATIC = Path(__file__).parent / "static"
_ASSETS = [STATIC / "start.js", *sorted((STATIC / "swagger-ui").iterdir())]

_REF = "#/components/schemas/{model}"
_RESPONSES: tuple[type[BaseModel], ...] = (
    schemas.RunList,
    schemas.RunDetail,
    schemas.RunMetrics,
    schemas.RunParams,
    schemas.Comparison,
    schemas.ExperimentList,
    schemas.Liveness,
    schemas.Readiness,
    schemas.Problem,
    schemas.InvalidProblem,
    schemas.MissingRunsProblem,
)
_ERRORS: Mapping[int, str] = {
    400: "The request cannot be read.",
    401: "The caller is not known: no credential, or not a good one.",
    403: "The caller is known, and may not read runs.",
    404: "MLflow says that the run, or one of them, does not exist.",
    405: "The method is not one of this resource.",
    408: "The request body does not arrive in time.",
    413: "The request body is too large.",
    415: "The request body is not application/json.",
    422: "A value of the request is not allowed.",
    500: "A defect of the service.",
    502: "MLflow cannot be reached, failed, refuses the service, or answers more than is read.",
    503: "MLflow, or the service on its behalf, takes no more requests for now; Retry-After says when to.",
    504: "MLflow did not answer in time.",
}
_MODEL_OF_ERROR: Mapping[int, type[BaseModel]] = {
    404: schemas.MissingRunsProblem,
    422: schemas.InvalidProblem,
}
_UPSTREAM = (401, 403, 500, 502, 503, 504)
_RUN_ID = {
    "name": "run_id",
    "in": "path",
    "required": True,
    "description": "The MLflow run id.",
    "schema": {"type": "string"},
    "example": "abc123def456",
}
_READY = {"status": "ready", "upstream": "ok", "breaker": "closed", "experiment": "ok"}
# How callers say who they are, by the mode that tells them apart; in every other mode nobody is asked.
_SECURITY_SCHEMES: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "api_key": {
        "bearer": {"type": "http", "scheme": "bearer", "description": "An API key."},
        "api_key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
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
_HEADERS = {
    "ETag": "Strong validator of this answer; send it back as If-None-Match.",
    "Age": "Seconds since the answer came from MLflow.",
    "Cache-Status": "How the service came by the answer (RFC 9211).",
    "X-Request-ID": "The request's id: the caller's own, where well formed, else a new one.",
}


def openapi_document(auth: str = "none") -> dict[str, Any]:
    """The document, made anew. auth: how the service tells callers apart: none, api_key or jwt."""
    schemes = _SECURITY_SCHEMES.get(auth, {})
    open_to_all: dict[str, Any] = {"security": []} if schemes else {}
    definitions = models_json_schema(
        [*((model, "serialization") for model in _RESPONSES), (schemas.CompareRequest, "validation")],
        ref_template=_REF,
    )[1]["$defs"]
    tracking, health = ["tracking"], ["health"]
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
        "paths": {
            f"{BASE}/runs": {
                "get": {
                    "operationId": "listRuns",
                    "tags": tracking,
                    "summary": "List and search runs of the default experiment, newest start first",
                    "parameters": _query_parameters(schemas.RunListQuery),
                    "responses": _responses(schemas.RunList, examples.RUN_LIST, 422, *_UPSTREAM),
                }
            },
            f"{BASE}/runs/{{run_id}}": {
                "get": {
                    "operationId": "getRun",
                    "tags": tracking,
                    "summary": "Everything about one run",
                    "parameters": [_RUN_ID],
                    "responses": _responses(schemas.RunDetail, examples.RUN_DETAIL, 404, *_UPSTREAM),
                }
            },
            f"{BASE}/runs/{{run_id}}/metrics": {
                "get": {
                    "operationId": "getRunMetrics",
                    "tags": tracking,
                    "summary": "A run's metrics; none where the run does not exist",
                    "parameters": [_RUN_ID],
                    "responses": _responses(schemas.RunMetrics, examples.RUN_METRICS, *_UPSTREAM),
                }
            },
            f"{BASE}/runs/{{run_id}}/params": {
                "get": {
                    "operationId": "getRunParams",
                    "tags": tracking,
                    "summary": "A run's hyperparameters; none where the run does not exist",
                    "parameters": [_RUN_ID],
                    "responses": _responses(schemas.RunParams, examples.RUN_PARAMS, *_UPSTREAM),
                }
            },
            f"{BASE}/runs/compare": {
                "post": {
                    "operationId": "compareRuns",
                    "tags": tracking,
                    "summary": "What differs between 2 to 10 runs, and which is best by each metric",
                    "requestBody": {
                        "required": True,
                        "content": {
                            "application/json": {
                                "schema": _ref(schemas.CompareRequest),
                                "example": examples.COMPARE_REQUEST,
                            }
                        },
                    },
                    "responses": _responses(
                        schemas.Comparison, examples.COMPARISON, 400, 404, 408, 413, 415, 422, *_UPSTREAM
                    ),
                }
            },
            f"{BASE}/experiments": {
                "get": {
                    "operationId": "listExperiments",
                    "tags": tracking,
                    "summary": "Every active experiment, oldest first",
                    "responses": _responses(schemas.ExperimentList, examples.EXPERIMENTS, *_UPSTREAM),
                }
            },
            "/livez": {
                "get": {
                    "operationId": "livez",
                    **open_to_all,
                    "tags": health,
                    "summary": "The process answers; MLflow is not asked",
                    "responses": _responses(schemas.Liveness, {"status": "alive"}),
                }
            },
            "/readyz": {
                "get": {
                    "operationId": "readyz",
                    **open_to_all,
                    "tags": health,
                    "summary": "Whether this replica takes requests, and how MLflow was at the last look",
                    "responses": {
                        "200": _ok(schemas.Readiness, _READY),
                        "503": _ok(schemas.Readiness, {**_READY, "status": "draining"}, "About to stop"),
                    },
                }
            },
        },
        **({"security": [{name: []} for name in schemes]} if schemes else {}),
        "components": {"schemas": definitions, **({"securitySchemes": schemes} if schemes else {})},
    }


class DocumentationRoutes:
    """/openapi.json and /docs. auth: how the service tells callers apart: none, api_key or jwt."""

    def __init__(self, auth: str) -> None:
        self._document = json.dumps(openapi_document(auth)).encode()

    def table(self) -> list[Route]:
        """The routes of the documentation."""
        # File by file: what is not listed is no route, and no path can name anything else.
        files = {f"/docs/{file.relative_to(STATIC).as_posix()}": _file(file) for file in _ASSETS}
        handlers: dict[str, Handler] = {
            "/openapi.json": self.document,
            "/docs": _file(STATIC / "index.html", {"Content-Security-Policy": DOCS_POLICY}),
            **files,
        }
        return [
            Route(method="GET", path=path, handler=handler, access=Access.DOCS)
            for path, handler in handlers.items()
        ]

    async def document(self, _request: web.BaseRequest, _parameters: Mapping[str, str]) -> web.Response:
        """The OpenAPI document."""
        return web.Response(body=self._document, content_type="application/json")


def _file(file: Path, headers: Mapping[str, str] | None = None) -> Handler:
    async def send(_request: web.BaseRequest, _parameters: Mapping[str, str]) -> web.FileResponse:
        return web.FileResponse(file, headers=headers)

    return send


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": _REF.format(model=model.__name__)}


def _ok(model: type[BaseModel], example: Mapping[str, Any], description: str = "OK") -> dict[str, Any]:
    content = {"application/json": {"schema": _ref(model), "example": example}}
    return {"description": description, "content": content}


def _responses(model: type[BaseModel], example: Mapping[str, Any], *statuses: int) -> dict[str, Any]:
    headers = {
        name: {"description": text, "schema": {"type": "string"}}
        for name, text in (_HEADERS.items() if statuses else ())
    }
    good = {**_ok(model, example), **({"headers": headers} if headers else {})}
    not_modified = {"304": {"description": "The caller already has this answer (If-None-Match)."}}
    return {
        "200": good,
        **(not_modified if statuses else {}),
        **{str(status): _problem(status) for status in statuses},
    }


def _problem(status: int) -> dict[str, Any]:
    model = _MODEL_OF_ERROR.get(status, schemas.Problem)
    problem: dict[str, Any] = {
        "description": _ERRORS[status],
        "content": {CONTENT_TYPE: {"schema": _ref(model), "example": _example(status)}},
    }
    if status in {status_of(errors.Unauthenticated), status_of(errors.Forbidden)}:
        problem["headers"] = {
            "WWW-Authenticate": {"description": "How to say who one is.", "schema": {"type": "string"}}
        }
    if status == status_of(errors.UpstreamUnavailable):
        problem["headers"] = {
            "Retry-After": {"description": "Whole seconds.", "schema": {"type": "integer", "minimum": 1}}
        }
    return problem


def _example(status: int) -> dict[str, object]:
    error: errors.TrackingError = {
        400: http_errors.MalformedBody("The body is not valid JSON."),
        401: errors.Unauthenticated("A credential is needed."),
        403: errors.Forbidden("The token does not grant reading runs."),
        404: errors.RunsNotFound(["abc123def456"]),
        408: http_errors.BodyTimeout("The request body did not arrive in time."),
        413: http_errors.BodyTooLarge("The request body is too large."),
        415: http_errors.UnsupportedMediaType("The body must be application/json."),
        422: errors.InvalidRequest([errors.FieldError("query.limit", "must be an integer")]),
        500: http_errors.InternalError("The service failed; its log says why."),
        502: errors.UpstreamError(""),
        503: errors.UpstreamUnavailable(""),
        504: errors.UpstreamTimeout(""),
    }[status]
    return problem_body(error, "4bf92f3577b34da6a3ce929d0e0e4736")


def _query_parameters(model: type[BaseModel]) -> list[dict[str, Any]]:
    properties = model.model_json_schema()["properties"]
    parameters = []
    for name, schema in properties.items():
        description = schema.pop("description")
        # A query has no null: what is left out is not there.
        options = [option for option in schema.pop("anyOf", [schema]) if option["type"] != "null"]
        parameters.append({"name": name, "in": "query", "description": description, "schema": options[0]})
    return parameters
