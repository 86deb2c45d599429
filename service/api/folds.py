"""The folds of a run: what a metric says that was logged once a fold."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

import msgspec
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from service.api import fold_schemas as schemas
from service.api.answering import BASE, UPSTREAM_ERRORS, Answering
from service.api.history import RUN_ID, TAG, Key
from service.api.parsing import memoized, parse_query
from service.errors import InvalidRequest, RunsNotFound
from service.http.route import Content, Operation, Route
from service.tracking.analysis.folds import FoldAxis
from service.tracking.analysis.folds_of_runs import FoldsAsked, FoldsReport, read_folds, report_of
from service.tracking.runs import RUN_ID_PATTERN


class FoldQuery(BaseModel):
    """The query parameters of folds. Unknown ones are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    key: Key = Field(description="The key of the metric.", examples=["fold_oos_sharpe"])
    against: Annotated[str, Field(pattern=RUN_ID_PATTERN)] | None = Field(
        None, description="Another run: its folds are matched with those of this run by step."
    )
    axis: FoldAxis | None = Field(
        None,
        description="What the steps stand for: `folds` whose test data no other has, `paths` of a "
        "combinatorial split, or `epochs`. Default: what the run_type tag says (walk_forward: folds; cpcv: "
        "paths; training: epochs).",
    )
    test_train_ratio: float | None = Field(
        None,
        gt=0,
        le=1_000,
        description="Observations that a fold tests on for each that it trains on, for the corrected t-test. "
        "Default: 1/(folds - 1), as k-fold cross-validation has it.",
    )


class FoldRoutes:
    """The handler of folds, and the route that leads to it."""

    def __init__(self, answering: Answering) -> None:
        self._asked = answering.asked
        self._respond = answering.respond
        self._holds = answering.holds
        self._parse_query = memoized(partial(parse_query, FoldQuery))

    def routes(self) -> list[Route]:
        """The route."""
        return [
            Route(
                method="GET",
                path=f"{BASE}/runs/{{run_id}}/folds",
                handler=self.get_folds,
                operation=Operation(
                    id="getFolds",
                    tag=TAG,
                    summary="What a metric says that a run logged once a fold, alone or against another run",
                    path_parameters=(RUN_ID,),
                    query=FoldQuery,
                    answers={200: Content(schemas.RunFolds, schemas.EXAMPLE)},
                    errors=(InvalidRequest, RunsNotFound, *UPSTREAM_ERRORS),
                    cached=True,
                ),
            )
        ]

    async def get_folds(self, request: web.BaseRequest, path: Mapping[str, str]) -> web.StreamResponse:
        """The folds that the query asks for."""
        query = self._parse_query(request.rel_url.raw_query_string)
        of = FoldsAsked(path["run_id"], query.key, query.against, query.axis, query.test_train_ratio)
        asked = self._asked(request)
        answer = await read_folds(asked.queries, of)
        key, read = ("folds", of), answer.value
        values = tuple(value for one in read for value in one)
        body: object = None
        if not self._holds(key, values):
            decision = asked.directions.decide(of.key)
            body = _body(of, await asked.workers.run(partial(report_of, read, of, decision)))
        return await self._respond(request, answer, key, values, lambda: body)


def _body(of: FoldsAsked, report: FoldsReport) -> Mapping[str, Any]:
    paired = report.paired
    return {
        "run_id": of.run_id,
        "key": of.key,
        **msgspec.structs.asdict(report.folds),
        "paired": None if paired is None else {"against": of.against, **msgspec.structs.asdict(paired)},
    }
