"""What the index asks next, decided from plain values."""

from itertools import pairwise
from math import inf

import pytest

from service.index.schedule import IN_USE, Pace, Schedule, Step

NOW = 10_000.0


def after_a_tick(**state: bool) -> Schedule:
    """A schedule in use, right after experiments and runs were looked for."""
    schedule = Schedule(Pace(tick=2.0, share=0.1, first_share=0.25))
    schedule.searched = NOW
    schedule.has_experiments = True
    for name, value in state.items():
        setattr(schedule, name, value)
    for step in Step:
        schedule.rounds[step].begin(NOW)
        schedule.rounds[step].end()
    return schedule


def test_experiments_are_looked_for_first() -> None:
    """At the start nothing is known, so the experiments are asked for at once."""
    assert (Step.SCOPE, NOW) == Schedule(Pace()).next(NOW)


def test_a_tick_comes_each_two_seconds() -> None:
    """While somebody searches the next tick is due so long after the last one began."""
    schedule = after_a_tick()
    assert (None, NOW + 2) == schedule.next(NOW)
    assert (Step.TICK, NOW + 2) == schedule.next(NOW + 2)


def times_of_ticks(*costs: float) -> list[float]:
    """When ticks are made that take MLflow so many seconds, in seconds from the first."""
    schedule, now, times = after_a_tick(), NOW, list[float]()
    for step in set(Step) - {Step.TICK}:
        schedule.rounds[step].began = inf
    for cost in costs:
        times.append(round(now - NOW, 3))
        schedule.searched = schedule.rounds[Step.TICK].began = now
        schedule.spend(Step.TICK, now + cost, cost)
        _, now = schedule.next(now + cost)
    return times


def test_ticks_are_stretched() -> None:
    """Where each tick takes MLflow 0.6 s, there is soon one each 10 s: 60 % of the share of 0.1."""
    times = times_of_ticks(*[0.6] * 10)
    assert [0, 2, 4, 10] == times[:4]
    assert {10.0} == {round(after - before, 3) for before, after in pairwise(times[3:])}


def test_a_tick_that_is_slow_once_holds_up_none() -> None:
    """Among ticks that cost less than their part one may take MLflow 0.6 s."""
    costs = [0.1] * 40 + [0.6] + [0.1] * 40
    assert [2.0 * number for number in range(len(costs))] == times_of_ticks(*costs)


def test_a_tick_goes_before_all_else() -> None:
    """Rows that were shown, sweeps and the like wait for a tick that is due."""
    schedule = after_a_tick(has_shown=True, has_active=True)
    assert Step.TICK == schedule.next(NOW + 40)[0]


def test_no_page_begins_right_before_a_tick() -> None:
    """In the last quarter of the time to the next tick nothing else begins: it could hold the tick up."""
    schedule = after_a_tick(has_shown=True)
    assert Step.SHOWN == schedule.next(NOW + 1.4)[0]
    assert (None, NOW + 2) == schedule.next(NOW + 1.6)


def test_what_is_spent_is_waited_for() -> None:
    """After a call of a second nothing but ticks is made for ten, which is a share of 0.1."""
    schedule = after_a_tick(has_shown=True)
    schedule.spend(Step.SWEEP, NOW, 1.0)
    schedule.rounds[Step.TICK].began = NOW + 8.5
    assert (None, NOW + 9) == schedule.next(NOW + 8.5)
    assert Step.SHOWN == schedule.next(NOW + 9)[0]


def test_time_that_was_not_spent_is_not_saved_up() -> None:
    """After an hour of rest a call of a second is followed by the same pause."""
    schedule = after_a_tick(has_shown=True)
    schedule.spend(Step.SWEEP, NOW + 3_600, 1.0)
    assert NOW + 3_600 - 1 + 10 == schedule.free_at


def test_the_first_read_may_take_more() -> None:
    """While every run is read for the first time the greater share holds."""
    schedule = after_a_tick(is_reading=True)
    schedule.spend(Step.FIRST, NOW, 1.0)
    assert NOW - 1 + 4 == schedule.free_at


@pytest.mark.parametrize("step", [Step.SHOWN, Step.HOUR, Step.DAY, Step.ACTIVE, Step.SWEEP])
def test_nothing_else_is_verified_during_the_first_read(step: Step) -> None:
    """Before every run has been read nothing is shown from the index, so nothing is verified."""
    schedule = after_a_tick(is_reading=True, has_shown=True, has_active=True)
    schedule.rounds[step].began = -inf
    schedule.rounds[Step.TICK].began = NOW + 5
    assert Step.FIRST == schedule.next(NOW + 5)[0]


def test_a_quiet_service_asks_once_a_minute() -> None:
    """A minute after the last search a tick is due only a minute after the one before."""
    schedule = after_a_tick(has_shown=True)
    schedule.searched = NOW - IN_USE
    assert (None, NOW + 60) == schedule.next(NOW + 1)
    assert Step.TICK == schedule.next(NOW + 60)[0]


def test_a_quiet_service_looks_for_experiments_in_a_minute_of_its_own() -> None:
    """While nobody searches, experiments are not asked for less than a minute before or after runs."""
    schedule = after_a_tick()
    schedule.searched = -inf
    schedule.rounds[Step.TICK].began = NOW + 580
    assert (None, NOW + 640) == schedule.next(NOW + 600)
    schedule.rounds[Step.SCOPE].began = schedule.rounds[Step.TICK].began = NOW + 640
    assert (None, NOW + 700) == schedule.next(NOW + 641)


def test_whoever_comes_back_is_served_at_once() -> None:
    """The first search after a pause makes a tick due right then."""
    schedule = after_a_tick()
    schedule.searched = NOW + 50
    assert Step.SCOPE == schedule.next(NOW + 50)[0]
    schedule.rounds[Step.SCOPE].began = NOW + 50
    assert Step.TICK == schedule.next(NOW + 50)[0]


@pytest.mark.parametrize(("failures", "pause"), [(1, 2.0), (2, 4.0), (3, 8.0), (6, 60.0), (5_000, 60.0)])
def test_failures_are_followed_by_ever_longer_pauses(failures: int, pause: float) -> None:
    """The pause doubles from two seconds to a minute."""
    schedule = after_a_tick()
    own = schedule.rounds[Step.TICK]
    own.begin(NOW)
    schedule.searched = NOW + pause
    for _ in range(failures):
        own.fail(NOW, was_asked=True)
    assert NOW + pause == own.not_before
    assert Step.TICK != schedule.next(NOW + pause - 0.5)[0]
    schedule.rounds[Step.SCOPE].began = NOW + pause
    assert (Step.TICK, NOW + pause) == schedule.next(NOW + pause)


def test_what_was_held_back_is_soon_tried_again() -> None:
    """A call that the breaker or the limit held back cost MLflow nothing, however often that happens."""
    own = after_a_tick().rounds[Step.TICK]
    for _ in range(100):
        own.fail(NOW, was_asked=False)
    assert NOW + 1 == own.not_before


def test_mlflow_says_how_long_it_wants_to_be_left_alone() -> None:
    """A Retry-After that is longer than the pause counts."""
    own = after_a_tick().rounds[Step.SWEEP]
    own.fail(NOW, was_asked=True, retry_after=30)
    assert NOW + 30 == own.not_before


def test_a_failing_sweep_holds_up_no_tick() -> None:
    """Each kind of step has its own pause."""
    schedule = after_a_tick()
    schedule.rounds[Step.SWEEP].fail(NOW, was_asked=True)
    assert Step.TICK == schedule.next(NOW + 2)[0]


def test_without_experiments_only_experiments_are_asked_for() -> None:
    """Where none of the experiments exists there are no runs to look for."""
    schedule = after_a_tick()
    schedule.has_experiments = False
    assert Step.SCOPE == schedule.next(NOW + 59)[0]
    assert (None, NOW + 45) == schedule.next(NOW + 30)
