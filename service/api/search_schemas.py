"""The public contract of searching runs: what callers send and get, as pydantic models."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, RootModel
from pydantic.config import JsonDict

from service.api.requests import whole_number
from service.api.schemas import (
    AnswerBody,
    EpochMilliseconds,
    Metrics,
    Params,
    RunStatus,
    Tags,
    optional,
)

PAGE_SIZE = 50
MAX_PAGE_SIZE = 1_000
MAX_EXPERIMENTS = 100
EXPERIMENT_ID_PATTERN = r"^(0|[1-9][0-9]{0,17})$"  # MLflow's are whole numbers of 64 bits

FILTER = (
    "Comparisons of fields, joined by AND, OR, NOT and parentheses, such as "
    "`metrics.oos_sharpe > 1 AND tags.run_type = 'backtest'`; all runs where there is none."
)
_FIELD = "`metrics.x`, `params.x`, `tags.x` or an attribute such as `status`"
NEXT_PAGE = "`next_page_token` of the page before, with the same filter, order and experiments."
EXPERIMENTS = "Ids of experiments; the default experiment where there are none."

PageSize = Annotated[int, AfterValidator(lambda n: min(n, MAX_PAGE_SIZE))]
Count = Annotated[int, Field(ge=0)]


def _integer(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


class SearchFormat(RootModel[Literal["rows", "columns"]]):
    """`rows`: each run with all that belongs to it. `columns`: each field with its value for every run."""

    model_config = ConfigDict(frozen=True)


class SearchParameters(BaseModel):
    """The query parameters of a search. Unknown ones are ignored; an empty one is none."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    filter: str | None = Field(None, description=FILTER)
    order_by: str | None = Field(
        None,
        description=f"Fields with commas between, each {_FIELD}, with `asc` or `desc` behind it; newest "
        "start first where there is none.",
    )
    page_size: Annotated[PageSize, BeforeValidator(whole_number)] = Field(
        PAGE_SIZE,
        ge=1,
        description=f"At most this many runs; above {MAX_PAGE_SIZE:,} it means {MAX_PAGE_SIZE:,}.",
    )
    page_token: str | None = Field(None, description=NEXT_PAGE)
    fields: str | None = Field(
        None,
        description="What of each run is answered: fields with commas between, where `metrics.*` stands for "
        "all metrics. All that a run's detail has, and its experiment, where there is none.",
    )
    facets: str | None = Field(
        None, description="Fields with commas between, of which the values of all hits are counted."
    )
    experiment_id: str | None = Field(None, description=f"{EXPERIMENTS} Several with commas between.")
    format: SearchFormat = Field(SearchFormat("rows"), description="How runs are shown.")


class SearchRequest(BaseModel):
    """A search. Unknown members are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    filter: Annotated[str, Field(strict=True)] = Field("", description=FILTER)
    order_by: list[Annotated[str, Field(strict=True)]] = Field(
        [],
        description=f"Fields, each {_FIELD}, with ` asc` or ` desc` behind it; newest start first where "
        "there is none.",
    )
    page_size: Annotated[PageSize, Field(strict=True), BeforeValidator(_integer)] = Field(
        PAGE_SIZE,
        ge=1,
        description=f"At most this many runs; above {MAX_PAGE_SIZE:,} it means {MAX_PAGE_SIZE:,}.",
    )
    page_token: Annotated[str, Field(strict=True)] | None = Field(None, description=NEXT_PAGE)
    fields: list[Annotated[str, Field(strict=True)]] = Field(
        [],
        description="What of each run is answered: fields, where `metrics.*` stands for all metrics. All "
        "that a run's detail has, and its experiment, where there is none.",
    )
    facets: list[Annotated[str, Field(strict=True)]] = Field(
        [], description="Fields of which the values of all hits are counted."
    )
    experiment_id: list[Annotated[str, Field(strict=True)]] = Field([], description=EXPERIMENTS)
    format: SearchFormat = Field(SearchFormat("rows"), description="How runs are shown.")


class GroupParameters(BaseModel):
    """The query parameters of groups. Unknown ones are ignored; an empty one is none."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    by: str = Field(
        description=f"One to three fields with commas between, each {_FIELD}.", examples=["tags.strategy_id"]
    )
    metrics: str | None = Field(
        None, description="Names of metrics to summarize in each group, with commas between."
    )
    filter: str | None = Field(None, description=FILTER)
    order_by: str | None = Field(
        None,
        description="`runs`, `first_start_time`, `last_start_time`, `key` or a figure of a metric, such as "
        "`metrics.x.mean`, with `asc` or `desc` behind it; `runs desc` where there is none.",
    )
    page_size: Annotated[PageSize, BeforeValidator(whole_number)] = Field(
        PAGE_SIZE,
        ge=1,
        description=f"At most this many groups; above {MAX_PAGE_SIZE:,} it means {MAX_PAGE_SIZE:,}.",
    )
    page_token: str | None = Field(None, description=NEXT_PAGE)
    experiment_id: str | None = Field(None, description=f"{EXPERIMENTS} Several with commas between.")


def _of_any_type(schema: JsonDict) -> None:
    """Leave the type out: a generator makes of alternatives a class of its own, and of this any value."""
    del schema["anyOf"]


class FieldValue(RootModel[float | str | None]):
    """A value of a field: a number, a text, or null where a run lacks it or it is not a finite number."""

    model_config = ConfigDict(json_schema_extra=_of_any_type)


class FacetValue(AnswerBody):
    """A value of a field, and how many hits have it."""

    value: FieldValue
    count: Count


class Facet(RootModel[list[FacetValue]]):
    """The values of a field among all hits, the most frequent first."""


class Column(RootModel[list[FieldValue]]):
    """A field's value for each run of the page."""


class IndexState(AnswerBody):
    """How fresh the index is that answered."""

    complete: bool = Field(
        description="Whether every run has been read; false where MLflow was asked instead."
    )
    runs: Count = Field(description="Runs in the index, of the experiments that were searched.")
    share_read: float = Field(ge=0, le=1, description="How much of all runs has been read, about.")
    synced_ms: EpochMilliseconds | None = Field(
        description="Unix epoch milliseconds when new and active runs were last looked for; null for never."
    )
    swept_ms: EpochMilliseconds | None = Field(
        description="Unix epoch milliseconds since when every run has been looked at; null for never."
    )


class FoundRun(AnswerBody):
    """A run that matches a search: its detail and its experiment, or only the fields that were asked for."""

    run_id: str = optional("MLflow run identifier.")
    run_name: str = optional("Name set when the run was created, typically its run_type.")
    status: RunStatus = optional()
    start_time: EpochMilliseconds | None = optional(
        "Unix epoch milliseconds when the run started; null where MLflow has no time."
    )
    end_time: EpochMilliseconds | None = optional(
        "Unix epoch milliseconds when the run ended; null while it is active."
    )
    artifact_uri: str = optional("Root URI of the run's artifacts.")
    params: Params = optional()
    metrics: Metrics = optional()
    tags: Tags = optional()
    experiment_id: str = optional("MLflow experiment identifier.")
    duration: EpochMilliseconds | None = optional(
        "Milliseconds from its start to its end, null while it is active; only where it was asked for."
    )
    user_id: str = optional("Who started the run; only where it was asked for.")


class FoundRuns(AnswerBody):
    """A page of the runs that match a search."""

    runs: list[FoundRun] = optional("With the format `rows`.")
    columns: dict[str, Column] = optional("With the format `columns`: by field, lists of one length.")
    not_finite: dict[str, list[Count]] = optional(
        "With the format `columns`, where there are some: by metric, the places in its list, from 0, whose "
        "null is a value that is logged and not finite. Every other null is a value that the run lacks."
    )
    total: Count | None = Field(description="Number of runs on all pages; null where MLflow was asked.")
    reason: str | None = Field(description="Why `total` is null; null where it is not.")
    next_page_token: str | None = Field(description="For the next page; null on the last.")
    facets: dict[str, Facet] = Field(description="By field.")
    index: IndexState


class MetricSummary(AnswerBody):
    """A metric over the runs of a group that have a finite value of it."""

    n: Count = Field(description="Number of those runs.")
    missing: Count = Field(description="Number of the other runs.")
    mean: float | None
    sd: float | None = Field(description="Standard deviation of the sample; null below two runs.")
    min: float | None
    max: float | None
    ci_low: float | None = Field(
        description="Lower end of the 95 % confidence interval of the mean, by Student's t; null below two."
    )
    ci_high: float | None = Field(description="Upper end of it.")
    best_run_id: str | None = Field(
        description="The run that is best by the metric's direction, the newest of several; null where no "
        "value is best."
    )


class RunGroup(AnswerBody):
    """The runs that have the same values of some fields."""

    key: list[FieldValue] = Field(description="Those values, in the order of `by`.")
    runs: Count = Field(description="Number of the runs.")
    statuses: dict[str, int] = Field(description="Number of the runs by status.")
    first_start_time: EpochMilliseconds | None = Field(
        description="Unix epoch milliseconds when the first of them started."
    )
    last_start_time: EpochMilliseconds | None = Field(
        description="Unix epoch milliseconds when the last of them started."
    )
    metrics: dict[str, MetricSummary] = Field(description="By name, the metrics that were asked for.")


class RunGroups(AnswerBody):
    """A page of groups of the runs that match a filter."""

    groups: list[RunGroup]
    total: Count = Field(description="Number of groups on all pages.")
    next_page_token: str | None = Field(description="For the next page; null on the last.")
    index: IndexState
