"""What a run says of where it comes from, by its tags. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from service.tracking.runs import Run

PARENT_TAG: Final = "mlflow.parentRunId"

# The tags that a complete run bears.
LINEAGE_TAGS: Final = (
    "strategy_id",
    "run_type",
    "git_commit",
    "dataset_version",
    "feature_version",
    "model_version",
    "signal_version",
)

# MLflow's own tag of the commit and of changes that were not committed (mlflow/utils/mlflow_tags.py), and
# others that are in use.
_STAND_INS: Final = {"git_commit": "mlflow.source.git.commit"}
_DIRTY_TAGS: Final = ("mlflow.source.git.dirty", "git_dirty", "git.dirty")
_DIFF_TAG: Final = "mlflow.source.git.diff"
_YES: Final = frozenset({"true", "1", "yes", "dirty"})
_NO: Final = frozenset({"false", "0", "no", "clean"})
_MARKS: Final = ("-dirty", "+")  # what `git describe --dirty` and Mercurial put behind a commit
SHORTEST_COMMIT: Final = 7  # characters of a commit that is cut short


class Trait(StrEnum):
    """What runs of one session have in common."""

    STRATEGY = "strategy"
    COMMIT = "commit"
    DATASET = "dataset"
    FEATURES = "features"
    MODEL = "model"
    SIGNAL = "signal"


TAG_OF: Final[Mapping[Trait, str]] = {
    Trait.STRATEGY: "strategy_id",
    Trait.COMMIT: "git_commit",
    Trait.DATASET: "dataset_version",
    Trait.FEATURES: "feature_version",
    Trait.MODEL: "model_version",
    Trait.SIGNAL: "signal_version",
}


class Tagged(NamedTuple):
    """A value and the tag that it is from."""

    tag: str
    value: str


class Uncommitted(NamedTuple):
    """Whether a run's code had changes that were not committed, and the tag that says it; None: unknown."""

    value: bool | None
    tag: str | None


def tags_of(trait: Trait) -> tuple[str, ...]:
    """The tags that a trait may be read from, the first that is there counts."""
    tag = TAG_OF[trait]
    return (tag, _STAND_INS[tag]) if tag in _STAND_INS else (tag,)


_NAMES: Final = tuple([(trait, tags_of(trait)) for trait in Trait])


def tagged(run: Run, tag: str) -> Tagged | None:
    """A lineage tag of a run, or MLflow's own tag in its place; None where both are missing or empty."""
    for name in (tag, _STAND_INS.get(tag, tag)):
        if value := run.tags.get(name):
            return Tagged(name, value)
    return None


def traits_of(run: Run) -> dict[Trait, Tagged]:
    """The traits that a run has."""
    tags, traits = run.tags, {}
    for trait, names in _NAMES:
        for name in names:
            if value := tags.get(name):
                traits[trait] = Tagged(name, value)
                break
    return traits


def is_same(trait: Trait, one: str, other: str) -> bool:
    """Whether two values are one. A commit that is cut short is the whole one that begins so."""
    if one == other:
        return True
    if trait is not Trait.COMMIT:
        return False
    short, long = sorted((commit_of(one), commit_of(other)), key=len)
    return short == long or (len(short) >= SHORTEST_COMMIT and long.startswith(short))


def commit_of(value: str) -> str:
    """The commit in a tag's value, without the mark of changes that were not committed."""
    commit = value.lower()
    for mark in _MARKS:
        commit = commit.removesuffix(mark)
    return commit


def uncommitted(run: Run) -> Uncommitted:
    """Whether the code of a run had changes that were not committed."""
    for tag in _DIRTY_TAGS:
        word = run.tags.get(tag, "").strip().lower()
        if word in _YES | _NO:
            return Uncommitted(word in _YES, tag)
    if run.tags.get(_DIFF_TAG):
        return Uncommitted(True, _DIFF_TAG)
    commit = tagged(run, "git_commit")
    if commit is not None and commit_of(commit.value) != commit.value.lower():
        return Uncommitted(True, commit.tag)
    return Uncommitted(None, None)
