"""What runs say that cannot all be true: a version of a dataset with several contents, or the same work with
several results. Pure.

Results are compared between runs of one type that share strategy, commit, data, features, model, signal and
every param, and have finished. Runs of one parent are parts of it (folds, paths) and are not compared, nor
are runs that differ in a tag that names a part. How long a run took and what memory it took are no results.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Final

import msgspec

from service.tracking.lineage.completeness import seeds_of
from service.tracking.lineage.session import parent_of
from service.tracking.lineage.traits import Trait, commit_of, traits_of, uncommitted
from service.tracking.names import words_of
from service.tracking.runs import Run

MOST: Final = 50  # contradictions that are listed
MOST_RUN_IDS: Final = 20  # of each value in one
NOISE: Final = 1e-9  # of a value: sums in another order differ by less

# Words in names of metrics that say how a run went, not what came out.
_NO_RESULTS: Final = frozenset(
    {"time", "seconds", "secs", "duration", "runtime", "elapsed", "latency", "timestamp", "memory", "system"}
)
# Words in names of tags that say which part of the work a run is.
_PARTS: Final = frozenset(
    {"fold", "split", "path", "part", "window", "period", "symbol", "asset", "seed", "trial", "iteration"}
)


class ContradictionKind(StrEnum):
    """What is contradictory.

    DATASET: a version of a dataset has several digests. RESULTS: the same code, params and data have several
    results. COMMIT: one run names two commits.
    """

    DATASET = "dataset_digest"
    RESULTS = "results"
    COMMIT = "commit"


class Variant(msgspec.Struct, frozen=True, gc=False):
    """One of the values. run_ids: of runs that say it, at most MOST_RUN_IDS of `runs`, oldest first."""

    value: str | float
    runs: int
    run_ids: tuple[str, ...]


class Contradiction(msgspec.Struct, frozen=True, gc=False):
    """A contradiction. text: a sentence on it. what: the name of the dataset, the metric or the tags.

    shared: what the runs have in common, by name. absolute: how far apart the results are; relative: that by
    the larger of the two magnitudes, 0.0 to 2.0.
    """

    kind: ContradictionKind
    text: str
    what: str
    shared: Mapping[str, str]
    variants: tuple[Variant, ...]
    absolute: float | None = None
    relative: float | None = None


def contradictions_in(runs: Iterable[Run]) -> tuple[Contradiction, ...]:
    """The contradictions in some runs, those of datasets first."""
    distinct = {run.run_id: run for run in runs}
    ordered = sorted(distinct.values(), key=_in_time)
    return (*_of_commits(ordered), *_of_datasets(ordered), *_of_results(ordered))


def _of_commits(runs: Sequence[Run]) -> Iterable[Contradiction]:
    for run in runs:
        own, mlflows = run.tags.get("git_commit"), run.tags.get("mlflow.source.git.commit")
        if own and mlflows and not _is_one_commit(own, mlflows):
            yield Contradiction(
                ContradictionKind.COMMIT,
                "The run names one commit in its tag and another one in MLflow's own.",
                "git_commit, mlflow.source.git.commit",
                {},
                (Variant(own, 1, (run.run_id,)), Variant(mlflows, 1, (run.run_id,))),
            )


def _is_one_commit(one: str, other: str) -> bool:
    short, long = sorted((commit_of(one), commit_of(other)), key=len)
    return long.startswith(short)


def _of_datasets(runs: Iterable[Run]) -> Iterable[Contradiction]:
    found: defaultdict[tuple[str, str, str], defaultdict[tuple[str, ...], list[Run]]]
    found = defaultdict(lambda: defaultdict(list))
    for run in runs:
        version = run.tags.get("dataset_version")
        if not version or run.recorded is None:
            continue
        digests: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        for dataset in run.recorded.datasets:
            if dataset.digest:
                digests[dataset.name, dataset.context].add(dataset.digest)
        for (name, context), own in digests.items():
            found[version, name, context][tuple(sorted(own))].append(run)
    for (version, name, context), by_digest in found.items():
        if len(by_digest) > 1:
            shared = {"dataset_version": version, **({"context": context} if context else {})}
            yield Contradiction(
                ContradictionKind.DATASET,
                f"Runs of dataset version {version} recorded {name or 'it'} with {len(by_digest)} different "
                "digests: one version stands for different contents.",
                name,
                shared,
                tuple([_variant(", ".join(digest), own) for digest, own in by_digest.items()]),
            )


def _of_results(runs: Iterable[Run]) -> Iterable[Contradiction]:
    groups: defaultdict[Hashable, list[Run]] = defaultdict(list)
    for run in runs:
        key = _identity(run)
        if key is not None and run.status == "FINISHED":
            groups[key].append(run)
    for alike in groups.values():
        parts = _without_siblings(alike)
        if len(parts) > 1:
            yield from _different_metrics(parts)


def _identity(run: Run) -> Hashable | None:
    """What has to be equal where results are to be equal; None where the run does not say enough."""
    traits = traits_of(run)
    data = _data_of(run)
    if Trait.COMMIT not in traits or not data or not run.params:
        return None
    commit = commit_of(traits[Trait.COMMIT].value)
    others = tuple([(trait, one.value) for trait, one in traits.items() if trait is not Trait.COMMIT])
    tags = tuple(sorted([(name, value) for name, value in run.tags.items() if _names_a_part(name)]))
    return commit, others, data, run.run_type, frozenset(run.params.items()), tags


def _data_of(run: Run) -> tuple[tuple[str, str], ...] | str | None:
    recorded = run.recorded
    digests = () if recorded is None else tuple(sorted([(one.name, one.digest) for one in recorded.datasets]))
    return digests or run.tags.get("dataset_version")


@lru_cache(maxsize=4_096)
def _names_a_part(tag: str) -> bool:
    return not tag.startswith("mlflow.") and not _PARTS.isdisjoint(words_of(tag))


def _without_siblings(runs: Sequence[Run]) -> list[Run]:
    """The runs but those that are parts of one parent."""
    counts: defaultdict[str, int] = defaultdict(int)
    for run in runs:
        counts[parent_of(run)] += 1
    return [run for run in runs if not parent_of(run) or counts[parent_of(run)] == 1]


def _different_metrics(runs: Sequence[Run]) -> Iterable[Contradiction]:
    names = {name: None for run in runs for name in run.metrics if _NO_RESULTS.isdisjoint(words_of(name))}
    for name in sorted(names):
        values: defaultdict[float, list[Run]] = defaultdict(list)
        for run in runs:
            value = run.metrics.get(name)
            if value is not None and math.isfinite(value):
                values[value].append(run)
        if len(values) < 2:  # noqa: PLR2004 - two differ
            continue
        low, high = min(values), max(values)
        largest = max(abs(low), abs(high))
        absolute, relative = high - low, high / largest - low / largest  # the difference may be infinite
        if relative > NOISE:
            yield Contradiction(
                ContradictionKind.RESULTS,
                _text_of_results(name, runs),
                name,
                _shared_of(runs[0]),
                tuple([_variant(value, values[value]) for value in sorted(values)]),
                absolute,
                relative,
            )


def _text_of_results(name: str, runs: Sequence[Run]) -> str:
    text = f"{len(runs)} runs with the same commit, parameters and data differ in {name}."
    if any(uncommitted(run).value for run in runs):
        return f"{text} Some had changes that were not committed, so their code may have been another one."
    if not seeds_of(runs[0]):
        return f"{text} No parameter is a seed, so chance may be the reason."
    return text


def _shared_of(run: Run) -> dict[str, str]:
    traits = {one.tag: one.value for one in traits_of(run).values()}
    return {"run_type": run.run_type, **traits}


def _variant(value: str | float, runs: Sequence[Run]) -> Variant:
    return Variant(value, len(runs), tuple([run.run_id for run in runs[:MOST_RUN_IDS]]))


def _in_time(run: Run) -> tuple[float, str]:
    return float("inf") if run.start_time is None else run.start_time, run.run_id
