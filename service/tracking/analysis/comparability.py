"""Whether runs may be compared: what else than their parameters differs between them. Pure."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from itertools import chain
from typing import Final, NamedTuple

import msgspec

from service.tracking.directions import Decision
from service.tracking.names import words_of
from service.tracking.runs import Run

# Stable, for programs.
OTHER_DATASET: Final = "other_dataset"
OTHER_FEATURES: Final = "other_features"
OTHER_CODE: Final = "other_code"
OTHER_RUN_TYPE: Final = "other_run_type"
OTHER_EXPERIMENT: Final = "other_experiment"
DATASET_UNKNOWN: Final = "dataset_unknown"
FEATURES_UNKNOWN: Final = "features_unknown"
CODE_UNKNOWN: Final = "code_unknown"
RUN_TYPE_UNKNOWN: Final = "run_type_unknown"
UNCOMMITTED_CODE: Final = "uncommitted_code"
NOT_FINISHED: Final = "not_finished"
FAILED: Final = "failed"
DELETED: Final = "deleted"
VALUE_CUT_OFF: Final = "value_cut_off"
DIRECTION_ASSUMED: Final = "direction_assumed"
METRIC_MISSING: Final = "metric_missing"

WARNING_CODES: Final = (
    *(OTHER_DATASET, OTHER_FEATURES, OTHER_CODE, OTHER_RUN_TYPE, OTHER_EXPERIMENT),
    *(DATASET_UNKNOWN, FEATURES_UNKNOWN, CODE_UNKNOWN, RUN_TYPE_UNKNOWN, UNCOMMITTED_CODE),
    *(NOT_FINISHED, FAILED, DELETED, VALUE_CUT_OFF, DIRECTION_ASSUMED, METRIC_MISSING),
)

# Longest values of a parameter that releases of MLflow keep (mlflow/utils/validation.py): longer ones are
# cut off there, unless MLFLOW_TRUNCATE_LONG_VALUES is off.
_PARAM_LIMITS: Final = frozenset({250, 500, 6_000})
_SHORTEST_COMMIT = 7  # letters of a commit's hash that git shows at least
_SEEDS = ({"seed"}, {"random", "state"})


class RunWarning(msgspec.Struct, frozen=True, gc=False):
    """Why a comparison is doubtful. code: one of those above. text: a sentence or two.

    run_ids, metrics, params: what it is about; none of a kind where it is not about such.
    """

    code: str
    text: str
    run_ids: list[str] = []
    metrics: list[str] = []
    params: list[str] = []


class _Fact(NamedTuple):
    """Something that must be the same where runs are compared. of: "" where a run does not say it."""

    what: str
    of: Callable[[Run], str]
    other: str
    unknown: str


def code_of(run: Run) -> str:
    """The commit of the code that made a run; "" where it does not say it."""
    return run.tags.get("git_commit") or run.tags.get("mlflow.source.git.commit", "")


def _tag(name: str) -> Callable[[Run], str]:
    return lambda run: run.tags.get(name, "")


_FACTS: Final = (
    _Fact("dataset (tag dataset_version)", _tag("dataset_version"), OTHER_DATASET, DATASET_UNKNOWN),
    _Fact("features (tag feature_version)", _tag("feature_version"), OTHER_FEATURES, FEATURES_UNKNOWN),
    _Fact("code (tag git_commit)", code_of, OTHER_CODE, CODE_UNKNOWN),
    _Fact("run type (tag run_type)", _tag("run_type"), OTHER_RUN_TYPE, RUN_TYPE_UNKNOWN),
)


def warnings_of(
    runs: Sequence[Run], baseline: Run, decisions: Mapping[str, Decision]
) -> tuple[RunWarning, ...]:
    """What makes it doubtful to compare the runs with the baseline. decisions: of the metrics compared."""
    return tuple(_warnings(runs, baseline, decisions))


def repeats_of(runs: Sequence[Run]) -> list[list[str]]:
    """The ids of runs that repeat one configuration, group by group, each of two or more.

    They have the same code, dataset, features, run type and parameters, but for seeds. A run that does not
    say its code or dataset, or was made by code that was not committed, repeats none: nobody knows.
    """
    groups: defaultdict[object, list[str]] = defaultdict(list)
    names = [
        name for name in dict.fromkeys(chain.from_iterable(run.params for run in runs)) if not _is_seed(name)
    ]
    for run in runs:
        said = tuple(fact.of(run) for fact in _FACTS)
        params = tuple(map(run.params.get, names))
        if said[0] and code_of(run) and any(params) and not _is_uncommitted(run):
            groups[said, params].append(run.run_id)
    return [run_ids for run_ids in groups.values() if len(run_ids) > 1]


def _warnings(runs: Sequence[Run], baseline: Run, decisions: Mapping[str, Decision]) -> Iterator[RunWarning]:
    for fact in _FACTS:
        yield from _about(fact, runs, baseline)
    yield from _if_any(
        OTHER_EXPERIMENT,
        "These runs are of another experiment than the baseline.",
        [run for run in runs if run.experiment_id != baseline.experiment_id],
    )
    yield from _if_any(
        UNCOMMITTED_CODE,
        "The code of these runs had changes that were not committed: their commit does not say what ran.",
        filter(_is_uncommitted, runs),
    )
    yield from _if_any(
        NOT_FINISHED,
        "These runs have not ended: their metrics may still change.",
        [run for run in runs if not run.is_terminal],
    )
    yield from _if_any(
        FAILED,
        "These runs failed or were killed: their last values may be of an early step.",
        [run for run in runs if run.status in {"FAILED", "KILLED"}],
    )
    yield from _if_any(DELETED, "These runs are deleted in MLflow.", [run for run in runs if run.is_deleted])
    yield from _cut_off(runs, decisions)
    assumed = [name for name, decision in decisions.items() if decision.rule is None]
    if assumed:
        text = "No rule knows these metrics: that higher is better is assumed. Add rules where it is not so."
        yield RunWarning(DIRECTION_ASSUMED, text, metrics=assumed)
    missing = [name for name in decisions if not any(name in run.metrics for run in runs)]
    if missing:
        yield RunWarning(METRIC_MISSING, "None of the runs has these metrics.", metrics=missing)


def _about(fact: _Fact, runs: Sequence[Run], baseline: Run) -> Iterator[RunWarning]:
    said = {run.run_id: fact.of(run) for run in runs}
    base = said[baseline.run_id]
    unknown = [run_id for run_id, value in said.items() if not value]
    if base:
        other = [run_id for run_id, value in said.items() if value and not _is_same(fact, value, base)]
        if other:
            text = (
                f"These runs differ from the baseline in their {fact.what}, which may explain their results."
            )
            yield RunWarning(fact.other, text, other)
    if unknown and len(unknown) < len(said):
        text = f"These runs do not say their {fact.what}, which may differ from the baseline's."
        yield RunWarning(fact.unknown, text, unknown)


def _is_same(fact: _Fact, one: str, other: str) -> bool:
    """Whether two values are the same; of a commit, a part at its beginning is the same commit."""
    if fact.other != OTHER_CODE:
        return one == other
    shorter, longer = sorted((one.lower(), other.lower()), key=len)
    return one == other or (len(shorter) >= _SHORTEST_COMMIT and longer.startswith(shorter))


def _cut_off(runs: Sequence[Run], decisions: Mapping[str, Decision]) -> Iterator[RunWarning]:
    infinite = {run.run_id: names for run in runs if (names := _infinite(run, decisions))}
    if infinite:
        metrics = {name: None for names in infinite.values() for name in names}
        text = "These runs logged infinity, which MLflow may keep as the largest number: the value is null."
        yield RunWarning(VALUE_CUT_OFF, text, list(infinite), metrics=list(metrics))
    longest = {run.run_id: names for run in runs if (names := _longest(run))}
    if longest:
        params = {name: None for names in longest.values() for name in names}
        text = "These parameters are as long as MLflow keeps them: their ends may have been cut off."
        yield RunWarning(VALUE_CUT_OFF, text, list(longest), params=list(params))


def _infinite(run: Run, among: Container[str]) -> list[str]:
    if not any(map(math.isinf, filter(None, run.metrics.values()))):  # nearly always, and ten times as fast
        return []
    return [name for name, value in run.metrics.items() if value and math.isinf(value) and name in among]


def _longest(run: Run) -> list[str]:
    return [name for name, text in run.params.items() if len(text) in _PARAM_LIMITS]


def _if_any(code: str, text: str, runs: Sequence[Run] | Iterator[Run]) -> Iterator[RunWarning]:
    run_ids = [run.run_id for run in runs]
    if run_ids:
        yield RunWarning(code, text, run_ids)


def _is_uncommitted(run: Run) -> bool:
    return run.tags.get("mlflow.source.git.dirty", "").lower() == "true"


def _is_seed(name: str) -> bool:
    words = set(words_of(name))
    return any(seed <= words for seed in _SEEDS)
