"""The public contract of lineage: what callers send and get, as pydantic models."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

from service.api.schemas import AnswerBody, EpochMilliseconds, ProblemBody, RunDetail, RunStatus
from service.api.search_schemas import FieldValue


class LineageParameters(BaseModel):
    """The query parameters of a lineage. Unknown ones are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    ref: str = Field(
        min_length=1,
        description="What to find the makers of: a run id, `runs:/<id>/path`, an artifact URI (`s3://…`, "
        "`mlflow-artifacts:/…`, `dbfs:/…`, a path), `models:/name/version`, `models:/name@alias`, "
        "`models:/m-<id>`, `git:<commit>`, `dataset:<version or digest>`, `feature:<version>`, "
        "`signal:<version>` or `model:<version>`.",
        examples=["models:/forecast@champion"],
    )
    experiment_id: str | None = Field(
        None,
        description="Ids of experiments to look in, with commas between. Where there are none: the "
        "experiment of the run, and for tags the default experiment before all others.",
    )


class Evidence(RootModel[Literal["recorded", "derived", "tag"]]):
    """How something is known: MLflow has it on record, it follows from what is on record and was checked, or
    tags say so, which nobody has checked."""


class ReferenceKind(
    RootModel[
        Literal[
            "run",
            "artifact",
            "model_version",
            "logged_model",
            "git",
            "dataset",
            "feature",
            "signal",
            "model",
        ]
    ]
):
    """What a reference names."""


class MakingRun(RunDetail):
    """A run that made what the reference names, and how that is known."""

    experiment_id: str = Field(description="MLflow experiment identifier.")
    deleted: bool = Field(description="Whether the run has been deleted in MLflow.")
    evidence: Evidence
    by: str = Field(description="What says so, such as `model_version.run_id` or `tags.git_commit`.")


class LineageTrait(RootModel[Literal["strategy", "commit", "dataset", "features", "model", "signal"]]):
    """What runs of one session have in common."""


class RunRelation(RootModel[Literal["itself", "parent", "child", "sibling"]]):
    """What a run is to the run of the session, by `mlflow.parentRunId`."""


class SessionRun(AnswerBody):
    """A run of a session."""

    run_id: str
    run_name: str
    status: RunStatus
    start_time: EpochMilliseconds | None = Field(
        description="Unix epoch milliseconds when the run started; null where MLflow has no time."
    )
    end_time: EpochMilliseconds | None = Field(
        description="Unix epoch milliseconds when the run ended; null while it is active."
    )
    experiment_id: str
    shares: list[LineageTrait] = Field(description="What it shares with the run of the session.")
    relation: RunRelation | None = Field(description="Null where it is no relative of that run.")


class SessionRunType(AnswerBody):
    """The runs of a type in a session, oldest first."""

    run_type: str
    runs: list[SessionRun]


class LineageSession(AnswerBody):
    """The runs that share what one run comes from, and differ in nothing that both say."""

    run_id: str = Field(description="The run of the session: the newest of those that made it.")
    traits: dict[str, str] = Field(description="What that run says of itself, by trait.")
    runs: int = Field(ge=1, description="How many runs are shown.")
    run_types: list[SessionRunType] = Field(
        description="Training, walk-forward, CPCV, backtest, and others by name."
    )


class LineageNodeKind(RootModel[Literal["code", "dataset", "features", "run", "model", "signal"]]):
    """What a node stands for."""


class LineageNode(AnswerBody):
    """A node of the graph."""

    id: str = Field(
        description="Such as `run:<run id>`, `dataset_version:<tag>` or `dataset:<name>#<digest>`."
    )
    kind: LineageNodeKind
    name: str
    details: dict[str, str] = Field(description="What else is known of it, by name.")


class LineageRelation(RootModel[Literal["used_by", "made", "registered_as", "parent_of", "leads_to"]]):
    """How a node is related to the one that its edge leads to."""


class LineageEdge(AnswerBody):
    """An edge of the graph, in the direction of the data."""

    source: str = Field(description="The id of a node.")
    target: str = Field(description="The id of a node.")
    relation: LineageRelation
    evidence: Evidence
    by: str = Field(description="What says so, such as `tags.dataset_version`.")


class LineageCompleteness(AnswerBody):
    """What a run says of its lineage, and what it does not say."""

    run_id: str
    present: dict[str, str] = Field(description="The lineage tags that it bears, with their values.")
    missing: list[str] = Field(description="The lineage tags that it does not bear.")
    stand_ins: dict[str, str] = Field(
        description="Of tags that it lacks: MLflow's own tag that says the same."
    )
    has_uncommitted_changes: bool | None = Field(
        description="Whether its code had changes that were not committed; null where no tag says it."
    )
    uncommitted_by: str | None = Field(description="The tag that says so.")
    datasets: int = Field(ge=0, description="Datasets that MLflow has recorded as inputs.")
    models: int = Field(ge=0, description="Logged models that MLflow has recorded as inputs and outputs.")
    params: int = Field(ge=0, description="How many params it has.")
    seeds: list[str] = Field(description="The params whose names say that they are seeds.")


class ContradictionKind(RootModel[Literal["dataset_digest", "results", "commit"]]):
    """What is contradictory: a version of a dataset has several digests; the same commit, parameters and data
    have several results; one run names two commits."""


class ContradictionVariant(AnswerBody):
    """One of the values that cannot all be true."""

    value: FieldValue
    runs: int = Field(ge=1, description="How many runs say it.")
    run_ids: list[str] = Field(description="Some of them, oldest first.")


class Contradiction(AnswerBody):
    """What runs say that cannot all be true."""

    kind: ContradictionKind
    text: str
    what: str = Field(description="The name of the dataset, of the metric, or of the tags.")
    shared: dict[str, str] = Field(description="What the runs have in common.")
    variants: list[ContradictionVariant]
    absolute: float | None = Field(description="How far apart results are; null for what is no number.")
    relative: float | None = Field(description="The same as a share of the larger magnitude.")


class RegisteredVersion(AnswerBody):
    """A version in MLflow's model registry that the way to the runs led over."""

    name: str
    version: str
    run_id: str = Field(description="Empty where it was registered without a run.")
    source: str
    model_id: str
    status: str
    aliases: list[str]


class LineageModel(AnswerBody):
    """A logged model that the way to the runs led over."""

    model_id: str
    name: str
    source_run_id: str = Field(description="Empty where no run made it.")
    artifact_uri: str
    status: str


class LineageOutcome(
    RootModel[Literal["found", "missing", "no_run", "elsewhere", "unsupported", "forbidden"]]
):
    """What came of looking: `elsewhere` is the same path in another store, `no_run` says of no run."""


class LineageAttempt(AnswerBody):
    """One thing that was looked for."""

    what: str
    outcome: LineageOutcome


class LineageRemark(AnswerBody):
    """What was left out of the answer, and why."""

    code: str
    text: str


class Lineage(AnswerBody):
    """Which runs made something, the session that they belong to, and what all of it was made of."""

    ref: str
    kind: ReferenceKind
    runs: list[MakingRun] = Field(description="The runs that made it, newest first.")
    session: LineageSession
    nodes: list[LineageNode]
    edges: list[LineageEdge]
    completeness: list[LineageCompleteness] = Field(description="Of each run that made it.")
    contradictions: list[Contradiction]
    model_version: RegisteredVersion | None
    logged_model: LineageModel | None
    tried: list[LineageAttempt] = Field(description="All that was looked for to find the runs.")
    warnings: list[LineageRemark] = Field(description="What was not looked for or not shown.")


class LineageProblem(ProblemBody):
    """A request for something that no run is known to have made."""

    code: Literal["lineage_not_found"]
    ref: str
    tried: list[LineageAttempt]
