"""What is done with an entry at a given time: decided by values alone, without a loop or a clock."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.answer import Origin
from service.cache.freshness import Windows
from service.cache.memory import Entry
from service.cache.policy import RETRY_PAUSE, Step, bridges, next_step, remembered
from service.tracking.questions import GetRun
from service.tracking.runs import Run
from tests.tracking.values import make_run

ARRIVED = 1_000.0
WINDOWS = Windows(fresh=8, renewable=16, usable=64)
NO_WINDOWS = Windows(0, 0, 0)


def entry(
    arrived: float = ARRIVED, windows: Windows = WINDOWS, failed: float | None = None
) -> Entry[Run | None]:
    """What is remembered of a run."""
    made = Entry(GetRun("r"), make_run(), 0, arrived, windows)
    made.failed = failed
    return made


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (0, Step.FRESH),
        (7.75, Step.FRESH),
        (8, Step.RENEW),
        (15.75, Step.RENEW),
        (16, Step.ASK),
        (1_000, Step.ASK),
    ],
)
def test_the_step_follows_the_age(age: float, expected: Step) -> None:
    """An entry is given while fresh, given and renewed while renewable, and asked for after that."""
    assert expected is next_step(entry(), ARRIVED + age)


def test_what_is_not_remembered_is_asked_for() -> None:
    """Without an entry the source is asked, and a failure is not bridged."""
    assert Step.ASK is next_step(None, ARRIVED)
    assert not bridges(None, ARRIVED)


@pytest.mark.parametrize("age", [8, 15, 16, 63])
def test_a_renewal_that_failed_just_now_rests(age: float) -> None:
    """In the pause after a failure a usable entry is given without asking; then asking begins again."""
    now = ARRIVED + age
    assert Step.REST is next_step(entry(failed=now - RETRY_PAUSE + 0.0625), now)
    assert next_step(entry(failed=now - RETRY_PAUSE), now) in {Step.RENEW, Step.ASK}


def test_a_failure_makes_a_fresh_entry_no_worse() -> None:
    """An entry within its time to live is fresh, however lately a renewal failed."""
    assert Step.FRESH is next_step(entry(failed=ARRIVED), ARRIVED)


def test_an_entry_past_all_windows_does_not_rest() -> None:
    """What is too old to bridge a failure is asked for, even just after a failure."""
    now = ARRIVED + 64
    assert Step.ASK is next_step(entry(failed=now), now)
    assert not bridges(entry(), now)
    assert bridges(entry(), now - 0.25)


@pytest.mark.parametrize("failed", [None, ARRIVED])
def test_without_windows_everything_is_asked_for(failed: float | None) -> None:
    """Windows of 0 seconds give nothing from memory, at whatever age."""
    for age in (0, 0.25):
        assert Step.ASK is next_step(entry(windows=NO_WINDOWS, failed=failed), ARRIVED + age)


ages = st.floats(0, 200)


@given(ages, ages, st.none() | ages)
def test_no_step_gives_what_is_older_than_its_windows(
    age: float, older: float, failed_at: float | None
) -> None:
    """At any age and after any failure only a usable entry is given, and none gets fresh by getting older."""
    failed = None if failed_at is None else ARRIVED + failed_at
    step = next_step(entry(failed=failed), ARRIVED + age)
    if step in {Step.RENEW, Step.REST}:
        assert WINDOWS.fresh <= age < WINDOWS.usable
    if step is not Step.FRESH:
        assert Step.FRESH is not next_step(entry(failed=failed), ARRIVED + age + older)


def test_an_answer_from_memory_tells_its_age_and_the_time_left() -> None:
    """Up to its time to live an entry is a hit, and from then on stale, with less than nothing left."""
    fresh, stale = remembered(entry(), ARRIVED + 3), remembered(entry(), ARRIVED + 9, waited=0.5)
    assert (3.0, Origin.HIT, 5.0, 0.0) == (fresh.age, fresh.origin, fresh.left, fresh.waited)
    assert (9.0, Origin.STALE, -1.0, 0.5) == (stale.age, stale.origin, stale.left, stale.waited)
    assert Origin.STALE is remembered(entry(), ARRIVED + 8).origin
