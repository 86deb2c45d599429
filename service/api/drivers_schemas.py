"""The public contract of drivers: what callers send and get, as pydantic models."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

from service.api.computed_schemas import StatisticMethod, StatisticReason
from service.api.schemas import AnswerBody
from service.api.search_schemas import EXPERIMENTS, FILTER, Count, FieldValue, IndexState
from service.tracking.analysis.associations import FEWEST, FEWEST_OF_LEVEL
from service.tracking.analysis.confounding import MOST_BINS, TOGETHER
from service.tracking.analysis.pairs import FEW_LEVELS, FEWEST_FOR_INTERVAL, MOST_CHANGES

MOST_IGNORED = 50


class DriversParameters(BaseModel):
    """The query parameters of drivers. Unknown ones are ignored; an empty one is none."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    metric: str = Field(
        min_length=1, description="The metric that changes are to explain.", examples=["oos_sharpe"]
    )
    filter: str | None = Field(None, description=FILTER)
    ignore: str | None = Field(
        None,
        description="Parameters and tags that are results and not causes, such as `params.best_iteration`, "
        f"with commas between; at most {MOST_IGNORED}.",
    )
    experiment_id: str | None = Field(None, description=f"{EXPERIMENTS} Several with commas between.")


class DriverDirection(RootModel[Literal["max", "min", "closest_to_zero", "none"]]):
    """Which value of the metric is the best one; with `none` no value is."""


class ParameterKind(RootModel[Literal["params", "tags"]]):
    """Whether it is a parameter or a tag of the run."""


class ComparedRuns(AnswerBody):
    """The runs of one type. Only they are compared with each other."""

    run_type: str
    runs: Count = Field(description="Runs that have finished with a finite value of the metric.")
    configurations: Count = Field(
        description="How many different ones they are, by parameters, dataset_version, feature_version and "
        "git_commit. Runs of one configuration count once, with their mean."
    )
    reason: StatisticReason | None = Field(
        description=f"Why it has no associations: it has fewer than {FEWEST} configurations. Null else."
    )


class Interval(AnswerBody):
    """The 95 % confidence interval of a mean, by Student's t."""

    low: float
    high: float


class PairExample(AnswerBody):
    """Two runs that differ in the parameter alone. Of a configuration it is the newest run."""

    from_run_id: str
    to_run_id: str


class MatchedPairs(AnswerBody):
    """What the metric did where one parameter changed and nothing else did."""

    run_type: str
    kind: ParameterKind
    parameter: str
    from_: FieldValue = Field(
        alias="from",
        description="The value before: a number where it is one, null where the parameter is missing. The "
        "smaller number, or the text that was tried first.",
    )
    to: FieldValue = Field(description="The value after.")
    n: Count = Field(description="Number of pairs of configurations.")
    mean: float = Field(description="Of the differences, in units of the metric: after less before.")
    median: float
    share_positive: float = Field(ge=0, le=1, description="Of the pairs, in which the metric rose.")
    share_better: float | None = Field(
        ge=0,
        le=1,
        description="Of the pairs, in which it got better; null where no value of the metric is best.",
    )
    interval: Interval | None = Field(
        description=f"Of the mean; null below {FEWEST_FOR_INTERVAL} pairs. Each interval holds for itself: "
        "of 20 changes that do nothing, one is expected to be clear of 0."
    )
    reason: StatisticReason | None = Field(description="Why there is no interval; null where there is one.")
    examples: list[PairExample] = Field(description="The pairs nearest to the median.")


class AssociationMethod(RootModel[Literal["spearman", "kruskal_wallis"]]):
    """`spearman`: the metric against a parameter whose values are mostly numbers, where others are left out.
    `kruskal_wallis`: the metric between the values of any other parameter."""


class ParameterAssociation(AnswerBody):
    """How far the metric goes along with a parameter. That is an association, not a cause."""

    run_type: str
    kind: ParameterKind
    parameter: str
    method: AssociationMethod
    value: float | None = Field(
        description="Of spearman rho, -1 to 1; of kruskal_wallis epsilon squared, 0 to 1. Null where it "
        "cannot be had."
    )
    n: Count = Field(description="Configurations that it is of.")
    missing: Count = Field(
        description="Configurations without the parameter: left out by spearman, a value of their own for "
        "kruskal_wallis."
    )
    values: Count = Field(description="Number of different values that are compared.")
    p_value: float | None = Field(description="Of chance alone.")
    q_value: float | None = Field(
        description="p_value adjusted for all associations of this answer, by Benjamini and Hochberg: of "
        "those below 0.05, one in twenty is expected to be chance."
    )
    rise_is_better: bool | None = Field(
        description="Whether the metric gets better as a number rises; null for a text, and where no rise is."
    )
    reason: StatisticReason | None = Field(
        description="Why there is no value: fewer than two values with "
        f"{FEWEST_OF_LEVEL} configurations each, for example. Null where there is one."
    )


class ConstantParameter(AnswerBody):
    """A parameter that never varied, so that nothing is known of what it does."""

    run_type: str
    kind: ParameterKind
    parameter: str
    value: FieldValue


class NamedParameter(AnswerBody):
    """A parameter or a tag of runs."""

    kind: ParameterKind
    parameter: str


class ParametersTogether(AnswerBody):
    """Parameters that moved together, so that what they do cannot be told apart."""

    run_type: str
    parameters: list[NamedParameter]
    strength: float = Field(
        ge=0,
        le=1,
        description="The larger of |Spearman| and Cramér's V, of the two that are linked least; "
        f"{TOGETHER} or more.",
    )


class IgnoredParameter(AnswerBody):
    """A parameter or tag that was not compared: a model_version or signal_version that follows from the
    parameters or names its run, or a text in which each run names itself."""

    run_type: str
    kind: ParameterKind
    parameter: str


class Confounded(AnswerBody):
    """What these runs cannot tell apart."""

    constant: list[ConstantParameter]
    together: list[ParametersTogether] = Field(description="The largest groups first.")
    ignored: list[IgnoredParameter]
    reason: StatisticReason | None = Field(description="Why not all is known; null where it is.")


class DriversMethods(AnswerBody):
    """How each part is computed."""

    pairs: StatisticMethod
    spearman: StatisticMethod
    kruskal_wallis: StatisticMethod
    q_value: StatisticMethod
    together: StatisticMethod


class DriversNotes(AnswerBody):
    """What each part says, and what it does not."""

    pairs: str
    associations: str
    confounded: str


class Drivers(AnswerBody):
    """Which change did it, as far as the runs of a strategy tell."""

    strategy_id: str
    metric: str
    direction: DriverDirection
    rule: str | None = Field(
        description="The rule that decided the direction; null where none fits the name and `max` is assumed."
    )
    runs: Count = Field(description="Runs of the strategy that match the filter; deleted ones do not count.")
    used: Count = Field(description="Those that have finished with a finite value of the metric.")
    run_types: list[ComparedRuns]
    pairs: list[MatchedPairs] = Field(
        description=f"At most {MOST_CHANGES}. First those whose interval is clear of 0, by how far; then "
        "those with an interval, by their mean; then the others, by mean · √n. A parameter of more than "
        f"{FEW_LEVELS} values is paired with its next value only."
    )
    pairs_total: Count = Field(description="How many changes there are.")
    associations: list[ParameterAssociation] = Field(description="The smallest p_value first.")
    confounded: Confounded = Field(
        description=f"Numbers of more than {MOST_BINS} values are compared by fifths as well."
    )
    methods: DriversMethods
    notes: DriversNotes
    index: IndexState
