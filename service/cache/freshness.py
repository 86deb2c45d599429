"""How old an answer may be, by its class of freshness. Pure."""

from __future__ import annotations

from typing import NamedTuple, assert_never

from service.tracking.questions import FreshnessClass


class Windows(NamedTuple):
    """Seconds of age up to which an answer is given at once, while it is renewed, and if MLflow fails."""

    fresh: float
    renewable: float
    usable: float


class Freshness(NamedTuple):
    """The time to live of each class of answers, in seconds, and what may be done with an answer past it.

    revalidate_factor: an answer is given for so many times its time to live more, while it is renewed behind
    the caller's back. stale_if_error: it is given for so long past its time to live where MLflow fails
    (RFC 5861). What does not exist is believed for its time to live only.
    """

    terminal_ttl: float
    active_ttl: float
    list_ttl: float
    experiments_ttl: float
    missing_ttl: float
    revalidate_factor: float
    stale_if_error: float

    def windows(self, kind: FreshnessClass) -> Windows:
        """The windows of the answers of a class."""
        match kind:
            case FreshnessClass.ENDED_RUN:
                return self._beyond(self.terminal_ttl)
            case FreshnessClass.ACTIVE_RUN:
                return self._beyond(self.active_ttl)
            case FreshnessClass.RUN_LIST:
                return self._beyond(self.list_ttl)
            case FreshnessClass.EXPERIMENTS:
                return self._beyond(self.experiments_ttl)
            case FreshnessClass.MISSING:
                return Windows(self.missing_ttl, self.missing_ttl, self.missing_ttl)
            case _:
                assert_never(kind)

    def _beyond(self, ttl: float) -> Windows:
        renewable = ttl * (1 + self.revalidate_factor)
        return Windows(ttl, renewable, max(renewable, ttl + self.stale_if_error))
