"""The breaker by itself, with a clock that the test moves."""

from itertools import count

import pytest

from service.upstream.breaker import Breaker, Signal

SUCCESS, IGNORED, UNEXPECTED, FAILURE, UNREACHABLE = Signal


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def make_breaker(clock: Clock, failures: int = 3) -> Breaker:
    return Breaker(failures, 1.0, clock)


def state(breaker: Breaker) -> str:
    return breaker.state


def health(breaker: Breaker) -> str:
    return breaker.health


def report(breaker: Breaker, *signals: Signal, question: int | None = None) -> None:
    """Report the outcomes of calls, each of another question unless one is given."""
    for number, signal in zip(count(), signals, strict=False):
        permit = breaker.admit()
        assert permit is not None
        permit.report(signal, number if question is None else question)


def open_breaker(clock: Clock) -> Breaker:
    """A breaker that has just opened."""
    breaker = make_breaker(clock)
    report(breaker, UNREACHABLE, UNREACHABLE, UNREACHABLE)
    assert "open" == state(breaker)
    return breaker


def probe(breaker: Breaker, signal: Signal) -> None:
    """Send the health probe, as HealthProbe does, with this outcome."""
    assert 0 == breaker.due()
    breaker.begin()
    breaker.conclude(signal)


def test_stays_closed_while_calls_succeed() -> None:
    """Single failures between successes do not open the breaker, and ignored calls do not count."""
    breaker = make_breaker(Clock())
    report(breaker, FAILURE, FAILURE, SUCCESS, FAILURE, IGNORED, FAILURE, SUCCESS)
    assert ("closed", None) == (state(breaker), breaker.due())
    assert breaker.admit() is not None


def test_failures_of_calls_only_raise_suspicion() -> None:
    """However many questions fail, the breaker stays closed until the health probe fails, too."""
    breaker = make_breaker(Clock())
    report(breaker, *[FAILURE] * 50)
    assert ("closed", 0) == (state(breaker), breaker.due())
    probe(breaker, FAILURE)
    assert ("open", "failing") == (state(breaker), health(breaker))
    assert breaker.admit() is None


@pytest.mark.parametrize("signal", [SUCCESS, UNEXPECTED])
def test_an_answered_probe_clears_the_suspicion(signal: Signal) -> None:
    """Where the health probe is answered, be it by a refusal, failures are counted from the start again."""
    breaker = make_breaker(Clock())
    report(breaker, *[FAILURE] * 50)
    probe(breaker, signal)
    assert ("closed", None) == (state(breaker), breaker.due())
    report(breaker, FAILURE, FAILURE)
    assert breaker.due() is None


def test_the_probe_is_due_once_an_interval() -> None:
    """Further failures do not make the health probe due any sooner."""
    clock = Clock()
    breaker = make_breaker(clock)
    report(breaker, FAILURE, FAILURE, FAILURE)
    probe(breaker, SUCCESS)
    clock.now = 0.25
    report(breaker, FAILURE, FAILURE, FAILURE)
    assert 0.75 == breaker.due()
    clock.now = 1.0
    assert 0 == breaker.due()


def test_one_failing_question_does_not_open_it() -> None:
    """One question that fails does not open the breaker, even where the health probe fails, too."""
    clock = Clock()
    breaker = make_breaker(clock)
    report(breaker, *[FAILURE] * 30, question=1)
    probe(breaker, FAILURE)
    assert ("closed", "failing") == (state(breaker), health(breaker))
    report(breaker, *[FAILURE] * 30, question=1)
    assert "closed" == state(breaker)
    report(breaker, FAILURE, FAILURE, FAILURE)
    assert "open" == state(breaker)


def test_opens_once_enough_calls_fail_after_a_failed_probe() -> None:
    """After a failed probe, failures of calls open the breaker, unless a call succeeds in between."""
    breaker = make_breaker(Clock(), failures=5)
    report(breaker, FAILURE, FAILURE, FAILURE)
    probe(breaker, FAILURE)
    assert "closed" == state(breaker)
    report(breaker, FAILURE, FAILURE)
    assert "open" == state(breaker)
    breaker = make_breaker(Clock(), failures=5)
    report(breaker, FAILURE, FAILURE, FAILURE)
    probe(breaker, FAILURE)
    report(breaker, SUCCESS, *[FAILURE] * 9)
    assert "closed" == state(breaker)


def test_missing_connections_open_it_without_a_probe() -> None:
    """Calls that find no connection open the breaker without a probe, even for one question."""
    breaker = make_breaker(Clock())
    report(breaker, UNREACHABLE, UNREACHABLE, question=1)
    assert ("closed", "failing") == (state(breaker), health(breaker))
    report(breaker, UNREACHABLE, question=1)
    assert "open" == state(breaker)


def test_a_failure_rate_of_a_half_is_suspicious() -> None:
    """A rate of a half over ten seconds counts, but not over few calls, old ones, or one question."""
    clock = Clock()
    breaker = make_breaker(clock, failures=100)
    report(breaker, *[FAILURE, SUCCESS] * 9)
    assert breaker.due() is None
    clock.now = 11
    report(breaker, *[SUCCESS, FAILURE] * 9)
    assert breaker.due() is None
    report(breaker, SUCCESS, FAILURE)
    assert 0 == breaker.due()
    probe(breaker, FAILURE)
    assert "open" == state(breaker)
    breaker = make_breaker(clock, failures=100)
    report(breaker, *[FAILURE, SUCCESS] * 50, question=1)
    assert breaker.due() is None


def test_two_answered_probes_close_it() -> None:
    """After the interval the health probe is due, and two answers in a row close the breaker."""
    clock = Clock()
    breaker = open_breaker(clock)
    clock.now = 0.75
    assert 0.25 == breaker.due()
    clock.now = 1.0
    probe(breaker, SUCCESS)
    assert ("half_open", "ok", None) == (state(breaker), health(breaker), breaker.admit())
    probe(breaker, SUCCESS)
    assert "closed" == state(breaker)
    assert breaker.due() is None


def test_a_failed_probe_opens_it_again() -> None:
    """A failed probe starts the interval again, and answered probes before it do not count."""
    clock = Clock()
    breaker = open_breaker(clock)
    clock.now = 1.0
    probe(breaker, SUCCESS)
    probe(breaker, UNREACHABLE)
    assert ("open", "failing", 1.0) == (state(breaker), health(breaker), breaker.due())
    clock.now = 2.0
    probe(breaker, SUCCESS)
    assert "half_open" == state(breaker)


def test_unexpected_answers_to_probes_close_it() -> None:
    """A server that refuses the service answers: the breaker closes, so that callers learn of the refusal."""
    clock = Clock()
    breaker = open_breaker(clock)
    clock.now = 1.0
    probe(breaker, UNEXPECTED)
    probe(breaker, UNEXPECTED)
    assert ("closed", "failing") == (state(breaker), health(breaker))


def test_an_ignored_probe_changes_nothing() -> None:
    """A probe that could not be sent neither closes nor opens the breaker, and delays the next probe."""
    clock = Clock()
    breaker = open_breaker(clock)
    clock.now = 1.0
    probe(breaker, IGNORED)
    assert ("open", 1, 1.0) == (state(breaker), breaker.openings, breaker.due())


def test_a_permit_is_invalid_once_it_has_opened() -> None:
    """The outcome of a call from before the breaker opened changes nothing, while it is open or after."""
    clock = Clock()
    breaker = make_breaker(clock)
    late = breaker.admit()
    assert late is not None
    report(breaker, UNREACHABLE, UNREACHABLE, UNREACHABLE)
    late.report(SUCCESS, 1)
    assert ("open", "failing") == (state(breaker), health(breaker))
    clock.now = 1.0
    probe(breaker, SUCCESS)
    probe(breaker, SUCCESS)
    for number in range(10):
        late.report(UNREACHABLE, number)
    assert ("closed", "ok") == (state(breaker), health(breaker))


def test_tells_the_health_of_mlflow() -> None:
    """One failure does not change the known health; a few make the health probe due, which decides."""
    breaker = make_breaker(Clock(), failures=10)
    assert "unknown" == health(breaker)
    report(breaker, SUCCESS, FAILURE, IGNORED, UNEXPECTED)
    assert ("ok", None) == (health(breaker), breaker.due())
    report(breaker, UNEXPECTED)
    probe(breaker, UNEXPECTED)
    assert "failing" == health(breaker)
    report(breaker, SUCCESS)
    assert "ok" == health(breaker)
