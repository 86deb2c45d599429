"""The breaker by itself, with a clock that the test moves."""

from itertools import count

import pytest

from service.upstream.breaker import Breaker, Signal

SUCCESS, IGNORED, UNEXPECTED, FAILURE, UNREACHABLE = Signal


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def breaker(clock: Clock, failures: int = 3) -> Breaker:
    return Breaker(failures, 1.0, clock)


def state(one: Breaker) -> str:
    return one.state


def health(one: Breaker) -> str:
    return one.health


def report(one: Breaker, *signals: Signal, question: int | None = None) -> None:
    """What came of so many calls, each of another question if not told."""
    for number, signal in zip(count(), signals, strict=False):
        permit = one.admit()
        assert permit is not None
        permit.report(signal, number if question is None else question)


def opened(clock: Clock) -> Breaker:
    """One that has opened just now."""
    one = breaker(clock)
    report(one, UNREACHABLE, UNREACHABLE, UNREACHABLE)
    assert "open" == state(one)
    return one


def ask(one: Breaker, signal: Signal) -> None:
    """Put the plain question, as whoever looks after MLflow does."""
    assert 0 == one.due()
    one.begin()
    one.conclude(signal)


def test_stays_closed_while_calls_succeed() -> None:
    """Single failures between successes do not open the breaker, and ignored calls do not count."""
    one = breaker(Clock())
    report(one, FAILURE, FAILURE, SUCCESS, FAILURE, IGNORED, FAILURE, SUCCESS)
    assert ("closed", None) == (state(one), one.due())
    assert one.admit() is not None


def test_failures_of_calls_only_raise_suspicion() -> None:
    """However many questions fail, the breaker stays closed until the health probe fails, too."""
    one = breaker(Clock())
    report(one, *[FAILURE] * 50)
    assert ("closed", 0) == (state(one), one.due())
    ask(one, FAILURE)
    assert ("open", "failing") == (state(one), health(one))
    assert one.admit() is None


@pytest.mark.parametrize("signal", [SUCCESS, UNEXPECTED])
def test_an_answered_probe_clears_the_suspicion(signal: Signal) -> None:
    """Where the health probe is answered, be it by a refusal, failures are counted from the start again."""
    one = breaker(Clock())
    report(one, *[FAILURE] * 50)
    ask(one, signal)
    assert ("closed", None) == (state(one), one.due())
    report(one, FAILURE, FAILURE)
    assert one.due() is None


def test_the_probe_is_due_once_an_interval() -> None:
    """Further failures do not make the health probe due any sooner."""
    clock = Clock()
    one = breaker(clock)
    report(one, FAILURE, FAILURE, FAILURE)
    ask(one, SUCCESS)
    clock.now = 0.25
    report(one, FAILURE, FAILURE, FAILURE)
    assert 0.75 == one.due()
    clock.now = 1.0
    assert 0 == one.due()


def test_one_failing_question_does_not_open_it() -> None:
    """One question that fails does not open the breaker, even where the health probe fails, too."""
    clock = Clock()
    one = breaker(clock)
    report(one, *[FAILURE] * 30, question=1)
    ask(one, FAILURE)
    assert ("closed", "failing") == (state(one), health(one))
    report(one, *[FAILURE] * 30, question=1)
    assert "closed" == state(one)
    report(one, FAILURE, FAILURE, FAILURE)
    assert "open" == state(one)


def test_opens_once_enough_calls_fail_after_a_failed_probe() -> None:
    """After a failed probe, failures of calls open the breaker, unless a call succeeds in between."""
    one = breaker(Clock(), failures=5)
    report(one, FAILURE, FAILURE, FAILURE)
    ask(one, FAILURE)
    assert "closed" == state(one)
    report(one, FAILURE, FAILURE)
    assert "open" == state(one)
    one = breaker(Clock(), failures=5)
    report(one, FAILURE, FAILURE, FAILURE)
    ask(one, FAILURE)
    report(one, SUCCESS, *[FAILURE] * 9)
    assert "closed" == state(one)


def test_missing_connections_open_it_without_a_probe() -> None:
    """Calls that find no connection open the breaker without a probe, even for one question."""
    one = breaker(Clock())
    report(one, UNREACHABLE, UNREACHABLE, question=1)
    assert ("closed", "failing") == (state(one), health(one))
    report(one, UNREACHABLE, question=1)
    assert "open" == state(one)


def test_a_failure_rate_of_a_half_is_suspicious() -> None:
    """A rate of a half over ten seconds counts, but not over few calls, old ones, or one question."""
    clock = Clock()
    one = breaker(clock, failures=100)
    report(one, *[FAILURE, SUCCESS] * 9)
    assert one.due() is None
    clock.now = 11
    report(one, *[SUCCESS, FAILURE] * 9)
    assert one.due() is None
    report(one, SUCCESS, FAILURE)
    assert 0 == one.due()
    ask(one, FAILURE)
    assert "open" == state(one)
    one = breaker(clock, failures=100)
    report(one, *[FAILURE, SUCCESS] * 50, question=1)
    assert one.due() is None


def test_two_answered_probes_close_it() -> None:
    """After the interval the health probe is due, and two answers in a row close the breaker."""
    clock = Clock()
    one = opened(clock)
    clock.now = 0.75
    assert 0.25 == one.due()
    clock.now = 1.0
    ask(one, SUCCESS)
    assert ("half_open", "ok", None) == (state(one), health(one), one.admit())
    ask(one, SUCCESS)
    assert "closed" == state(one)
    assert one.due() is None


def test_a_failed_probe_opens_it_again() -> None:
    """A failed probe starts the interval again, and answered probes before it do not count."""
    clock = Clock()
    one = opened(clock)
    clock.now = 1.0
    ask(one, SUCCESS)
    ask(one, UNREACHABLE)
    assert ("open", "failing", 1.0) == (state(one), health(one), one.due())
    clock.now = 2.0
    ask(one, SUCCESS)
    assert "half_open" == state(one)


def test_unexpected_answers_to_probes_close_it() -> None:
    """A server that refuses the service answers: the breaker closes, so that callers learn of the refusal."""
    clock = Clock()
    one = opened(clock)
    clock.now = 1.0
    ask(one, UNEXPECTED)
    ask(one, UNEXPECTED)
    assert ("closed", "failing") == (state(one), health(one))


def test_an_ignored_probe_changes_nothing() -> None:
    """A probe that could not be sent neither closes nor opens the breaker, and delays the next one."""
    clock = Clock()
    one = opened(clock)
    clock.now = 1.0
    ask(one, IGNORED)
    assert ("open", 1, 1.0) == (state(one), one.openings, one.due())


def test_a_permit_is_invalid_once_it_has_opened() -> None:
    """The outcome of a call from before the breaker opened changes nothing, while it is open or after."""
    clock = Clock()
    one = breaker(clock)
    late = one.admit()
    assert late is not None
    report(one, UNREACHABLE, UNREACHABLE, UNREACHABLE)
    late.report(SUCCESS, 1)
    assert ("open", "failing") == (state(one), health(one))
    clock.now = 1.0
    ask(one, SUCCESS)
    ask(one, SUCCESS)
    for number in range(10):
        late.report(UNREACHABLE, number)
    assert ("closed", "ok") == (state(one), health(one))


def test_tells_the_health_of_mlflow() -> None:
    """One failure does not change the known health; a few make the health probe due, which decides."""
    one = breaker(Clock(), failures=10)
    assert "unknown" == health(one)
    report(one, SUCCESS, FAILURE, IGNORED, UNEXPECTED)
    assert ("ok", None) == (health(one), one.due())
    report(one, UNEXPECTED)
    ask(one, UNEXPECTED)
    assert "failing" == health(one)
    report(one, SUCCESS)
    assert "ok" == health(one)
