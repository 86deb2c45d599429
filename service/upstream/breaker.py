"""Decides whether MLflow is asked: one that is ill is left alone until it is well again. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import Enum, auto
from typing import Literal

State = Literal["closed", "open", "half_open"]
Health = Literal["unknown", "ok", "failing"]

_WINDOW = 10.0  # seconds of calls that the failure rate is taken over
_ENOUGH = 20  # calls in the window before a rate says anything
_RATE = 0.5
_DIFFERENT = 3  # questions that must have failed: one alone may be the cause itself
_DOUBTFUL = 3  # consecutive calls that did not go well before MLflow is asked how it is
_GOOD_PROBES = 2


class Sign(Enum):
    """What came of a call, as far as it tells how MLflow is."""

    WELL = auto()  # MLflow answered
    NOTHING = auto()  # it tells nothing
    ODD = auto()  # something answered, and not as MLflow does when it is well and lets us in
    DOUBT = auto()  # a failure that MLflow's state may have caused, or the question itself
    AWAY = auto()  # no connection: no question can cause that


class Breaker:
    """A circuit breaker: closed while MLflow is asked, open while it is left alone, half open between probes.

    What callers' questions cause only raises suspicion: so many consecutive failures, or half of the last
    ten seconds' calls, and over several different questions. Whether MLflow is ill, a plain question tells
    that depends on no caller: `due` says when to ask it, `conclude` takes its outcome. Only connections that
    cannot be made open the breaker without it. While it is open, the plain question is the probe, once an
    interval (seconds); two good ones in a row close it.
    """

    def __init__(self, failures: int, interval: float, clock: Callable[[], float]) -> None:
        self._most_failures = failures
        self._interval = interval
        self._clock = clock
        self._failures = 0  # consecutive
        self._not_well = 0  # the same, with odd answers
        self._failed: set[int] = set()  # different questions among the failures
        self._calls: deque[tuple[float, int | None]] = deque(maxlen=1_000)  # and the question, if it failed
        self._is_ill = False  # the plain question failed, and nothing has gone well since
        self._good_probes = 0
        self._not_before = 0.0  # when the plain question may be asked again
        self.state: State = "closed"
        self.health: Health = "unknown"
        self.openings = 0  # so far

    def admit(self) -> int | None:
        """What a call is to be reported with; None where none may be made now."""
        return self.openings if self.state == "closed" else None

    def report(self, admission: int, sign: Sign, question: int) -> None:
        """What came of an admitted call; question: the same number for the same question.

        A call from before the breaker opened says how MLflow was then, and is not counted.
        """
        if sign is Sign.NOTHING or admission != self.admit():
            return
        if sign is Sign.WELL:
            self.health = "ok"
            self._failures = self._not_well = 0
            self._failed.clear()
            self._is_ill = False
            self._calls.append((self._clock(), None))
            return
        self._not_well += 1
        if sign is Sign.ODD:
            return
        self._failures += 1
        self._calls.append((self._clock(), question))
        if len(self._failed) < _DIFFERENT:
            self._failed.add(question)
        if sign is Sign.AWAY:
            self.health = "failing"
        is_away = sign is Sign.AWAY and self._failures >= self._most_failures
        if is_away or (self._is_ill and self._is_suspicious()):
            self._open()

    def due(self) -> float | None:
        """Seconds until the plain question is to be asked; None where there is no reason to."""
        if self.state == "half_open":
            return 0.0
        if self.state == "closed" and self._not_well < _DOUBTFUL and not self._is_suspicious():
            return None
        return max(0.0, self._not_before - self._clock())

    def begin(self) -> None:
        """The plain question is being asked."""
        self._not_before = self._clock() + self._interval
        if self.state == "open":
            self.state = "half_open"

    def conclude(self, sign: Sign) -> None:
        """What came of the plain question."""
        if sign is Sign.NOTHING:
            if self.state == "half_open":
                self.state = "open"
            return
        self.health = "ok" if sign is Sign.WELL else "failing"
        answered = sign in (Sign.WELL, Sign.ODD)
        if self.state != "closed":
            self._conclude_probe(answered=answered)
        elif answered:  # the failures are the questions' own
            self._forget()
        else:
            self._is_ill = True
            if self._is_suspicious():
                self._open()

    def _conclude_probe(self, *, answered: bool) -> None:
        if not answered:
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
        self._not_before = self._clock() + self._interval
        self._good_probes = 0

    def _forget(self) -> None:
        self._good_probes = self._failures = self._not_well = 0
        self._failed.clear()
        self._calls.clear()
        self._is_ill = False

    def _is_suspicious(self) -> bool:
        if self._failures >= self._most_failures:
            return len(self._failed) >= min(_DIFFERENT, self._most_failures)
        oldest = self._clock() - _WINDOW
        while self._calls and self._calls[0][0] < oldest:
            self._calls.popleft()
        failed = [question for _, question in self._calls if question is not None]
        return (
            len(self._calls) >= _ENOUGH
            and len(failed) >= _RATE * len(self._calls)
            and len(set(failed)) >= _DIFFERENT
        )
