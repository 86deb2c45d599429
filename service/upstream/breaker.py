"""A circuit breaker: it decides whether MLflow is asked. Pure, but for the clock that it is given."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import Enum, auto
from typing import Literal, NamedTuple

State = Literal["closed", "open", "half_open"]
Health = Literal["unknown", "ok", "failing"]

_WINDOW = 10.0  # seconds of calls that the failure rate is taken over
_MIN_CALLS = 20  # in the window, before a rate says anything
_RATE = 0.5
_MIN_QUESTIONS = 3  # different ones that must have failed: a single one may be the cause itself
_DOUBTFUL = 3  # consecutive calls that did not succeed before the health probe is sent
_GOOD_PROBES = 2


class Signal(Enum):
    """What the outcome of a call says about MLflow's health."""

    SUCCESS = auto()  # MLflow answered
    IGNORED = auto()  # it says nothing about MLflow
    UNEXPECTED = auto()  # something answered, but not as a healthy MLflow that accepts our credentials
    FAILURE = auto()  # caused by MLflow's state, or by the question itself
    UNREACHABLE = auto()  # no connection: no question can cause that


class Permit(NamedTuple):
    """What a call is admitted with. It is valid until the breaker opens.

    epoch: how often the breaker had opened when it gave this permit.
    """

    breaker: Breaker
    epoch: int

    @property
    def is_valid(self) -> bool:
        """Whether the breaker has not opened since."""
        return self == self.breaker.admit()

    def report(self, signal: Signal, question: int) -> None:
        """Tell the breaker how the call ended. question: the same number for the same question.

        A call from before the breaker opened says how MLflow was then, and does not count.
        """
        if self.is_valid:
            self.breaker.record(signal, question)


class Breaker:
    """A circuit breaker that tells an unhealthy MLflow from questions that fail by themselves.

    It is closed while MLflow is asked, open while MLflow is left alone, and half open between two probes.
    Failures of callers' questions only raise suspicion: `failures` consecutive ones, or half of the last ten
    seconds' calls, and over several different questions. The health probe, a question that depends on no
    caller, decides: `due` says when to send it, `begin` and `conclude` take its start and outcome. Only
    connections that cannot be made open the breaker without a probe. While it is open, a probe is sent once
    an interval (seconds); two in a row that are answered close it. clock: seconds, monotonic.
    """

    def __init__(self, failures: int, interval: float, clock: Callable[[], float]) -> None:
        self._max_failures = failures
        self._interval = interval
        self._clock = clock
        self._failures = 0  # consecutive
        self._not_successful = 0  # consecutive, with unexpected answers
        self._failed: set[int] = set()  # different questions among the failures
        self._calls: deque[tuple[float, int | None]] = deque(maxlen=1_000)  # and the question, if it failed
        self._probe_failed = False  # and nothing has succeeded since
        self._good_probes = 0
        self._next_probe = 0.0  # the earliest time
        self.state: State = "closed"
        self.health: Health = "unknown"
        self.openings = 0  # so far

    def admit(self) -> Permit | None:
        """A permit for one call; None while MLflow is left alone."""
        return Permit(self, self.openings) if self.state == "closed" else None

    def record(self, signal: Signal, question: int) -> None:
        """Count the outcome of a call whose permit is valid."""
        if signal is Signal.IGNORED:
            return
        if signal is Signal.SUCCESS:
            self.health = "ok"
            self._failures = self._not_successful = 0
            self._failed.clear()
            self._probe_failed = False
            self._calls.append((self._clock(), None))
            return
        self._not_successful += 1
        if signal is Signal.UNEXPECTED:
            return
        self._failures += 1
        self._calls.append((self._clock(), question))
        if len(self._failed) < _MIN_QUESTIONS:
            self._failed.add(question)
        if signal is Signal.UNREACHABLE:
            self.health = "failing"
        is_away = signal is Signal.UNREACHABLE and self._failures >= self._max_failures
        if is_away or (self._probe_failed and self._is_suspicious()):
            self._open()

    def due(self) -> float | None:
        """Seconds until the health probe is to be sent; None where there is no reason to send one."""
        if self.state == "half_open":
            return 0.0
        if self.state == "closed" and self._not_successful < _DOUBTFUL and not self._is_suspicious():
            return None
        return max(0.0, self._next_probe - self._clock())

    def begin(self) -> None:
        """The health probe is being sent."""
        self._next_probe = self._clock() + self._interval
        if self.state == "open":
            self.state = "half_open"

    def conclude(self, signal: Signal) -> None:
        """The health probe has ended."""
        if signal is Signal.IGNORED:
            if self.state == "half_open":
                self.state = "open"
            return
        self.health = "ok" if signal is Signal.SUCCESS else "failing"
        is_answered = signal in (Signal.SUCCESS, Signal.UNEXPECTED)
        if self.state != "closed":
            self._conclude_probe(is_answered=is_answered)
        elif is_answered:  # the failures are the questions' own
            self._forget()
        else:
            self._probe_failed = True
            if self._is_suspicious():
                self._open()

    def _conclude_probe(self, *, is_answered: bool) -> None:
        if not is_answered:
            self._open()
            return
        self._good_probes += 1
        if self._good_probes >= _GOOD_PROBES:
            self.state = "closed"
            self._forget()

    def _open(self) -> None:
        self.state = "open"
        self.health = "failing"
        self.openings += 1
        self._next_probe = self._clock() + self._interval
        self._good_probes = 0

    def _forget(self) -> None:
        self._good_probes = self._failures = self._not_successful = 0
        self._failed.clear()
        self._calls.clear()
        self._probe_failed = False

    def _is_suspicious(self) -> bool:
        if self._failures >= self._max_failures:
            return len(self._failed) >= min(_MIN_QUESTIONS, self._max_failures)
        oldest = self._clock() - _WINDOW
        while self._calls and self._calls[0][0] < oldest:
            self._calls.popleft()
        failed = [question for _, question in self._calls if question is not None]
        return (
            len(self._calls) >= _MIN_CALLS
            and len(failed) >= _RATE * len(self._calls)
            and len(set(failed)) >= _MIN_QUESTIONS
        )
