"""The breaker by itself, over a clock of the test's own."""

from service.upstream.breaker import Admission, Breaker


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def breaker(clock: Clock, failures: int = 3) -> Breaker:
    return Breaker(failures, 1.0, clock)


def state(one: Breaker) -> str:
    return one.state


def report(one: Breaker, *outcomes: bool | None) -> None:
    for went_well in outcomes:
        admission = one.admit()
        assert admission is not None
        one.report(admission, went_well=went_well)


def test_it_is_closed_while_calls_go_well() -> None:
    """Failures in between do not open it, and what says nothing does not count."""
    one = breaker(Clock())
    report(one, False, False, True, False, None, False, True)
    assert "closed" == state(one)
    assert Admission.CALL is one.admit()


def test_consecutive_failures_open_it() -> None:
    """So many in a row, and nothing is let through."""
    one = breaker(Clock())
    report(one, True, False, False, False)
    assert "open" == state(one)
    assert one.admit() is None


def test_half_of_many_calls_failing_opens_it() -> None:
    """A rate of a half over ten seconds opens it, but not over few calls, nor over old ones."""
    clock = Clock()
    one = breaker(clock, failures=100)
    report(one, *[False, True] * 9)
    assert "closed" == state(one)
    clock.now = 11
    report(one, *[True, False] * 9)
    assert "closed" == state(one)
    report(one, True, False)
    assert "open" == state(one)


def test_one_probe_at_a_time() -> None:
    """After the interval one call is let through, and no other until it is back."""
    clock = Clock()
    one = breaker(clock, failures=1)
    report(one, False)
    clock.now = 0.9
    assert one.admit() is None
    clock.now = 1.0
    assert Admission.PROBE is one.admit()
    assert (None, "half_open") == (one.admit(), state(one))
    one.report(Admission.PROBE, went_well=True)
    assert Admission.PROBE is one.admit()
    one.report(Admission.PROBE, went_well=True)
    assert "closed" == state(one)


def test_a_probe_that_fails_opens_it_again() -> None:
    """The interval starts anew, and good probes before do not count."""
    clock = Clock()
    one = breaker(clock, failures=1)
    report(one, False)
    clock.now = 1.0
    report(one, True, False)
    assert (None, "open") == (one.admit(), state(one))
    clock.now = 2.0
    report(one, True)
    assert "half_open" == state(one)


def test_a_probe_that_says_nothing_lets_the_next_one_try() -> None:
    """A probe that was cancelled, or met a full gate, neither closes nor opens it."""
    clock = Clock()
    one = breaker(clock, failures=1)
    report(one, False)
    clock.now = 1.0
    report(one, None)
    assert "half_open" == state(one)
    assert Admission.PROBE is one.admit()


def test_a_call_that_was_let_through_before_it_opened() -> None:
    """What comes back late changes nothing."""
    one = breaker(Clock(), failures=1)
    late = one.admit()
    assert late is not None
    report(one, False)
    one.report(late, went_well=True)
    assert "open" == state(one)
