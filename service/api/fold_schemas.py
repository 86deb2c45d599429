"""The answer of folds, as pydantic models, with an example."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

from pydantic import Field, RootModel

from service.api.computed_schemas import Statistic, StatisticMethod, StatisticReason
from service.api.schemas import AnswerBody
from service.tracking.analysis.folds import METHOD
from service.tracking.analysis.paired import CORRECTED_T, SIGN, SIGNED_RANKS, SMALLEST

Step = Annotated[int, Field(json_schema_extra={"format": "int64"})]


class FoldAxis(RootModel[Literal["folds", "paths", "epochs"]]):
    """What the steps of a metric stand for."""


class FoldDirection(RootModel[Literal["max", "min", "closest_to_zero"]]):
    """Which values of the metric are better."""


class StepAxis(AnswerBody):
    """What the steps stand for, and where that is from."""

    value: FoldAxis | None = Field(description="Null where nothing says it.")
    source: str | None = Field(description="`query` or `tags.run_type`.")


class FoldValue(AnswerBody):
    """The value of a fold, or the difference of two."""

    step: Step
    value: float | None = Field(description="Null where it is no finite number.")


class PairedFolds(AnswerBody):
    """The differences of two runs, this minus the other, at the steps that both have."""

    against: str = Field(description="The other run.")
    n: int = Field(ge=0, description="Steps at which both runs have a finite value; all else is of these.")
    only_this: int = Field(ge=0, description="Steps at which this run alone has a finite value.")
    only_other: int = Field(ge=0, description="Steps at which the other run alone has a finite value.")
    differences: list[FoldValue]
    mean: float | None = Field(description="The mean difference.")
    sd: float | None = Field(description="The standard deviation of the differences, with ddof 1.")
    ci_low: float | None = Field(description="The 95 % interval of the mean, by the corrected variance.")
    ci_high: float | None
    worst: FoldValue | None = Field(description="The difference where this run falls furthest behind.")
    wins: int | None = Field(description="Folds that this run is better in; null without a direction.")
    ties: int | None
    losses: int | None
    corrected_t_test: Statistic = Field(description="p, two-sided; t and its inputs are among the inputs.")
    sign_test: Statistic = Field(description="p, two-sided.")
    signed_rank_test: Statistic = Field(description="p, two-sided.")
    smallest_p: Statistic = Field(description="The smallest p that the last two can give with these folds.")
    reason: StatisticReason | None = Field(description="Why what is null here cannot be had.")
    warnings: list[str]


class RunFolds(AnswerBody):
    """What a metric says that a run logged once a fold."""

    run_id: str
    key: str
    axis: StepAxis
    direction: FoldDirection | None = Field(description="Null where no rule knows it.")
    rule: str | None = Field(description="The rule that says the direction.")
    n: int = Field(ge=0, description="Folds with a finite value; all else is of these.")
    missing: int = Field(ge=0, description="Folds without a finite value.")
    values: list[FoldValue] = Field(description="Every fold by step, up to 1,000 of them.")
    mean: float | None
    sd: float | None = Field(description="The standard deviation, with ddof 1.")
    ci_low: float | None = Field(description="The 95 % interval of the mean, as of independent folds.")
    ci_high: float | None
    worst: FoldValue | None = Field(description="By the direction; null without one.")
    share_positive: float | None = Field(description="Of folds with a value above 0.")
    method: StatisticMethod
    reason: StatisticReason | None = Field(description="Why what is null here cannot be had.")
    warnings: list[str]
    paired: PairedFolds | None = Field(description="Null unless `against` asks for it.")


def _statistic(
    value: float, method: Any, inputs: Sequence[tuple[str, float, str, str]], *warnings: str
) -> Any:
    return {
        "value": value,
        "method": {
            "name": method.name,
            "reference": method.reference,
            "conventions": dict(method.conventions),
        },
        "inputs": [dict(zip(("name", "value", "unit", "source"), one, strict=True)) for one in inputs],
        "reason": None,
        "warnings": list(warnings),
    }


_PAIRS = [("pairs that differ", 5, "folds", "derived")]
EXAMPLE: Final[dict[str, Any]] = {
    "run_id": "abc123def456",
    "key": "fold_oos_sharpe",
    "axis": {"value": "folds", "source": "tags.run_type"},
    "direction": "max",
    "rule": "*_sharpe_*",
    "n": 5,
    "missing": 0,
    "values": [{"step": step, "value": value} for step, value in enumerate([1.62, 1.21, 0.83, 1.49, 1.02])],
    "mean": 1.234,
    "sd": 0.3256225,
    "ci_low": 0.8296863,
    "ci_high": 1.6383137,
    "worst": {"step": 2, "value": 0.83},
    "share_positive": 1.0,
    "method": {
        "name": METHOD.name,
        "reference": METHOD.reference,
        "conventions": dict(METHOD.conventions),
    },
    "reason": None,
    "warnings": [],
    "paired": {
        "against": "def456ghi789",
        "n": 5,
        "only_this": 0,
        "only_other": 0,
        "differences": [
            {"step": step, "value": value} for step, value in enumerate([0.02, 0.01, 0.03, -0.01, 0.02])
        ],
        "mean": 0.014,
        "sd": 0.0151658,
        "ci_low": -0.0142461,
        "ci_high": 0.0422461,
        "worst": {"step": 3, "value": -0.01},
        "wins": 4,
        "ties": 0,
        "losses": 1,
        "corrected_t_test": _statistic(
            0.2408015,
            CORRECTED_T,
            [
                ("t", 1.3761249, "1", "derived"),
                ("mean difference", 0.014, "of the metric", "derived"),
                ("folds", 5, "folds", "derived"),
                ("degrees of freedom", 4, "1", "derived"),
                ("n_test/n_train", 0.25, "1", "query"),
            ],
            "Derived for random splits: for folds of a walk forward the correction is a rule of thumb.",
        ),
        "sign_test": _statistic(0.375, SIGN, _PAIRS),
        "signed_rank_test": _statistic(0.1875, SIGNED_RANKS, _PAIRS),
        "smallest_p": _statistic(
            0.0625,
            SMALLEST,
            _PAIRS,
            "With 5 pairs that differ, neither test can reach 5 %, whatever the differences are.",
        ),
        "reason": None,
        "warnings": [],
    },
}
