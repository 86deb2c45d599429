"""Histories as series: the order of an axis, and buckets that lose nothing."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from service.tracking.history import NO_POINTS, History
from service.tracking.sampling import Axis, Section, series_of

NAN, INF = float("nan"), float("inf")
POINTS = st.lists(
    st.tuples(
        st.integers(-(2**63), 2**63 - 1),
        st.integers(0, 2**50),
        st.floats(width=64),
    ),
    max_size=60,
)


def history_of(points: list[tuple[int, int, float]]) -> History:
    return History.of(
        [step for step, _, _ in points], [time for _, time, _ in points], [v for _, _, v in points]
    )


def finite(values: list[float]) -> list[float]:
    return [value for value in values if math.isfinite(value)]


def test_a_history_that_fits_is_given_point_by_point() -> None:
    """As many points as are allowed are no buckets."""
    series = series_of(history_of([(0, 10, 1.5), (1, 20, 2.5)]), "step", 2)
    assert (2, False, [0, 1], [10, 20], [1.5, 2.5], None) == (
        series.n,
        series.sampled,
        series.step,
        series.time,
        series.value,
        series.min,
    )


def test_the_axis_decides_on_the_order() -> None:
    """A step that is logged late stands at its step, or at its time; negative steps come before 0."""
    history = history_of([(1, 10, 1.0), (0, 20, 0.0), (-3, 30, 3.0), (0, 15, 9.0)])
    assert [3.0, 9.0, 0.0, 1.0] == series_of(history, "step", 10).value
    assert [1.0, 9.0, 0.0, 3.0] == series_of(history, "time", 10).value


def test_a_section_has_the_points_between_its_ends() -> None:
    """Both ends belong to it, each may be missing, and the axis says whether they are steps or times."""
    history = history_of([(step, 100 - step, float(step)) for step in range(10)])
    assert [3.0, 4.0, 5.0] == series_of(history, "step", 10, Section(3, 5)).value
    assert [8.0, 9.0] == series_of(history, "step", 10, Section(8, None)).value
    assert [9.0, 8.0] == series_of(history, "time", 10, Section(None, 92)).value
    outside = series_of(history, "step", 10, Section(2**63 - 1, None))
    assert (0, False, []) == (outside.n, outside.sampled, outside.value)


@given(POINTS, st.integers(-(2**63), 2**63 - 1), st.integers(-(2**63), 2**63 - 1))
def test_sections_make_up_the_history(points: list[tuple[int, int, float]], first: int, last: int) -> None:
    """What lies before, in and after a section is the whole history, and nothing is there twice."""
    first, last = min(first, last), max(first, last)
    history = history_of(points)
    inside = series_of(history, "step", 100, Section(first, last))
    assert all(first <= step <= last for step in inside.step)
    outside = [step for step, _, _ in points if not first <= step <= last]
    assert len(points) == inside.n + len(outside)


def test_a_section_is_sampled_by_itself() -> None:
    """A part that is short enough is given point by point, a longer one in finer buckets."""
    history = history_of([(step, step, float(step)) for step in range(1_000)])
    short = series_of(history, "step", 10, Section(500, 504))
    assert (5, False) == (short.n, short.sampled)
    assert [10] * 10 == series_of(history, "step", 10, Section(500, 599)).count


def test_equal_steps_stay_points_of_their_own() -> None:
    """What was logged twice at one step is there twice, in the order of the times."""
    series = series_of(history_of([(0, 2, 5.0), (0, 1, 4.0), (0, 3, 4.0)]), "step", 10)
    assert ([0, 0, 0], [4.0, 5.0, 4.0]) == (series.step, series.value)


def test_a_bucket_sums_up_its_finite_values() -> None:
    """min, max and mean leave out what is not finite, and say how much that is."""
    values = [1.0, NAN, 3.0, INF, NAN, NAN]
    series = series_of(history_of([(step, step, value) for step, value in enumerate(values)]), "step", 2)
    assert ([2, 5], [2, 5], [3, 3], [1, 3]) == (series.step, series.time, series.count, series.not_finite)
    assert series.min is not None
    assert series.mean is not None
    assert (1.0, 2.0, 3.0) == (series.min[0], series.mean[0], series.value[0])
    assert math.isnan(series.min[1])
    assert math.isnan(series.mean[1])


def test_a_mean_does_not_overflow() -> None:
    """The mean of two of the largest numbers is one of them, though their sum is no double."""
    series = series_of(history_of([(0, 0, 1.7e308), (1, 1, 1.7e308)]), "step", 1)
    assert [1.7e308] == series.mean


def test_no_points_are_no_entries() -> None:
    """A history without points is a series without entries."""
    series = series_of(NO_POINTS, "time", 1)
    assert (0, False, [], []) == (series.n, series.sampled, series.step, series.value)


@given(POINTS, st.integers(1, 70), st.sampled_from(["step", "time"]))
def test_buckets_hold_every_point_and_every_spike(
    points: list[tuple[int, int, float]], most: int, axis: Axis
) -> None:
    """Counts add up to the points, extremes are those of the history, entries are in order of the axis."""
    series = series_of(history_of(points), axis, most)
    numbers = [series.value, series.min, series.max, series.mean]
    lengths = {len(column) for column in numbers if column is not None}
    lengths |= {len(series.step), len(series.time), len(series.count or series.step)}
    assert {min(most, len(points))} == lengths
    assert sorted(getattr(series, axis)) == getattr(series, axis)
    if series.sampled:
        assert series.min is not None
        assert series.max is not None
        assert series.mean is not None
        assert series.count is not None
        assert series.not_finite is not None
        values = finite([value for _, _, value in points])
        assert len(points) == sum(series.count)
        assert len(points) - len(values) == sum(series.not_finite)
        assert all(series.count)
        assert [min(values, default=None), max(values, default=None)] == [
            min(finite(series.min), default=None),
            max(finite(series.max), default=None),
        ]
        for low, mean, high in zip(series.min, series.mean, series.max, strict=True):
            assert low <= mean <= high or math.isnan(low)


@given(st.integers(0, 9_999), st.integers(1, 5_000), st.sampled_from([-1e9, 1e9]))
def test_a_spike_of_one_point_is_in_the_answer(place: int, most: int, spike: float) -> None:
    """One value among ten thousand is seen, however few entries are allowed."""
    values = np.sin(np.arange(10_000) / 50)
    values[place] = spike
    series = series_of(History.of(np.arange(10_000), np.arange(10_000), values), "step", most)
    assert series.min is not None
    assert series.max is not None
    assert spike in (min(series.min), max(series.max))
