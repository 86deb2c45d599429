"""Durations, counted."""

from service.durations import Durations


def test_buckets_are_cumulative() -> None:
    """Each bucket counts all that took no longer than its bound, and the last one counts all."""
    durations = Durations((0.5, 1.0))
    for seconds in (0.25, 0.5, 0.75, 2.0):
        durations.add(seconds)
    assert [("0.5", 2), ("1.0", 3), ("+Inf", 4)] == durations.buckets()
    assert 3.5 == durations.total


def test_buckets_start_at_zero() -> None:
    """Before the first duration all buckets are zero."""
    durations = Durations((0.5,))
    assert ([("0.5", 0), ("+Inf", 0)], 0.0) == (durations.buckets(), durations.total)
