"""Runs side by side."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from service.api import examples, schemas
from service.api.answering import BASE, UPSTREAM_ERRORS, Answering
from service.api.parsing import BODY_ERRORS, json_body, memoized, parse_json
from service.errors import RunsNotFound
from service.http.route import Content, Operation, Route, Tag
from service.tracking.questions import GetRun

_TAG = Tag("comparisons", "Runs side by side: what differs between them, and which is best by each metric.")

_compared = schemas.projection(schemas.ComparedRun)


class ComparisonRoutes:
    """The handler of comparisons, and the route that leads to it."""

    def __init__(self, answering: Answering) -> None:
        self._queries = answering.queries
        self._respond = answering.respond
        self._read_body = answering.read_body
        self._parse_body = memoized(_questions)

    def routes(self) -> list[Route]:
        """The route."""
        return [
            Route(
                method="POST",
                path=f"{BASE}/runs/compare",
                handler=self.compare_runs,
                operation=Operation(
                    id="compareRuns",
                    tag=_TAG,
                    summary="What differs between 2 to 10 runs, and which is best by each metric",
                    body=Content(schemas.CompareRequest, examples.COMPARE_REQUEST),
                    answers={200: Content(schemas.Comparison, examples.COMPARISON)},
                    errors=(*BODY_ERRORS, RunsNotFound, *UPSTREAM_ERRORS),
                    cached=True,
                ),
            )
        ]

    async def compare_runs(self, request: web.BaseRequest, _path: Mapping[str, str]) -> web.StreamResponse:
        """The runs that the body names, compared."""
        questions = self._parse_body(await json_body(request, self._read_body))
        queries = self._queries(request)
        answer = await queries.together(questions)
        runs = answer.value

        def comparison() -> Mapping[str, object]:
            diff = queries.compare(runs)
            return {
                "runs": [_compared(run) for run in runs],
                "metric_diff": diff.metric_diff,
                "param_diff": diff.param_diff,
            }

        return await self._respond(request, answer, ("compare", questions), runs, comparison)


def _questions(body: bytes) -> tuple[GetRun, ...]:
    return tuple(map(GetRun, parse_json(schemas.CompareRequest, body).run_ids))
