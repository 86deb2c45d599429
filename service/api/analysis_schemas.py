"""The public contract of the analysis of runs: what callers ask, and what they get."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, RootModel

from service.api.requests import distinct
from service.api.schemas import AnswerBody
from service.tracking.analysis.comparability import WARNING_CODES
from service.tracking.analysis.pareto import MAX_PARETO_METRICS
from service.tracking.runs import RUN_ID_PATTERN

ANALYSIS_MIN: Final = 2
ANALYSIS_MAX: Final = 100
MAX_METRICS: Final = 100
_LONGEST_NAME = 250  # of a metric in MLflow (mlflow/utils/validation.py)

_RUN_IDS = f"{ANALYSIS_MIN} to {ANALYSIS_MAX} distinct run ids"
_BASELINE = "The run that the others are compared with, one of them; without it the first."
_METRICS = (
    f"Names of the metrics to analyse, at most {MAX_METRICS:,}; without them all that any run has. "
    f"For a Pareto front name one to {MAX_PARETO_METRICS}."
)


def _apart(names: list[str]) -> list[str]:
    """The names that commas join, which no name of MLflow's has; what is empty is none."""
    return [name for joined in names for name in joined.split(",") if name]


AnalysedRunIds = Annotated[
    list[Annotated[str, Field(strict=True, pattern=RUN_ID_PATTERN)]],
    Field(min_length=ANALYSIS_MIN, max_length=ANALYSIS_MAX, json_schema_extra={"uniqueItems": True}),
    AfterValidator(distinct),
]
MetricNames = Annotated[
    list[Annotated[str, Field(strict=True, min_length=1, max_length=_LONGEST_NAME)]],
    Field(max_length=MAX_METRICS),
]
MetricNamesOfQuery = Annotated[
    list[Annotated[str, Field(max_length=_LONGEST_NAME)]],
    Field(max_length=MAX_METRICS),
    BeforeValidator(_apart),
]


class AnalysisRequest(BaseModel):
    """Which runs to analyse. Unknown members are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    run_ids: AnalysedRunIds = Field(description=f"{_RUN_IDS}.")
    baseline: Annotated[str, Field(strict=True)] | None = Field(None, description=_BASELINE)
    metrics: MetricNames = Field([], description=_METRICS)


class AnalysisQuery(BaseModel):
    """The query parameters of an analysis. Unknown ones are ignored; an empty one is none."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    run_id: AnalysedRunIds = Field(
        description=f"{_RUN_IDS}: the parameter is repeated.", examples=[["abc123def456", "def456ghi789"]]
    )
    baseline: str | None = Field(None, description=_BASELINE)
    metrics: MetricNamesOfQuery = Field(
        [], description=f"{_METRICS} With commas between, or the parameter repeated."
    )


class MetricDirection(RootModel[Literal["max", "min", "closest_to_zero", "none"]]):
    """Which value of a metric is the best one; with `none` no value is."""


class DeltaReason(
    RootModel[
        Literal[
            "baseline_missing",
            "baseline_not_finite",
            "baseline_zero",
            "value_missing",
            "value_not_finite",
            "signs_differ",
            "too_large",
        ]
    ]
):
    """Why a difference cannot be had: the baseline or the run lacks the metric, or logged NaN or infinity;
    the baseline is 0, or has another sign than the value, so that there is no share of it; or the difference
    is larger than a number can be."""


class Delta(AnswerBody):
    """How a run's value of a metric differs from the baseline's."""

    absolute: float | None = Field(description="The value minus the baseline's.")
    relative: float | None = Field(
        description="That as a share of the baseline's magnitude: 0.1 is higher by 10 %, whatever the sign."
    )
    better: bool | None = Field(
        description="By the metric's direction; null where both are as good, or that cannot be said."
    )
    reason: DeltaReason | None = Field(description="Why a difference is null; null where none is.")


class Spread(AnswerBody):
    """The finite values of a metric."""

    n: int = Field(ge=0, description="How many runs have one.")
    missing: int = Field(ge=0, description="How many have none.")
    mean: float | None
    sd: float | None = Field(description="Standard deviation of the sample; null below two values.")
    min: float | None
    max: float | None


class Noise(AnswerBody):
    """How much a metric differs between runs that repeat one configuration: the same code, dataset, features,
    run type and parameters, but for seeds."""

    sd: float = Field(description="Standard deviation, pooled over the groups of such runs.")
    degrees_of_freedom: int = Field(ge=1, description="Number of such runs, less the number of groups.")


class MetricAnalysis(AnswerBody):
    """One metric over the runs, by run id."""

    direction: MetricDirection
    rule: str | None = Field(
        description="The rule that decided the direction; null where none fits the name and `max` is assumed."
    )
    values: dict[str, float | None] = Field(description="Null where a run has no finite value.")
    not_finite_run_ids: list[str] = Field(
        description="The runs that logged NaN or infinity. The others whose value is null lack the metric."
    )
    deltas: dict[str, Delta] = Field(description="Of all runs but the baseline.")
    ranks: dict[str, int | None] = Field(
        description="1 is best. Equal values share a rank, and as many are left out behind it (1, 2, 2, 4). "
        "Null without a finite value, and for a metric of the direction `none`."
    )
    best_run_ids: list[str] = Field(description="All runs with rank 1, in the order of the request.")
    spread: Spread
    noise: Noise | None = Field(description="Null where the runs repeat no configuration.")


class ParamAnalysis(AnswerBody):
    """One hyperparameter over the runs, by run id."""

    values: dict[str, str | None] = Field(description="Null where a run lacks it.")
    varies: bool = Field(description="False if all runs have it with the same text.")
    numeric: bool = Field(description="Whether each text that is there is a finite number.")
    same_number: bool = Field(
        description='Whether it varies in nothing but how a number is written, as "0.1" and "0.10".'
    )


class TagValues(RootModel[dict[str, str | None]]):
    """A tag by run id; null where a run lacks it."""


class AnalysisWarningCode(RootModel[str]):
    """What makes a comparison doubtful. A code keeps its meaning; later versions may add codes."""

    model_config = ConfigDict(json_schema_extra={"enum": [*sorted(WARNING_CODES)]})


class AnalysisWarning(AnswerBody):
    """Why a comparison is doubtful."""

    code: AnalysisWarningCode
    text: str
    run_ids: list[str] = Field(description="The runs that it is about.")
    metrics: list[str] = Field(description="The metrics that it is about, if it is about some.")
    params: list[str] = Field(description="The hyperparameters that it is about, if it is about some.")


class ParetoReasonCode(RootModel[Literal["missing_input", "too_many", "not_computable"]]):
    """Why there is no front: no metric of a direction, more than four, or no run that has all of them."""


class ParetoReason(AnswerBody):
    """Why there is no front."""

    code: ParetoReasonCode
    text: str


class Pareto(AnswerBody):
    """The runs that no other run beats: none is as good by each metric and better by one."""

    run_ids: list[str] | None = Field(description="Null where there is no front.")
    metrics: list[str] = Field(description="The metrics that it is of: those that have a direction.")
    missing_run_ids: list[str] = Field(description="Runs without a finite value of one of them.")
    reason: ParetoReason | None = Field(description="Why there is no front; null where there is one.")


class Analysis(AnswerBody):
    """Runs side by side: differences from a baseline, ranks, and whether they may be compared."""

    baseline: str = Field(description="The run id of the baseline.")
    metrics: dict[str, MetricAnalysis] = Field(description="By name.")
    params: dict[str, ParamAnalysis] = Field(description="By name.")
    tags: dict[str, TagValues] = Field(
        description="The tags that are not the same for all runs, by name, without MLflow's own (mlflow.*)."
    )
    warnings: list[AnalysisWarning]
    pareto: Pareto
