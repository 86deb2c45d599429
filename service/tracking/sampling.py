"""A history in the order of an axis, whole or as buckets that keep every spike. Pure."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from service.tracking.history import History, is_sorted

Axis = Literal["step", "time"]
_Integers = npt.NDArray[np.int64]
_Numbers = npt.NDArray[np.float64]


class Section(NamedTuple):
    """A part of an axis, with both ends; None where it has no end."""

    first: int | None = None
    last: int | None = None


WHOLE: Final = Section()


class Series(msgspec.Struct, frozen=True, gc=False):
    """A metric over an axis. n: points of the section. sampled: whether there are fewer entries than points.

    All lists are of one length. An entry of a sampled series is a bucket of neighbours along the axis: step,
    time and value are those of its last point; min, max and mean are of its finite values, NaN where it has
    none; count is of its points, and not_finite of those among them that are NaN or infinite. A series that
    is not sampled has an entry for each point and None for these.
    """

    n: int
    sampled: bool
    step: list[int]
    time: list[int]
    value: list[float]
    min: list[float] | None = None
    max: list[float] | None = None
    mean: list[float] | None = None
    count: list[int] | None = None
    not_finite: list[int] | None = None


def series_of(history: History, axis: Axis, most: int, section: Section = WHOLE) -> Series:
    """The series of a history, or of a section of it, with at most `most` entries, which is 1 or more.

    Points of one step are in the order of their times, and points of one time in that of their steps.
    """
    steps, times, values = in_order(history, axis)
    if section != WHOLE:
        part = _part(steps if axis == "step" else times, section)
        steps, times, values = steps[part], times[part], values[part]
    n = len(values)
    if n <= most:
        return Series(n, False, steps.tolist(), times.tolist(), values.tolist())
    starts = np.arange(most) * n // most  # as even as can be: no bucket is empty
    counts = np.diff(starts, append=n)
    last = starts + counts - 1
    is_finite = np.isfinite(values)
    finite = np.add.reduceat(is_finite.astype(np.int64), starts)
    lowest = np.fmin.reduceat(np.where(is_finite, values, np.nan), starts)
    highest = np.fmax.reduceat(np.where(is_finite, values, np.nan), starts)
    means = _means(np.where(is_finite, values, 0.0), starts, counts, finite)
    return Series(
        n,
        True,
        steps[last].tolist(),
        times[last].tolist(),
        values[last].tolist(),
        lowest.tolist(),
        highest.tolist(),
        np.clip(means, lowest, highest).tolist(),  # rounding may have taken it beyond them
        counts.tolist(),
        (counts - finite).tolist(),
    )


def in_order(history: History, axis: Axis) -> tuple[_Integers, _Integers, _Numbers]:
    """Steps, times and values of a history, in the order of the axis."""
    steps, times, values = history.steps, history.times, history.values
    if axis == "time" or is_sorted(steps, times):
        return steps, times, values
    order = np.lexsort((times, steps))
    return steps[order], times[order], values[order]


def _part(places: _Integers, section: Section) -> slice:
    """Where the places are that lie in the section; they are in order."""
    first, last = section
    begin = 0 if first is None else int(np.searchsorted(places, first, "left"))
    end = len(places) if last is None else int(np.searchsorted(places, last, "right"))
    return slice(begin, max(begin, end))


def _means(values: _Numbers, starts: _Integers, counts: _Integers, finite: _Integers) -> _Numbers:
    """Means of the finite values of buckets; of the others the value is 0 here.

    Each value is divided before it is added, for the sum may be more than a double can be.
    """
    shares = np.where(finite == 0, np.nan, 1.0 / np.maximum(finite, 1))
    means: _Numbers = np.add.reduceat(values * np.repeat(shares, counts), starts)
    return means
