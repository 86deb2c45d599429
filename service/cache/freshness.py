"""How old an answer may be, by what it tells. Pure."""

from __future__ import annotations

from typing import NamedTuple

from service.cache.memory import Value, Windows
from service.tracking.runs import Experiment, Run


class Freshness(NamedTuple):
    """How old an answer may be, in seconds, by what it tells.

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

    def of(self, value: Value) -> Windows:
        """The windows for a value."""
        if value is None:
            return Windows(self.missing_ttl, self.missing_ttl, self.missing_ttl)
        if isinstance(value, Run):
            ttl = self.terminal_ttl if value.is_terminal else self.active_ttl
        elif isinstance(value, Experiment) or (value and isinstance(value[0], Experiment)):
            ttl = self.experiments_ttl
        else:
            ttl = self.list_ttl
        renewable = ttl * (1 + self.revalidate_factor)
        return Windows(ttl, renewable, max(renewable, ttl + self.stale_if_error))
