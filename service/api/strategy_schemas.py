"""The public contract of strategies: what callers send and get, as pydantic models."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from service.api.requests import whole_number
from service.api.schemas import AnswerBody, EpochMilliseconds
from service.api.search_schemas import (
    EXPERIMENTS,
    FILTER,
    MAX_PAGE_SIZE,
    NEXT_PAGE,
    PAGE_SIZE,
    Count,
    IndexState,
    MetricSummary,
    PageSize,
)


class StrategyParameters(BaseModel):
    """The query parameters of the list of strategies. Unknown ones are ignored; an empty one is none."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    metrics: str | None = Field(
        None, description="Names of metrics to summarize for each strategy, with commas between."
    )
    filter: str | None = Field(None, description=FILTER)
    order_by: str | None = Field(
        None,
        description="`runs`, `first_start_time`, `last_start_time`, `key` (the strategy_id) or a figure of a "
        "metric, such as `metrics.x.mean`, with `asc` or `desc` behind it; `runs desc` where there is none.",
    )
    page_size: Annotated[PageSize, BeforeValidator(whole_number)] = Field(
        PAGE_SIZE,
        ge=1,
        description=f"At most this many strategies; above {MAX_PAGE_SIZE:,} it means {MAX_PAGE_SIZE:,}.",
    )
    page_token: str | None = Field(None, description=NEXT_PAGE)
    experiment_id: str | None = Field(None, description=f"{EXPERIMENTS} Several with commas between.")


class StrategySummary(AnswerBody):
    """The runs of a strategy: those whose tag strategy_id is its id."""

    strategy_id: str
    runs: Count = Field(description="Number of the runs.")
    statuses: dict[str, int] = Field(description="Number of the runs by status.")
    run_types: dict[str, int] = Field(
        description='Number of the runs by their tag run_type; "unknown" where a run has none.'
    )
    first_start_time: EpochMilliseconds | None = Field(
        description="Unix epoch milliseconds when the first of them started."
    )
    last_start_time: EpochMilliseconds | None = Field(
        description="Unix epoch milliseconds when the last of them started."
    )
    metrics: dict[str, MetricSummary] = Field(description="By name, the metrics that were asked for.")


class StrategyList(AnswerBody):
    """A page of the strategies of the runs that match a filter."""

    strategies: list[StrategySummary]
    total: Count = Field(description="Number of strategies on all pages.")
    next_page_token: str | None = Field(description="For the next page; null on the last.")
    index: IndexState
