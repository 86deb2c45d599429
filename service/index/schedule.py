"""What the index asks MLflow next, and when. Pure: times are handed in, in seconds of one monotonic clock."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from math import inf
from typing import Final, NamedTuple

import msgspec

IN_USE: Final = 60.0  # seconds after a search for which somebody is taken to be there
MOST_BEHIND: Final = 60.0  # seconds between two attempts at most, however often MLflow failed
_FIRST_PAUSE = 2.0  # seconds after the first failure; it doubles
_NOT_ASKED = 1.0  # seconds after a call that was held back: it cost MLflow nothing
_IDLE = 60.0  # seconds between two steps while nobody searches
_SCOPE = 45.0  # seconds between two looks for the experiments, and while nobody searches:
_SCOPE_IDLE = 600.0
_A_PAGE = 1.0  # seconds that MLflow takes for a page at most, about: a tick does not wait for one


class Step(StrEnum):
    """What can be done next, the most urgent first.

    SCOPE: look which experiments there are. TICK: look for new, active and ended runs. SHOWN: verify rows
    that were shown. HOUR, DAY: read what ended in the last hour, the last day. ACTIVE: read all active runs,
    where a tick cannot. FIRST: read on, where not every run has been read yet. SWEEP: read everything again.
    """

    SCOPE = "scope"
    TICK = "tick"
    SHOWN = "shown"
    HOUR = "hour"
    DAY = "day"
    ACTIVE = "active"
    FIRST = "first"
    SWEEP = "sweep"


class Pace(msgspec.Struct, frozen=True):
    """How fast the index may ask. tick: seconds between two ticks.

    share, first_share: of the time of one MLflow worker, the latter while every run is read for the first
    time. terminal_ttl, active_ttl: seconds after which a row that is shown is verified, of a run that has
    ended and of one that has not.
    """

    tick: float = 2.0
    share: float = 0.1
    first_share: float = 0.25
    terminal_ttl: float = 30.0
    active_ttl: float = 2.0


class _Rule(NamedTuple):
    """interval: seconds from one round to the next. part: of the share, which its rounds use at most.

    saved: seconds of this part that it may have left and use later.
    """

    interval: float
    part: float
    saved: float = 0.0


_RULES: Final[Mapping[Step, _Rule]] = {
    # And the interval of the settings. One slow tick in a minute of quick ones holds up none of them.
    Step.TICK: _Rule(0.0, 0.6, saved=20.0),
    Step.SHOWN: _Rule(0.0, 0.2),
    Step.HOUR: _Rule(60.0, 0.1),
    Step.DAY: _Rule(600.0, 0.05),
    Step.ACTIVE: _Rule(60.0, 0.05),
    Step.FIRST: _Rule(0.0, inf),
    Step.SWEEP: _Rule(30.0, inf),
}


class Round(msgspec.Struct):
    """The rounds of one kind of step. A round is one or more steps, such as the pages of a sweep.

    began: when the last one began. is_open: whether it has not ended. paid_at: when the time that MLflow
    spent for them is within their part of the share again. failures: failed attempts in a row; the next one
    is not made before `not_before`.
    """

    began: float = -inf
    is_open: bool = False
    paid_at: float = -inf
    failures: int = 0
    not_before: float = -inf

    def begin(self, now: float) -> None:
        """A step begins, and with it a round, where none is open or the last step failed."""
        if not self.is_open:
            self.began = now
            self.is_open = True

    def end(self) -> None:
        """The round is over."""
        self.is_open = False

    def fail(self, now: float, *, was_asked: bool, retry_after: float = 0.0) -> None:
        """A step failed; the same is tried again later. was_asked: whether MLflow got a call.

        retry_after: seconds that MLflow wants to be left alone.
        """
        self.failures += 1
        pause = (
            min(_FIRST_PAUSE * 2.0 ** min(self.failures - 1, 10), MOST_BEHIND) if was_asked else _NOT_ASKED
        )
        self.not_before = now + max(pause, retry_after)


class Schedule:
    """The state that decides about the next step.

    searched: when somebody last searched. free_at: when the time that MLflow spent is within the share again.
    is_reading: whether runs are left to be read for the first time. has_experiments, has_shown, has_active:
    whether there is anything to do for ticks, SHOWN and ACTIVE.
    """

    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        self.rounds = {step: Round() for step in Step}
        self.searched = -inf
        self.free_at = -inf
        self.is_reading = False
        self.has_experiments = False
        self.has_shown = False
        self.has_active = False

    def begin_anew(self) -> None:
        """Nothing has been done yet; whether somebody searches stays known."""
        self.rounds = {step: Round() for step in Step}
        self.free_at = -inf
        self.is_reading = self.has_experiments = self.has_shown = self.has_active = False

    def is_in_use(self, now: float) -> bool:
        """Whether somebody has searched lately."""
        return now - self.searched < IN_USE

    def spend(self, step: Step, now: float, seconds: float) -> None:
        """MLflow took so long for a call."""
        share = max(self.pace.share, self.pace.first_share) if self.is_reading else self.pace.share
        self.free_at = max(self.free_at, now - seconds) + seconds / share
        if step in _RULES:
            own, (_, part, saved) = self.rounds[step], _RULES[step]
            own.paid_at = max(own.paid_at, now - seconds - saved) + seconds / (part * self.pace.share)

    def next(self, now: float) -> tuple[Step | None, float]:
        """The step that is due, and else when one may be; never later than in MOST_BEHIND seconds."""
        earliest = now + MOST_BEHIND
        tick = self._due(Step.TICK, now)
        is_near = tick - now < min(_A_PAGE, (tick - self.rounds[Step.TICK].began) / 4)
        for step in Step:
            at = self._due(step, now)
            if is_near and step not in {Step.SCOPE, Step.TICK}:
                at = max(at, tick)
            if at <= now:
                return step, now
            earliest = min(earliest, at)
        return None, earliest

    def _due(self, step: Step, now: float) -> float:
        """When a step may be made, as things are now; inf for never."""
        if not self._has_reason(step, now):
            return inf
        own = self.rounds[step]
        if step is Step.SCOPE or step is Step.TICK:
            return max(own.not_before, self._regular(step, now))
        at = -inf if own.is_open else max(own.began + _RULES[step].interval, own.paid_at)
        return max(at, own.not_before, self.free_at)

    def _regular(self, step: Step, now: float) -> float:
        """When a step is due that the share does not hold up."""
        own = self.rounds[step]
        if step is Step.TICK and own.began == -inf and not self.is_reading:
            return -inf
        if not self.is_in_use(now):
            scope, tick = self.rounds[Step.SCOPE], self.rounds[Step.TICK]
            if step is Step.TICK:
                return max(scope.began, tick.began) + _IDLE
            if scope.failures:
                return max(scope.began, tick.began) + _IDLE
            return max(scope.began + _SCOPE_IDLE, tick.began + _IDLE)
        if own.is_open:  # it failed
            return -inf
        return max(own.began + (_SCOPE if step is Step.SCOPE else self.pace.tick), own.paid_at)

    def _has_reason(self, step: Step, now: float) -> bool:
        if step is Step.FIRST:
            return self.is_reading
        if step not in {Step.SCOPE, Step.TICK} and (self.is_reading or not self.is_in_use(now)):
            return False
        reasons = {Step.SCOPE: True, Step.SHOWN: self.has_shown, Step.ACTIVE: self.has_active}
        return reasons.get(step, self.has_experiments)
