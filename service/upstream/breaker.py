"""Stops asking an MLflow that is ill, and finds out when it is well again."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import Enum, auto
from typing import Literal

State = Literal["closed", "open", "half_open"]

_WINDOW = 10.0  # seconds of calls that the failure rate is taken over
_ENOUGH = 20  # calls in the window before a rate says anything
_RATE = 0.5
_GOOD_PROBES = 2


class Admission(Enum):
    """What a call is let through as."""

    CALL = auto()
    PROBE = auto()


class Breaker:
    """A circuit breaker: closed while calls go well, open when they do not, half open while it is trying.

    It opens at so many consecutive failures, or when half of the last ten seconds' calls failed. While open
    it lets nothing through for an interval (seconds), then one probe at a time; two good ones close it.
    """

    def __init__(self, failures: int, interval: float, clock: Callable[[], float]) -> None:
        self._most_failures = failures
        self._interval = interval
        self._clock = clock
        self._failures = 0
        self._good_probes = 0
        self._is_probing = False
        self._opened_at = 0.0
        self._calls: deque[tuple[float, bool]] = deque(maxlen=1_000)
        self.state: State = "closed"
        self.openings = 0  # so far

    def admit(self) -> Admission | None:
        """Whether a call may be made now; one that is admitted must be reported."""
        if self.state == "closed":
            return Admission.CALL
        if self._is_probing or (self.state == "open" and self._clock() - self._opened_at < self._interval):
            return None
        self.state = "half_open"
        self._is_probing = True
        return Admission.PROBE

    def report(self, admission: Admission, *, went_well: bool | None) -> None:
        """How an admitted call went; None where it says nothing about MLflow's health."""
        if admission is Admission.PROBE:
            self._is_probing = False
            if went_well:
                self._good_probes += 1
                if self._good_probes >= _GOOD_PROBES:
                    self._close()
            elif went_well is False:
                self._open()
        elif self.state == "closed" and went_well is not None:
            self._failures = 0 if went_well else self._failures + 1
            self._calls.append((self._clock(), went_well))
            if not went_well and (self._failures >= self._most_failures or self._fails_too_often()):
                self._open()

    def _open(self) -> None:
        self.state = "open"
        self.openings += 1
        self._opened_at = self._clock()
        self._good_probes = 0

    def _close(self) -> None:
        self.state = "closed"
        self._good_probes = 0
        self._failures = 0
        self._calls.clear()

    def _fails_too_often(self) -> bool:
        oldest = self._clock() - _WINDOW
        while self._calls and self._calls[0][0] < oldest:
            self._calls.popleft()
        failed = sum(not went_well for _, went_well in self._calls)
        return len(self._calls) >= _ENOUGH and failed >= _RATE * len(self._calls)
