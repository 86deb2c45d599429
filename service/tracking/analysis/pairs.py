"""Matched pairs: configurations that differ in one parameter alone, and what that came to. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from service.tracking.analysis.computed import TOO_FEW_TRIALS, Method, Reason
from service.tracking.analysis.configurations import Configurations, Factor, Floats, Level
from service.tracking.directions import Direction
from service.tracking.search.fields import Field
from service.tracking.statistics import t_quantile

MOST_CHANGES: Final = 50
FEWEST_FOR_INTERVAL: Final = 5
FEW_LEVELS: Final = 12  # of a parameter, of which each is paired with each; of more, only neighbours
EXAMPLES: Final = 3
LEVEL: Final = 0.95

METHOD: Final = Method(
    "matched pairs",
    "Student's t on the differences of pairs",
    {"confidence": LEVEL, "ddof": 1, "fewest_for_interval": FEWEST_FOR_INTERVAL, "few_levels": FEW_LEVELS},
)
_TOO_FEW: Final = Reason(
    TOO_FEW_TRIALS, f"an interval needs {FEWEST_FOR_INTERVAL} pairs; run the change in more settings"
)
_SEED: Final = 20_260_101

_Ints = NDArray[np.intp]


class Change(msgspec.Struct, frozen=True, gc=False):
    """What the metric did where one parameter went from one level to another and nothing else did.

    n: pairs of configurations. mean, median: of the differences, in units of the metric. share_positive: of
    the pairs in which the metric rose. share_better: of those in which it got better, None where no direction
    is better. ci_low, ci_high: the 95 % interval of the mean; None where there is none, for the `reason`.
    examples: run ids before and after, the pairs that are nearest to the median first.
    """

    run_type: str
    field: Field
    before: Level
    after: Level
    n: int
    mean: float
    median: float
    share_positive: float
    share_better: float | None
    ci_low: float | None
    ci_high: float | None
    reason: Reason | None
    examples: tuple[tuple[str, str], ...]


class Changes(msgspec.Struct, frozen=True, gc=False):
    """The changes that matter most, at most MOST_CHANGES. total: of all changes that pairs tell of."""

    changes: tuple[Change, ...]
    total: int


class _Pairs(NamedTuple):
    """Of each pair the places of its configurations, and a number for its factor and both levels."""

    before: _Ints
    after: _Ints
    change: NDArray[np.int64]


class _Summary(NamedTuple):
    """The pairs of a run type in the order of their change and difference, and a figure for each change."""

    configurations: Configurations
    pairs: _Pairs
    differences: Floats
    start: _Ints
    n: _Ints
    mean: Floats
    median: Floats
    positive: Floats
    better: Floats
    half: Floats  # of the interval; NaN where there is none


def changes_of(strata: Sequence[Configurations], direction: Direction) -> Changes:
    """What each change of one parameter did, within each run type.

    Each level is paired with each other one that was tried in the same setting, or with the next one where
    the parameter has more than FEW_LEVELS levels. First come the changes whose interval is clear of zero, by
    how far; then those with an interval, by the mean; then those without, by mean · √n.
    """
    summaries = [summary for each in strata if (summary := _summarize(each, direction)) is not None]
    if not summaries:
        return Changes((), 0)
    ranks = np.concatenate([_ranks(summary) for summary in summaries], axis=1)
    owners = np.repeat(np.arange(len(summaries)), [len(summary.n) for summary in summaries])
    places = np.concatenate([np.arange(len(summary.n)) for summary in summaries])
    first = np.lexsort((places, owners, -ranks[1], ranks[0]))[:MOST_CHANGES]
    changes = tuple(_change(summaries[owners[each]], int(places[each]), direction) for each in first)
    return Changes(changes, len(places))


def _summarize(configurations: Configurations, direction: Direction) -> _Summary | None:
    pairs = _pairs_of(configurations)
    if not len(pairs.before):
        return None
    values = configurations.values
    differences = values[pairs.after] - values[pairs.before]
    order = np.lexsort((differences, pairs.change))
    pairs = _Pairs(pairs.before[order], pairs.after[order], pairs.change[order])
    differences = differences[order]
    _, start, n = np.unique(pairs.change, return_index=True, return_counts=True)
    mean = np.add.reduceat(differences, start) / n
    deviations = differences - np.repeat(mean, n)
    sd = np.sqrt(np.add.reduceat(deviations * deviations, start) / np.maximum(n - 1, 1))
    quantiles = {
        size: t_quantile((1 + LEVEL) / 2, size - 1) for size in {*n.tolist()} if size >= FEWEST_FOR_INTERVAL
    }
    half = np.array([quantiles.get(size, np.nan) for size in n.tolist()]) * sd / np.sqrt(n)
    middle = (differences[start + (n - 1) // 2] + differences[start + n // 2]) / 2
    merit = _merit(values, direction)
    better = merit[pairs.after] > merit[pairs.before]
    return _Summary(
        configurations,
        pairs,
        differences,
        start,
        n,
        mean,
        middle,
        np.add.reduceat((differences > 0).astype(np.float64), start) / n,
        np.add.reduceat(better.astype(np.float64), start) / n,
        half,
    )


def _pairs_of(configurations: Configurations) -> _Pairs:
    """All pairs that differ in one factor, as changes from a level to a higher one."""
    factors = configurations.factors
    if not factors or len(configurations.values) == 1:
        none = np.zeros(0, np.intp)
        return _Pairs(none, none, np.zeros(0, np.int64))
    codes = np.stack([factor.codes for factor in factors], axis=1)
    weights = _weights(factors)
    own = np.stack([weight[factor.codes] for weight, factor in zip(weights, factors, strict=True)], axis=1)
    whole = own.sum(axis=1, dtype=np.uint64)
    found = [_pairs_in(whole - own[:, place], factor, place, codes) for place, factor in enumerate(factors)]
    width = max(len(factor.levels) for factor in factors)
    changes = [
        (place * width + codes[before, place].astype(np.int64)) * width + codes[after, place]
        for place, (before, after) in enumerate(found)
    ]
    return _Pairs(
        np.concatenate([before for before, _ in found]),
        np.concatenate([after for _, after in found]),
        np.concatenate(changes),
    )


def _weights(factors: Sequence[Factor]) -> list[NDArray[np.uint64]]:
    """A random number for each level: the sum over all factors but one names a setting."""
    random = np.random.default_rng(_SEED)
    return [random.integers(0, 2**64, len(factor.levels), np.uint64, endpoint=False) for factor in factors]


def _pairs_in(
    settings: NDArray[np.uint64], factor: Factor, place: int, codes: NDArray[np.int32]
) -> tuple[_Ints, _Ints]:
    """The pairs that differ in this factor alone. settings: of all other factors together."""
    order = np.lexsort((factor.codes, settings))
    settings = settings[order]
    farthest = len(factor.levels) - 1 if len(factor.levels) <= FEW_LEVELS else 1
    before, after = [], []
    for distance in range(1, farthest + 1):
        same = np.flatnonzero(settings[distance:] == settings[:-distance])
        if not len(same):
            break
        before.append(order[same])
        after.append(order[same + distance])
    if not before:
        return order[:0], order[:0]
    left, right = np.concatenate(before), np.concatenate(after)
    # Two settings may have one sum by chance: what counts is that the pair differs once.
    once = (codes[left] != codes[right]).sum(axis=1) == 1
    alone = once & (codes[left, place] != codes[right, place])
    return left[alone], right[alone]


def _merit(values: Floats, direction: Direction) -> Floats:
    """Numbers that are higher where the metric is better."""
    if direction is Direction.MIN:
        return -values
    return -np.abs(values) if direction is Direction.CLOSEST_TO_ZERO else values


def _ranks(summary: _Summary) -> Floats:
    """The class of each change, the lower the better, and its weight within it."""
    size = np.abs(summary.mean)
    has_interval = ~np.isnan(summary.half)
    clear = has_interval & (size > summary.half)
    kind = np.where(clear, 0, np.where(has_interval, 1, 2))
    with np.errstate(invalid="ignore"):
        weight = np.where(clear, size - summary.half, np.where(has_interval, size, size * np.sqrt(summary.n)))
    return np.stack([kind.astype(np.float64), weight])


def _change(summary: _Summary, place: int, direction: Direction) -> Change:
    pairs, configurations = summary.pairs, summary.configurations
    start, n = int(summary.start[place]), int(summary.n[place])
    one = int(pairs.before[start]), int(pairs.after[start])
    factor = next(factor for factor in configurations.factors if factor.codes[one[0]] != factor.codes[one[1]])
    mean, median, half = (float(each[place]) for each in (summary.mean, summary.median, summary.half))
    distances = np.abs(summary.differences[start : start + n] - median)
    nearest = start + np.argsort(distances, kind="stable")[:EXAMPLES]
    run_ids = configurations.run_ids
    has_interval = n >= FEWEST_FOR_INTERVAL
    return Change(
        configurations.run_type,
        factor.field,
        factor.levels[factor.codes[one[0]]],
        factor.levels[factor.codes[one[1]]],
        n,
        mean,
        median,
        float(summary.positive[place]),
        None if direction is Direction.NONE else float(summary.better[place]),
        mean - half if has_interval else None,
        mean + half if has_interval else None,
        None if has_interval else _TOO_FEW,
        tuple((run_ids[pairs.before[each]], run_ids[pairs.after[each]]) for each in nearest),
    )
