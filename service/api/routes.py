"""The six routes of the tracking API: parse, ask one query, respond."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec
from aiohttp import hdrs, web
from pydantic import BaseModel, ValidationError

from service.api import schemas
from service.errors import FieldError, InvalidRequest, RunsNotFound
from service.http.body import BodyReader
from service.http.errors import MalformedBody, UnsupportedMediaType
from service.http.representations import Representations
from service.http.route import Route
from service.tracking.queries import TrackingQueries
from service.tracking.runs import Run

BASE = "/api/v1/tracking"

_MEMORABLE = 2_048  # characters of a query or bytes of a body

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T", str, bytes)
R = TypeVar("R")

_summary = schemas.projection(schemas.RunSummary)
_detail = schemas.projection(schemas.RunDetail)
_compared = schemas.projection(schemas.ComparedRun)
_experiment = schemas.projection(schemas.Experiment)


class TrackingRoutes:
    """The handlers, over the queries they ask and the representations they answer with.

    anew: the queries for callers who want MLflow's own word (Cache-Control: no-cache).
    """

    def __init__(
        self,
        queries: TrackingQueries,
        anew: TrackingQueries,
        representations: Representations,
        read_body: BodyReader,
    ) -> None:
        self._remembering = queries
        self._anew = anew
        self._respond = representations.respond
        self._read_body = read_body
        self._list_query = _remembering(_list_query)
        self._compare_body = _remembering(_compare_body)

    def table(self) -> list[Route]:
        """The routes."""
        return [
            Route(method="GET", path=f"{BASE}/runs/{{run_id}}", handler=self.run),
            Route(method="GET", path=f"{BASE}/runs", handler=self.runs),
            Route(method="GET", path=f"{BASE}/runs/{{run_id}}/metrics", handler=self.metrics),
            Route(method="GET", path=f"{BASE}/runs/{{run_id}}/params", handler=self.params),
            Route(method="POST", path=f"{BASE}/runs/compare", handler=self.compare),
            Route(method="GET", path=f"{BASE}/experiments", handler=self.experiments),
        ]

    async def runs(self, request: web.BaseRequest, _parameters: Mapping[str, str]) -> web.StreamResponse:
        """GET /runs"""
        run_type, strategy_id, limit = self._list_query(request.rel_url.raw_query_string)
        reading = await self._queries(request).runs(run_type=run_type, strategy_id=strategy_id, limit=limit)
        runs = reading.value
        return await self._respond(
            request,
            reading,
            ("runs", run_type, strategy_id, limit),
            (runs,),
            lambda: {"runs": [_summary(run) for run in runs], "total": len(runs)},
        )

    async def run(self, request: web.BaseRequest, parameters: Mapping[str, str]) -> web.StreamResponse:
        """GET /runs/{run_id}"""
        run_id = parameters["run_id"]
        reading = await self._queries(request).run(run_id)
        run = reading.value
        if run is None:
            raise RunsNotFound([run_id])
        return await self._respond(request, reading, ("run", run_id), (run,), lambda: _detail(run))

    async def metrics(self, request: web.BaseRequest, parameters: Mapping[str, str]) -> web.StreamResponse:
        """GET /runs/{run_id}/metrics"""
        return await self._part(request, parameters["run_id"], "metrics")

    async def params(self, request: web.BaseRequest, parameters: Mapping[str, str]) -> web.StreamResponse:
        """GET /runs/{run_id}/params"""
        return await self._part(request, parameters["run_id"], "params")

    async def compare(self, request: web.BaseRequest, _parameters: Mapping[str, str]) -> web.StreamResponse:
        """POST /runs/compare"""
        if request.content_type != "application/json":
            raise UnsupportedMediaType("The body must be application/json.")
        if request.headers.get(hdrs.CONTENT_ENCODING, "identity") != "identity":
            raise UnsupportedMediaType("The body must not be compressed.")
        body = await self._read_body(request)
        run_ids = self._compare_body(body)
        reading = await self._queries(request).together(run_ids)
        runs = reading.value
        return await self._respond(
            request, reading, ("compare", run_ids), runs, lambda: self._comparison(runs)
        )

    async def experiments(
        self, request: web.BaseRequest, _parameters: Mapping[str, str]
    ) -> web.StreamResponse:
        """GET /experiments"""
        reading = await self._queries(request).experiments()
        found = reading.value
        return await self._respond(
            request,
            reading,
            ("experiments",),
            (found,),
            lambda: {"experiments": [_experiment(one) for one in found]},
        )

    def _queries(self, request: web.BaseRequest) -> TrackingQueries:
        wanted = request.headers.get(hdrs.CACHE_CONTROL)
        return self._remembering if wanted is None or "no-cache" not in wanted.lower() else self._anew

    async def _part(self, request: web.BaseRequest, run_id: str, part: str) -> web.StreamResponse:
        reading = await self._queries(request).run(run_id)
        run = reading.value
        of = () if run is None else (run,)
        return await self._respond(
            request,
            reading,
            (part, run_id),
            of,
            lambda: {"run_id": run_id, part: {} if run is None else getattr(run, part)},
        )

    def _comparison(self, runs: Sequence[Run]) -> dict[str, object]:
        comparison = self._remembering.compare(runs)
        return {
            "runs": [_compared(run) for run in runs],
            "metric_diff": comparison.metric_diff,
            "param_diff": comparison.param_diff,
        }


def _remembering(parse: Callable[[T], R]) -> Callable[[T], R]:
    """Pages ask the same again and again: what was parsed is remembered, where it is valid and short."""
    recall = lru_cache(maxsize=1_024)(parse)

    def parsed(text: T) -> R:
        return recall(text) if len(text) <= _MEMORABLE else parse(text)

    return parsed


def _list_query(query_string: str) -> tuple[str | None, str | None, int]:
    given: dict[str, str] = {}
    for name, value in parse_qsl(query_string, keep_blank_values=True):
        given.setdefault(name, value)
    query = _validate(schemas.RunListQuery, given, "query")
    return query.run_type or None, query.strategy_id or None, query.limit  # an empty value is no filter


def _compare_body(body: bytes) -> tuple[str, ...]:
    try:
        given = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedBody("The body is not valid JSON.") from error
    return tuple(_validate(schemas.CompareRequest, given, "body").run_ids)


def _validate(model: type[M], given: Any, where: str) -> M:
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise InvalidRequest(
            [
                FieldError(
                    ".".join([where, *(str(part) for part in found["loc"])]),
                    found["msg"].removeprefix("Value error, "),
                )
                for found in error.errors(include_url=False, include_context=False, include_input=False)
            ]
        ) from None
