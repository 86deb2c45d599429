"""What a reference was resolved to: the runs that made it, how that is known, and what was tried. Pure."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from service.tracking.lineage.questions import LoggedModel, ModelVersion
from service.tracking.lineage.refs import RefKind
from service.tracking.runs import Run


class Evidence(StrEnum):
    """How it is known that a run made something.

    RECORDED: MLflow has it on record. DERIVED: it follows from what is on record, and was checked. TAG: the
    run bears a tag that says so.
    """

    RECORDED = "recorded"
    DERIVED = "derived"
    TAG = "tag"


class Outcome(StrEnum):
    """What came of one attempt.

    MISSING: there is none, or none that may be read. NO_RUN: it is there, and names no run. ELSEWHERE: there
    is a run of that id, but its artifacts are at another place. UNSUPPORTED: the tracking server does not
    have such a thing. FORBIDDEN: it does not let this service read it.
    """

    FOUND = "found"
    MISSING = "missing"
    NO_RUN = "no_run"
    ELSEWHERE = "elsewhere"
    UNSUPPORTED = "unsupported"
    FORBIDDEN = "forbidden"


class Attempt(msgspec.Struct, frozen=True, gc=False):
    """One thing that was looked for, such as `model version forecast/3`, and what came of it."""

    what: str
    outcome: Outcome


class Maker(msgspec.Struct, frozen=True, gc=False):
    """A run that made what a reference names; it may be a deleted one.

    by: what says so: `run_id`, `model_version.run_id`, `logged_model.source_run_id`, `model_version.source`,
    `artifact_uri`, `dataset.digest`, or a tag, such as `tags.git_commit`.
    """

    run: Run
    evidence: Evidence
    by: str


class Resolved(msgspec.Struct, frozen=True, gc=False):
    """A reference and the runs that made what it names, of which there is at least one, newest first.

    model_version, logged_model: those that the way to the runs led over. tried: all that was looked for, in
    order. experiment_ids: where tags were looked for, () for references that are not found by tags.
    is_complete: false where more runs bear the tag than are answered.
    """

    ref: str
    kind: RefKind
    makers: tuple[Maker, ...]
    model_version: ModelVersion | None = None
    logged_model: LoggedModel | None = None
    tried: tuple[Attempt, ...] = ()
    experiment_ids: tuple[str, ...] = ()
    is_complete: bool = True

    @property
    def runs(self) -> tuple[Run, ...]:
        """The runs, newest first."""
        return tuple([maker.run for maker in self.makers])
