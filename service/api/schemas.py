"""The public contract: every body that callers get, as pydantic models.

Answers are made by `projection`, which reads exactly a model's fields, in its order, from a value of the
tracking room; the OpenAPI document is derived from the same models. A type that several models share is a
model of its own, so that a generated client has one name for it.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Annotated, Any, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field, RootModel, WithJsonSchema

from service.http.problems import codes

EpochMilliseconds = Annotated[int, WithJsonSchema({"type": "integer", "format": "int64"})]


def optional(description: str | None = None) -> Any:
    """A member that an answer may lack; it is not null, unless its type says so."""
    return Field(default=None, description=description, json_schema_extra=_without_default)


def _without_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


class AnswerBody(BaseModel):
    """A body that the service answers: it always has all of its fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class RunStatus(RootModel[Literal["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"]]):
    """The status of a run in MLflow."""


class Params(RootModel[dict[str, str]]):
    """Hyperparameters by name, as the strings that MLflow stores."""


class Metrics(RootModel[dict[str, float | None]]):
    """The last value of each metric by name; null where it is not a finite number."""


class Tags(RootModel[dict[str, str]]):
    """All tags by name: those of the lineage, and MLflow's own."""


class RunSummary(AnswerBody):
    """A run in a list."""

    run_id: str = Field(description="MLflow run identifier.")
    run_name: str = Field(description="Name set when the run was created, typically its run_type.")
    status: RunStatus
    start_time: EpochMilliseconds | None = Field(
        description="Unix epoch milliseconds when the run started; null where MLflow has no time."
    )
    params: Params
    metrics: Metrics
    tags: Tags


class RunList(AnswerBody):
    """The newest runs that match the filters, newest start first."""

    runs: list[RunSummary]
    total: int = Field(ge=0, description="Number of runs in this answer.")


class RunDetail(AnswerBody):
    """Everything about one run."""

    run_id: str = Field(description="MLflow run identifier.")
    run_name: str = Field(description="Name set when the run was created, typically its run_type.")
    status: RunStatus
    start_time: EpochMilliseconds | None = Field(
        description="Unix epoch milliseconds when the run started; null where MLflow has no time."
    )
    end_time: EpochMilliseconds | None = Field(
        description="Unix epoch milliseconds when the run ended; null while it is active."
    )
    artifact_uri: str = Field(description="Root URI of the run's artifacts.")
    params: Params
    metrics: Metrics
    tags: Tags


class RunMetrics(AnswerBody):
    """The metrics of a run: an empty object where the run does not exist."""

    run_id: str = Field(description="The id in the path.")
    metrics: Metrics


class RunParams(AnswerBody):
    """The hyperparameters of a run: an empty object where the run does not exist."""

    run_id: str = Field(description="The id in the path.")
    params: Params


class ComparedRun(AnswerBody):
    """A run in a comparison."""

    run_id: str = Field(description="MLflow run identifier.")
    run_name: str = Field(description="Name set when the run was created, typically its run_type.")
    run_type: str = Field(description='The tag of this name; "unknown" where the run has none.')
    params: Params
    metrics: Metrics


class MetricDiff(AnswerBody):
    """One metric across the compared runs."""

    values: dict[str, float | None] = Field(
        description="The metric's value by run id; null where a run lacks it."
    )
    best_run_id: str | None = Field(
        description="The run that is best by the metric's direction; null where no run is."
    )


class ParamDiff(AnswerBody):
    """One hyperparameter across the compared runs."""

    values: dict[str, str | None] = Field(
        description="The parameter's value by run id; null where a run lacks it."
    )
    varies: bool = Field(description="False if all runs have the parameter with the same value.")


class Comparison(AnswerBody):
    """Runs side by side, in the order of the request."""

    runs: list[ComparedRun]
    metric_diff: dict[str, MetricDiff] = Field(description="By metric name.")
    param_diff: dict[str, ParamDiff] = Field(description="By hyperparameter name.")


class LifecycleStage(RootModel[Literal["active", "deleted"]]):
    """Whether MLflow lists an experiment or has deleted it."""


class Experiment(AnswerBody):
    """An MLflow experiment."""

    experiment_id: str
    name: str
    artifact_location: str = Field(description="Root URI of the artifacts of the experiment's runs.")
    lifecycle_stage: LifecycleStage


class ExperimentList(AnswerBody):
    """Every active experiment, oldest first."""

    experiments: list[Experiment]


class FieldProblem(AnswerBody):
    """One value of a request that is not allowed."""

    location: str = Field(description="Where the value stands, such as `query.limit` or `body.run_ids.0`.")
    message: str
    position: int = optional("Of the character in the value, from 0, where that is known.")


class ProblemCode(RootModel[str]):
    """What went wrong, for a program. A code keeps its meaning; later versions may add codes."""

    model_config = ConfigDict(json_schema_extra={"enum": [*sorted({*codes()})]})


class ProblemBody(AnswerBody):
    """What every error says."""

    type: str = Field(description="A URN that identifies the kind of problem; it need not be followed.")
    title: str
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What went wrong, for a person.")
    request_id: str = Field(description="The id of the request, which the service's log has, too.")


class Problem(ProblemBody):
    """An error, as RFC 9457 defines it."""

    code: ProblemCode
    share_read: float = optional("With `index_not_ready`: how much of all runs has been read, 0 to 1, about.")


class InvalidProblem(ProblemBody):
    """A request with values that are not allowed."""

    code: Literal["invalid_request"]
    errors: list[FieldProblem]


class MissingRunsProblem(ProblemBody):
    """A request for runs that MLflow says do not exist."""

    code: Literal["run_not_found"]
    missing_run_ids: list[str]


class Liveness(AnswerBody):
    """The process answers."""

    status: Literal["alive"]


class ReplicaStatus(RootModel[Literal["ready", "draining"]]):
    """Whether the replica takes requests, or is about to stop."""


class UpstreamStatus(RootModel[Literal["unknown", "ok", "failing"]]):
    """Whether MLflow answers. A question that fails by itself does not make it failing."""


class BreakerState(RootModel[Literal["closed", "open", "half_open"]]):
    """The state of the circuit breaker. While it is open, MLflow is not called."""


class ExperimentStatus(RootModel[Literal["unknown", "ok", "missing", "deleted", "forbidden"]]):
    """What the last look at the default experiment found, by this replica or one that shares its answers."""


class IndexCondition(RootModel[Literal["off", "reading", "complete", "too_large", "failing"]]):
    """How far the index is: switched off, reading every run for the first time, complete, given up because
    there are more runs than it may hold, or unable to ask MLflow."""


class StoreCondition(RootModel[Literal["off", "attached", "detached"]]):
    """Whether the store that replicas share answers: there is none, it does, or the replica goes on alone."""


class Readiness(AnswerBody):
    """Whether this replica takes requests, and what is known of MLflow and the store without calling them."""

    status: ReplicaStatus
    upstream: UpstreamStatus
    breaker: BreakerState
    experiment: ExperimentStatus
    index: IndexCondition
    store: StoreCondition


def projection(model: type[BaseModel], *more: str) -> Callable[[Any], msgspec.Struct]:
    """A function that reads a model's fields, in their order, from the attributes of a value.

    more: attributes to read after them. It makes structs, which take a quarter of a dict's time to make, and
    less to encode.
    """
    names = (*model.model_fields, *more)
    read = attrgetter(*names)
    fields = msgspec.defstruct(model.__name__, [(name, Any) for name in names], frozen=True, gc=False)
    return lambda value: fields(*read(value))
