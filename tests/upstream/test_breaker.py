"""The breaker by itself, over a clock of the test's own."""

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


def test_it_is_closed_while_calls_go_well() -> None:
    """Failures in between do not open it, and what says nothing does not count."""
    one = breaker(Clock())
    report(one, FAILURE, FAILURE, SUCCESS, FAILURE, IGNORED, FAILURE, SUCCESS)
    assert ("closed", None) == (state(one), one.due())
    assert one.admit() is not None


def test_callers_failures_only_raise_suspicion() -> None:
    """However many questions fail, it stays closed until MLflow fails at the plain question, too."""
    one = breaker(Clock())
    report(one, *[FAILURE] * 50)
    assert ("closed", 0) == (state(one), one.due())
    ask(one, FAILURE)
    assert ("open", "failing") == (state(one), health(one))
    assert one.admit() is None


@pytest.mark.parametrize("signal", [SUCCESS, UNEXPECTED])
def test_failures_of_a_well_mlflow_are_the_questions_own(signal: Signal) -> None:
    """Where the plain question is answered, be it by a refusal, the count starts anew."""
    one = breaker(Clock())
    report(one, *[FAILURE] * 50)
    ask(one, signal)
    assert ("closed", None) == (state(one), one.due())
    report(one, FAILURE, FAILURE)
    assert one.due() is None


def test_the_plain_question_is_asked_once_an_interval() -> None:
    """Failures that go on bring it about no sooner."""
    clock = Clock()
    one = breaker(clock)
    report(one, FAILURE, FAILURE, FAILURE)
    ask(one, SUCCESS)
    clock.now = 0.25
    report(one, FAILURE, FAILURE, FAILURE)
    assert 0.75 == one.due()
    clock.now = 1.0
    assert 0 == one.due()


def test_one_question_that_fails_is_no_outage() -> None:
    """The same question, however often it fails, does not open it, even where the plain one fails."""
    clock = Clock()
    one = breaker(clock)
    report(one, *[FAILURE] * 30, question=1)
    ask(one, FAILURE)
    assert ("closed", "failing") == (state(one), health(one))
    report(one, *[FAILURE] * 30, question=1)
    assert "closed" == state(one)
    report(one, FAILURE, FAILURE, FAILURE)
    assert "open" == state(one)


def test_suspicion_after_a_plain_question_that_failed() -> None:
    """It opens as soon as enough calls have failed, unless one of them goes well in between."""
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


def test_nobody_to_connect_to_opens_it() -> None:
    """No question causes that, so that MLflow need not be asked, nor do the questions have to differ."""
    one = breaker(Clock())
    report(one, UNREACHABLE, UNREACHABLE, question=1)
    assert ("closed", "failing") == (state(one), health(one))
    report(one, UNREACHABLE, question=1)
    assert "open" == state(one)


def test_half_of_many_calls_failing_is_suspicious() -> None:
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


def test_probes() -> None:
    """After the interval MLflow is asked the plain question; two good answers in a row close it."""
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


def test_a_probe_that_fails_opens_it_again() -> None:
    """The interval starts anew, and good probes before do not count."""
    clock = Clock()
    one = opened(clock)
    clock.now = 1.0
    ask(one, SUCCESS)
    ask(one, UNREACHABLE)
    assert ("open", "failing", 1.0) == (state(one), health(one), one.due())
    clock.now = 2.0
    ask(one, SUCCESS)
    assert "half_open" == state(one)


def test_an_odd_answer_to_a_probe() -> None:
    """Who refuses the service answers promptly: callers are told so, instead of that nobody is asked."""
    clock = Clock()
    one = opened(clock)
    clock.now = 1.0
    ask(one, UNEXPECTED)
    ask(one, UNEXPECTED)
    assert ("closed", "failing") == (state(one), health(one))


def test_a_probe_that_says_nothing() -> None:
    """One that could not be made neither closes nor opens it; the next comes an interval later."""
    clock = Clock()
    one = opened(clock)
    clock.now = 1.0
    ask(one, IGNORED)
    assert ("open", 1, 1.0) == (state(one), one.openings, one.due())


def test_a_call_from_before_it_opened() -> None:
    """What comes back late changes nothing, while it is open or after."""
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


def test_health() -> None:
    """A failing question does not change it; a few odd or failing calls make MLflow be asked how it is."""
    one = breaker(Clock(), failures=10)
    assert "unknown" == health(one)
    report(one, SUCCESS, FAILURE, IGNORED, UNEXPECTED)
    assert ("ok", None) == (health(one), one.due())
    report(one, UNEXPECTED)
    ask(one, UNEXPECTED)
    assert "failing" == health(one)
    report(one, SUCCESS)
    assert "ok" == health(one)
