"""The public contract: every body that callers send and get, as pydantic models.

Responses are made by `project`, which reads exactly a model's fields, in its order, from a value of the
tracking room; the OpenAPI document is generated from the same models.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from service.tracking.runs import MAX_LIMIT, RUN_ID_PATTERN

LIMIT_DEFAULT = 50
COMPARE_MIN = 2
COMPARE_MAX = 10

_INTEGER = re.compile(r"-?[0-9]+", re.ASCII)

Status = Literal["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"]
Params = dict[str, str]
Metrics = dict[str, float | None]
Tags = dict[str, str]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RunSummary(_Model):
    """A run as it stands in a list."""

    run_id: str = Field(description="MLflow run identifier.")
    run_name: str = Field(description="Name set when the run was created, typically its run_type.")
    status: Status = Field(description="MLflow run status.")
    start_time: int | None = Field(description="Unix epoch milliseconds when the run started.")
    params: Params = Field(description="Hyperparameters, as the strings that MLflow stores.")
    metrics: Metrics = Field(description="Last value of each metric; null where it is not a finite number.")
    tags: Tags = Field(description="All tags, lineage included.")


class RunList(_Model):
    """The newest runs that fit the filters."""

    runs: list[RunSummary]
    total: int = Field(ge=0, description="How many runs are in this answer.")


class RunDetail(_Model):
    """Everything about one run."""

    run_id: str = Field(description="MLflow run identifier.")
    run_name: str = Field(description="Name set when the run was created, typically its run_type.")
    status: Status = Field(description="MLflow run status.")
    start_time: int | None = Field(description="Unix epoch milliseconds when the run started.")
    end_time: int | None = Field(
        description="Unix epoch milliseconds when it ended; null while it is active."
    )
    artifact_uri: str = Field(description="Root URI of the run's artifacts.")
    params: Params = Field(description="Hyperparameters, as the strings that MLflow stores.")
    metrics: Metrics = Field(description="Last value of each metric; null where it is not a finite number.")
    tags: Tags = Field(description="All tags, lineage included.")


class RunMetrics(_Model):
    """The last value of each of a run's metrics."""

    run_id: str = Field(description="The id asked for.")
    metrics: Metrics = Field(description="Empty where the run does not exist.")


class RunParams(_Model):
    """A run's hyperparameters."""

    run_id: str = Field(description="The id asked for.")
    params: Params = Field(description="Empty where the run does not exist.")


class ComparedRun(_Model):
    """A run as it stands in a comparison."""

    run_id: str
    run_name: str
    run_type: str = Field(description='The tag of this name, "unknown" where the run has none.')
    params: Params
    metrics: Metrics


class MetricDiff(_Model):
    """One metric across the compared runs."""

    values: dict[str, float | None] = Field(description="By run id; null where a run lacks the metric.")
    best_run_id: str | None = Field(description="The best run by this metric's direction; null if none.")


class ParamDiff(_Model):
    """One hyperparameter across the compared runs."""

    values: dict[str, str | None] = Field(description="By run id; null where a run lacks the parameter.")
    varies: bool = Field(description="False only when every run has it with the same value.")


class Comparison(_Model):
    """Runs side by side, in the order asked for."""

    runs: list[ComparedRun]
    metric_diff: dict[str, MetricDiff]
    param_diff: dict[str, ParamDiff]


class Experiment(_Model):
    """An MLflow experiment."""

    experiment_id: str
    name: str
    artifact_location: str
    lifecycle_stage: Literal["active", "deleted"]


class ExperimentList(_Model):
    """Every active experiment, oldest first."""

    experiments: list[Experiment]


class Invalid(_Model):
    """One thing that is wrong with a request."""

    location: str
    message: str


class Problem(_Model):
    """An error, as RFC 9457 has it."""

    type: str
    title: str
    status: int
    detail: str = Field(description="For a person.")
    code: str = Field(description="For a program; stable.")
    request_id: str = Field(description="Stands in the service's log, too.")


class InvalidProblem(Problem):
    """A request whose values are not allowed."""

    errors: list[Invalid]


class MissingRunsProblem(Problem):
    """Runs that MLflow says do not exist."""

    missing_run_ids: list[str]


class Liveness(_Model):
    """The process answers."""

    status: Literal["alive"]


class Readiness(_Model):
    """Whether this replica takes requests, and how MLflow is, as far as is known without asking it."""

    status: Literal["ready", "draining"]
    upstream: Literal["unknown", "ok", "failing"] = Field(
        description="MLflow: ok if it answers; a question that fails by itself does not make it failing."
    )
    breaker: Literal["closed", "open", "half_open"] = Field(description="Open: MLflow is not asked for now.")
    experiment: Literal["unknown", "ok", "missing", "deleted", "forbidden"] = Field(
        description="The experiment whose runs are listed, when it was last looked for."
    )


def _whole_number(value: object) -> object:
    if isinstance(value, str):
        if not _INTEGER.fullmatch(value):
            raise ValueError("must be an integer")
        return int(value.lstrip("0")[:19] or 0)  # what is longer is only clamped or refused anyway
    return value


def _distinct(values: list[str]) -> list[str]:
    if repeated := sorted({value for value in values if values.count(value) > 1}):
        raise ValueError(f"each run once; repeated: {', '.join(repeated)}")
    return values


class RunListQuery(BaseModel):
    """The query parameters of the list of runs. Unknown ones are ignored; an empty filter is none."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    run_type: str | None = Field(
        None,
        description="Only runs whose run_type tag is exactly this: training, walk_forward, cpcv, backtest.",
    )
    strategy_id: str | None = Field(None, description="Filter by the strategy_id tag (a UUID), exactly.")
    limit: Annotated[int, BeforeValidator(_whole_number), AfterValidator(lambda n: min(n, MAX_LIMIT))] = (
        Field(
            LIMIT_DEFAULT,
            ge=1,
            description=f"At most this many runs; above {MAX_LIMIT} it means {MAX_LIMIT}.",
        )
    )


class CompareRequest(BaseModel):
    """Which runs to compare. Unknown members are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    run_ids: Annotated[
        list[Annotated[str, Field(strict=True, pattern=RUN_ID_PATTERN)]],
        Field(min_length=COMPARE_MIN, max_length=COMPARE_MAX, json_schema_extra={"uniqueItems": True}),
        AfterValidator(_distinct),
    ] = Field(description=f"{COMPARE_MIN} to {COMPARE_MAX} distinct run ids.")


def projection(model: type[BaseModel]) -> Callable[[Any], Mapping[str, Any]]:
    """A function that reads a model's fields, in their order, from the attributes of a value."""
    names = tuple(model.model_fields)
    read = attrgetter(*names)
    return lambda value: dict(zip(names, read(value), strict=True))
