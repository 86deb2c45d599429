"""Runs: the list, one run, and its metrics and hyperparameters alone."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from service.api import examples, schemas
from service.api.answering import BASE, UPSTREAM_ERRORS, Answering
from service.api.links import link_line
from service.api.pages import page_of
from service.api.parsing import memoized
from service.api.requests import RunListQuery
from service.errors import InvalidRequest, RunsNotFound
from service.http.representations import WithLines
from service.http.route import Content, Operation, PathParameter, Route, Tag

_TAG = Tag("runs", "Runs of an experiment, and each run by its id.")
_RUN_ID = PathParameter("run_id", "The MLflow run id.", "abc123def456")

_summary = schemas.projection(schemas.RunSummary)
_detail = schemas.projection(schemas.RunDetail)


class RunRoutes:
    """The handlers of runs, and the routes that lead to them."""

    def __init__(self, answering: Answering) -> None:
        self._queries = answering.queries
        self._respond = answering.respond
        self._parse_query = memoized(page_of)

    def routes(self) -> list[Route]:
        """One route for each handler below, in their order."""
        return [
            Route(
                method="GET",
                path=f"{BASE}/runs",
                handler=self.list_runs,
                operation=Operation(
                    id="listRuns",
                    tag=_TAG,
                    summary="List and search runs of the default experiment, newest start first",
                    query=RunListQuery,
                    answers={200: Content(schemas.RunList, examples.RUN_LIST)},
                    errors=(InvalidRequest, *UPSTREAM_ERRORS),
                    cached=True,
                    paged=True,
                ),
            ),
            Route(
                method="GET",
                path=f"{BASE}/runs/{{run_id}}",
                handler=self.get_run,
                operation=Operation(
                    id="getRun",
                    tag=_TAG,
                    summary="Everything about one run",
                    path_parameters=(_RUN_ID,),
                    answers={200: Content(schemas.RunDetail, examples.RUN_DETAIL)},
                    errors=(RunsNotFound, *UPSTREAM_ERRORS),
                    cached=True,
                ),
            ),
            Route(
                method="GET",
                path=f"{BASE}/runs/{{run_id}}/metrics",
                handler=self.get_metrics,
                operation=Operation(
                    id="getRunMetrics",
                    tag=_TAG,
                    summary="A run's metrics; none where the run does not exist",
                    path_parameters=(_RUN_ID,),
                    answers={200: Content(schemas.RunMetrics, examples.RUN_METRICS)},
                    errors=UPSTREAM_ERRORS,
                    cached=True,
                ),
            ),
            Route(
                method="GET",
                path=f"{BASE}/runs/{{run_id}}/params",
                handler=self.get_params,
                operation=Operation(
                    id="getRunParams",
                    tag=_TAG,
                    summary="A run's hyperparameters; none where the run does not exist",
                    path_parameters=(_RUN_ID,),
                    answers={200: Content(schemas.RunParams, examples.RUN_PARAMS)},
                    errors=UPSTREAM_ERRORS,
                    cached=True,
                ),
            ),
        ]

    async def list_runs(self, request: web.BaseRequest, _path: Mapping[str, str]) -> web.StreamResponse:
        """The page of runs that the query asks for."""
        page = self._parse_query(request.rel_url.raw_query_string)
        answer = await self._queries(request).runs(
            run_type=page.run_type,
            strategy_id=page.strategy_id,
            limit=page.limit,
            experiment_id=page.experiment_id,
            after=page.after,
        )
        runs = answer.value

        def body() -> WithLines:
            shown = runs[: page.limit]
            value = {"runs": [_summary(run) for run in shown], "total": len(shown)}
            return WithLines(value, link_line(request, page.parameters(), page.cursor(runs), "cursor"))

        return await self._respond(request, answer, page, (runs,), body)

    async def get_run(self, request: web.BaseRequest, path: Mapping[str, str]) -> web.StreamResponse:
        """The run of this id."""
        run_id = path["run_id"]
        answer = await self._queries(request).run(run_id)
        run = answer.value
        if run is None:
            raise RunsNotFound([run_id])
        return await self._respond(request, answer, ("run", run_id), (run,), lambda: _detail(run))

    async def get_metrics(self, request: web.BaseRequest, path: Mapping[str, str]) -> web.StreamResponse:
        """The run's metrics."""
        return await self._part(request, path["run_id"], "metrics")

    async def get_params(self, request: web.BaseRequest, path: Mapping[str, str]) -> web.StreamResponse:
        """The run's hyperparameters."""
        return await self._part(request, path["run_id"], "params")

    async def _part(self, request: web.BaseRequest, run_id: str, part: str) -> web.StreamResponse:
        answer = await self._queries(request).run(run_id)
        run = answer.value
        return await self._respond(
            request,
            answer,
            (part, run_id),
            () if run is None else (run,),
            lambda: {"run_id": run_id, part: {} if run is None else getattr(run, part)},
        )
