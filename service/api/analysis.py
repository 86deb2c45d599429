"""Runs side by side, further: differences from a baseline, ranks, and whether the runs may be compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from io import BytesIO

import msgspec
from aiohttp import web

from service.api import analysis_examples as examples
from service.api import analysis_schemas as schemas
from service.api.answering import BASE, UPSTREAM_ERRORS, Answering
from service.api.comparisons import TAG
from service.api.parsing import BODY_ERRORS, json_body, memoized, parse_json, parse_query
from service.checkpoint import checkpoint
from service.errors import FieldError, InvalidRequest, RunsNotFound
from service.http.representations import Encoded
from service.http.route import Content, Operation, Route
from service.tracking.analysis.comparing import RunsAnalysis
from service.tracking.asked import Asked
from service.tracking.questions import GetRun
from service.tracking.runs import Run

_AT_ONCE = 500  # values that are analysed in one turn of the loop: about 2 ms
_ANSWERS = {200: Content(schemas.Analysis, examples.ANALYSIS)}

_encode = msgspec.json.Encoder().encode


class Analysed(msgspec.Struct, frozen=True, gc=False, cache_hash=True):
    """What is analysed; by it the analysis is kept.

    baseline: the id of one of the runs. metrics: () for all.
    """

    questions: tuple[GetRun, ...]
    baseline: str
    metrics: tuple[str, ...]


class AnalysisRoutes:
    """The handlers of analyses, and the routes that lead to them."""

    def __init__(self, answering: Answering) -> None:
        self._asked = answering.asked
        self._respond = answering.respond
        self._holds = answering.holds
        self._read_body = answering.read_body
        self._parse_body = memoized(_of_body)
        self._parse_query = memoized(_of_query)

    def routes(self) -> list[Route]:
        """One route for each handler below, in their order."""
        return [
            Route(
                method="GET",
                path=f"{BASE}/runs/compare/analysis",
                handler=self.get_analysis,
                operation=Operation(
                    id="getAnalysis",
                    tag=TAG,
                    summary="The same as analyseRuns, with an address that can be kept and passed on",
                    query=schemas.AnalysisQuery,
                    answers=_ANSWERS,
                    errors=(InvalidRequest, RunsNotFound, *UPSTREAM_ERRORS),
                    cached=True,
                ),
            ),
            Route(
                method="POST",
                path=f"{BASE}/runs/compare/analysis",
                handler=self.analyse_runs,
                operation=Operation(
                    id="analyseRuns",
                    tag=TAG,
                    summary="How 2 to 100 runs differ from a baseline, how they rank, and whether they may "
                    "be compared",
                    body=Content(schemas.AnalysisRequest, examples.ANALYSIS_REQUEST),
                    answers=_ANSWERS,
                    errors=(*BODY_ERRORS, RunsNotFound, *UPSTREAM_ERRORS),
                    cached=True,
                ),
            ),
        ]

    async def get_analysis(self, request: web.BaseRequest, _path: Mapping[str, str]) -> web.StreamResponse:
        """The runs that the query names, analysed."""
        return await self._analyse(request, self._parse_query(request.rel_url.raw_query_string))

    async def analyse_runs(self, request: web.BaseRequest, _path: Mapping[str, str]) -> web.StreamResponse:
        """The runs that the body names, analysed."""
        return await self._analyse(request, self._parse_body(await json_body(request, self._read_body)))

    async def _analyse(self, request: web.BaseRequest, analysed: Analysed) -> web.StreamResponse:
        asked = self._asked(request)
        answer = await asked.queries.together(analysed.questions)
        runs = answer.value
        # A kept representation needs nothing built.
        built = None if self._holds(analysed, runs) else await _encoded(asked, runs, analysed)
        return await self._respond(request, answer, analysed, runs, lambda: built)


async def _encoded(asked: Asked, runs: Sequence[Run], analysed: Analysed) -> Encoded:
    """The body. Of a hundred runs with a thousand metrics it has 22 MB, so it is written in turns."""
    analysis = RunsAnalysis(runs, analysed.baseline, analysed.metrics, asked.directions)
    body = BytesIO()
    at_once = max(1, _AT_ONCE // len(runs))
    await checkpoint()
    body.write(b'{"baseline":' + _encode(analysis.baseline) + b',"metrics":')
    await _write(body, analysis.metric, analysis.metric_names, at_once)
    body.write(b',"params":')
    await _write(body, analysis.param, analysis.param_names, at_once)
    await checkpoint()
    rest = {"tags": analysis.tags(), "warnings": analysis.warnings(), "pareto": analysis.pareto()}
    await checkpoint()
    body.write(b"," + _encode(rest)[1:])
    return await asked.workers.run(partial(Encoded, body.getvalue()))


async def _write(body: BytesIO, analyse: Callable[[str], object], names: Sequence[str], at_once: int) -> None:
    """An object of JSON: the analysis of each name, so many of them in a turn of the loop."""
    between = b"{"
    for place, name in enumerate(names, 1):
        body.write(between + _encode(name) + b":" + _encode(analyse(name)))
        between = b","
        if not place % at_once:
            await checkpoint()
    body.write(b"}" if names else b"{}")


def _of_body(body: bytes) -> Analysed:
    given = parse_json(schemas.AnalysisRequest, body)
    return _analysed(given.run_ids, given.baseline, given.metrics, "body")


def _of_query(query_string: str) -> Analysed:
    given = parse_query(schemas.AnalysisQuery, query_string)
    return _analysed(given.run_id, given.baseline or None, given.metrics, "query")


def _analysed(run_ids: Sequence[str], baseline: str | None, metrics: Sequence[str], place: str) -> Analysed:
    """InvalidRequest where the baseline is none of the runs."""
    if baseline is not None and baseline not in run_ids:
        raise InvalidRequest([FieldError(f"{place}.baseline", "must be one of the runs")])
    names = tuple(dict.fromkeys(metrics))
    return Analysed(tuple(map(GetRun, run_ids)), baseline or run_ids[0], names)
