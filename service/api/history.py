"""The history of a run's metrics: every point, or buckets of them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Final, NamedTuple

import msgspec
from aiohttp import web
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    RootModel,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

from service.api.answering import BASE, UPSTREAM_ERRORS, Answering
from service.api.parsing import memoized, parse_query
from service.api.requests import whole_number
from service.api.schemas import AnswerBody, EpochMilliseconds
from service.errors import InvalidRequest
from service.http.route import Content, Operation, PathParameter, Route, Tag
from service.tracking.analysis.reading_histories import histories_of
from service.tracking.history import History
from service.tracking.sampling import Axis, Section, series_of

TAG: Final = Tag("histories", "Every value that a run logged of a metric, and what folds say.")
RUN_ID: Final = PathParameter("run_id", "The MLflow run id.", "abc123def456")
_MOST_KEYS: Final = 20
_MOST_POINTS: Final = 2_000
_LONGEST_KEY: Final = 250  # characters: MLflow keeps no more
_INT64: Final = range(-(2**63), 2**63)  # of steps and times

Key = Annotated[str, StringConstraints(min_length=1, max_length=_LONGEST_KEY)]


def _each_once(value: object) -> object:
    return list(dict.fromkeys(value)) if isinstance(value, list) else value


def _within_64_bits(number: int) -> int:
    if number not in _INT64:
        raise ValueError("must be an integer of 64 bits")
    return number


Place = Annotated[
    int,
    BeforeValidator(whole_number),
    AfterValidator(_within_64_bits),
    Field(json_schema_extra={"format": "int64"}),
]
Keys = Annotated[list[Key], Field(min_length=1, max_length=_MOST_KEYS), BeforeValidator(_each_once)]


class HistoryQuery(BaseModel):
    """The query parameters of histories. Unknown ones are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    key: Keys = Field(
        description=f"The keys of 1 to {_MOST_KEYS} metrics: the parameter is repeated.",
        examples=[["loss", "val/loss"]],
    )
    max_points: Annotated[
        int, BeforeValidator(whole_number), AfterValidator(lambda n: min(n, _MOST_POINTS))
    ] = Field(
        1_000,
        ge=1,
        description="At most this many entries a series: a longer history is given in buckets. "
        f"Above {_MOST_POINTS:,} it means {_MOST_POINTS:,}.",
    )
    axis: Axis = Field("step", description="What the points are ordered by.")
    first: Place | None = Field(
        None,
        alias="from",
        description="Leave out the points before this step, or before this time in Unix epoch milliseconds "
        "where `axis` is time.",
    )
    last: Place | None = Field(
        None,
        alias="to",
        description="Leave out the points after this step or time. So a part of a long history is given in "
        "finer buckets, or point by point.",
    )

    @field_validator("last")
    @classmethod
    def _not_before_first(cls, last: int | None, info: ValidationInfo) -> int | None:
        first = info.data.get("first")
        if last is not None and first is not None and last < first:
            raise ValueError("must not be less than from")
        return last


class Series(AnswerBody):
    """A metric over the axis: lists of one length.

    Where `sampled`, each entry is a bucket of neighbouring points, and step, time and value are those of the
    last of them. Else each entry is a point, and min, max, mean, count and not_finite are null.
    """

    n: int = Field(
        ge=0,
        description="Number of points that the run logged, between `from` and `to` where these are given.",
    )
    sampled: bool = Field(description="Whether the entries are buckets.")
    step: list[Annotated[int, Field(json_schema_extra={"format": "int64"})]]
    time: list[EpochMilliseconds] = Field(description="When each was logged.")
    value: list[float | None] = Field(description="null where it is not a finite number.")
    min: list[float | None] | None = Field(
        description="The least finite value of each bucket; null where it has none."
    )
    max: list[float | None] | None = Field(
        description="The greatest finite value of each bucket; null where it has none."
    )
    mean: list[float | None] | None = Field(
        description="The mean of the finite values of each bucket; null where it has none."
    )
    count: list[int] | None = Field(description="Number of points of each bucket.")
    not_finite: list[int] | None = Field(
        description="Number of points of each bucket whose value is NaN or infinite."
    )


class HistoryAxis(RootModel[Axis]):
    """What the entries of a series are in order of."""


class Histories(AnswerBody):
    """What a run logged of some metrics."""

    run_id: str = Field(description="The id in the path.")
    axis: HistoryAxis
    max_points: int = Field(description="At most so many entries has a series of this answer.")
    series: dict[str, Series] = Field(
        description="By key; without entries where the run does not exist or has no such metric."
    )


EXAMPLE: Final[dict[str, Any]] = {
    "run_id": "abc123def456",
    "axis": "step",
    "max_points": 2,
    "series": {
        "loss": {
            "n": 5,
            "sampled": True,
            "step": [1, 4],
            "time": [1699900801000, 1699900804000],
            "value": [0.62, 0.41],
            "min": [0.62, 0.41],
            "max": [0.69, 7.5],
            "mean": [0.655, 3.955],
            "count": [2, 3],
            "not_finite": [0, 1],
        },
        "val/loss": {
            "n": 1,
            "sampled": False,
            "step": [4],
            "time": [1699900804000],
            "value": [0.44],
            "min": None,
            "max": None,
            "mean": None,
            "count": None,
            "not_finite": None,
        },
    },
}


class Asked(NamedTuple):
    """What a request asks of a run's histories."""

    keys: tuple[str, ...]
    max_points: int
    axis: Axis
    section: Section


class HistoryRoutes:
    """The handler of histories, and the route that leads to it."""

    def __init__(self, answering: Answering) -> None:
        self._asked = answering.asked
        self._respond = answering.respond
        self._holds = answering.holds
        self._parse_query = memoized(_of_query)

    def routes(self) -> list[Route]:
        """The route."""
        return [
            Route(
                method="GET",
                path=f"{BASE}/runs/{{run_id}}/metrics/history",
                handler=self.get_history,
                operation=Operation(
                    id="getMetricHistory",
                    tag=TAG,
                    summary="Every value that a run logged of some metrics, in buckets where there are many",
                    path_parameters=(RUN_ID,),
                    query=HistoryQuery,
                    answers={200: Content(Histories, EXAMPLE)},
                    errors=(InvalidRequest, *UPSTREAM_ERRORS),
                    cached=True,
                ),
            )
        ]

    async def get_history(self, request: web.BaseRequest, path: Mapping[str, str]) -> web.StreamResponse:
        """The histories that the query asks for. They are put in order and written in threads."""
        run_id, query = path["run_id"], self._parse_query(request.rel_url.raw_query_string)
        asked = self._asked(request)
        answer = await histories_of(asked.queries, run_id, query.keys)
        key, histories = ("history", run_id, query), answer.value
        series: list[msgspec.Raw] = []
        if not self._holds(key, histories):
            works = [partial(_written, history, query) for history in histories]
            series = await asyncio.gather(*map(asked.workers.run, works))
        return await self._respond(
            request,
            answer,
            key,
            histories,
            lambda: {
                "run_id": run_id,
                "axis": query.axis,
                "max_points": query.max_points,
                "series": dict(zip(query.keys, series, strict=True)),
            },
        )


def _of_query(query_string: str) -> Asked:
    query = parse_query(HistoryQuery, query_string)
    return Asked(tuple(query.key), query.max_points, query.axis, Section(query.first, query.last))


def _written(history: History, query: Asked) -> msgspec.Raw:
    """A series as JSON, in which NaN and infinity are null."""
    return msgspec.Raw(msgspec.json.encode(series_of(history, query.axis, query.max_points, query.section)))
