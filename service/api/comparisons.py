"""Runs side by side."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from aiohttp import web

from service.api import examples, schemas
from service.api.answering import BASE, UPSTREAM_ERRORS, Answering
from service.api.parsing import BODY_ERRORS, json_body, memoized, parse_json, parse_query
from service.api.requests import CompareQuery, CompareRequest
from service.errors import InvalidRequest, RunsNotFound
from service.http.route import Content, Operation, Route, Tag
from service.tracking.questions import GetRun

TAG = Tag("comparisons", "Runs side by side: what differs between them, and which is best by each metric.")

_compared = schemas.projection(schemas.ComparedRun)


class Compared(msgspec.Struct, frozen=True, gc=False, cache_hash=True):
    """The runs that are compared, in their order; by it the comparison is kept."""

    questions: tuple[GetRun, ...]


class ComparisonRoutes:
    """The handlers of comparisons, and the routes that lead to them."""

    def __init__(self, answering: Answering) -> None:
        self._queries = answering.queries
        self._respond = answering.respond
        self._read_body = answering.read_body
        self._parse_body = memoized(_of_body)
        self._parse_query = memoized(_of_query)

    def routes(self) -> list[Route]:
        """One route for each handler below, in their order."""
        return [
            Route(
                method="GET",
                path=f"{BASE}/runs/compare",
                handler=self.get_comparison,
                operation=Operation(
                    id="getComparison",
                    tag=TAG,
                    summary="The same as compareRuns, with an address that can be kept and passed on",
                    query=CompareQuery,
                    answers={200: Content(schemas.Comparison, examples.COMPARISON)},
                    errors=(InvalidRequest, RunsNotFound, *UPSTREAM_ERRORS),
                    cached=True,
                ),
            ),
            Route(
                method="POST",
                path=f"{BASE}/runs/compare",
                handler=self.compare_runs,
                operation=Operation(
                    id="compareRuns",
                    tag=TAG,
                    summary="What differs between 2 to 10 runs, and which is best by each metric",
                    body=Content(CompareRequest, examples.COMPARE_REQUEST),
                    answers={200: Content(schemas.Comparison, examples.COMPARISON)},
                    errors=(*BODY_ERRORS, RunsNotFound, *UPSTREAM_ERRORS),
                    cached=True,
                ),
            ),
        ]

    async def get_comparison(self, request: web.BaseRequest, _path: Mapping[str, str]) -> web.StreamResponse:
        """The runs that the query names, compared."""
        return await self._compare(request, self._parse_query(request.rel_url.raw_query_string))

    async def compare_runs(self, request: web.BaseRequest, _path: Mapping[str, str]) -> web.StreamResponse:
        """The runs that the body names, compared."""
        return await self._compare(request, self._parse_body(await json_body(request, self._read_body)))

    async def _compare(self, request: web.BaseRequest, compared: Compared) -> web.StreamResponse:
        queries = self._queries(request)
        answer = await queries.together(compared.questions)
        runs = answer.value

        def comparison() -> Mapping[str, object]:
            diff = queries.compare(runs)
            return {
                "runs": [_compared(run) for run in runs],
                "metric_diff": diff.metric_diff,
                "param_diff": diff.param_diff,
            }

        return await self._respond(request, answer, compared, runs, comparison)


def _of_body(body: bytes) -> Compared:
    return Compared(tuple(map(GetRun, parse_json(CompareRequest, body).run_ids)))


def _of_query(query_string: str) -> Compared:
    return Compared(tuple(map(GetRun, parse_query(CompareQuery, query_string).run_id)))
