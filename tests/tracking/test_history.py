"""The value of a history and the question for it."""

import numpy as np
import pytest

from service.tracking.history import NO_POINTS, GetHistory, History, last_by_step
from service.tracking.questions import FreshnessClass

NAN = float("nan")


def test_a_history_is_in_the_order_in_which_it_was_logged() -> None:
    """Points are in order of their times, then of their steps, however they come."""
    history = History.of([2, 1, 5], [20, 20, 10], [0.2, 0.1, 0.5])
    assert ([5, 1, 2], [10, 20, 20], [0.5, 0.1, 0.2]) == (
        history.steps.tolist(),
        history.times.tolist(),
        history.values.tolist(),
    )
    assert 3 == len(history)


def test_a_history_becomes_bytes_and_comes_back() -> None:
    """A store that replicas share gives back what it was given, NaN and the ends of int64 among it."""
    history = History.of([-(2**63), 2**63 - 1], [0, 1], [NAN, float("-inf")])
    codec = GetHistory.codec
    assert history == codec.decode(codec.encode(history))
    assert NO_POINTS == codec.decode(codec.encode(NO_POINTS))


def test_equal_histories_are_equal() -> None:
    """Two readings of the same points are equal, so that what was made of one stays right."""
    assert History.of([0], [1], [NAN]) == History.of([0], [1], [NAN])
    assert History.of([0], [1], [1.0]) != History.of([0], [1], [2.0])


def test_a_point_takes_24_bytes() -> None:
    """The memory of a history is what its footprint says: 24 bytes a point, and little beside."""
    count = 100_000
    history = History.of(np.arange(count), np.arange(count), np.zeros(count))
    assert 24 * count <= history.footprint < 24 * count + 1_000


def test_nobody_can_change_a_history() -> None:
    """Who holds a history may keep it: its arrays are read only."""
    with pytest.raises(ValueError, match="read-only"):
        History.of([0], [1], [1.0]).values[0] = 2.0


def test_lists_of_other_lengths_are_refused() -> None:
    """A history needs a step and a time for each value."""
    with pytest.raises(ValueError, match="as many"):
        History.of([0, 1], [1], [1.0])


def test_a_history_ages_as_its_run() -> None:
    """That of a run that has ended is remembered for long; one without points for a short time."""
    history = History.of([0], [1], [1.0])
    assert FreshnessClass.ENDED_RUN is GetHistory("a", "loss", ended=True).freshness_of(history)
    assert FreshnessClass.ACTIVE_RUN is GetHistory("a", "loss", ended=False).freshness_of(history)
    assert FreshnessClass.MISSING is GetHistory("a", "loss", ended=True).freshness_of(NO_POINTS)


def test_the_last_value_of_a_step_counts() -> None:
    """Of a step that was logged twice, as by a run that was resumed, the later value counts."""
    history = History.of([1, 0, 1], [10, 20, 30], [1.0, 0.5, 1.5])
    assert {0: 0.5, 1: 1.5} == last_by_step(history)
