"""Runs that were dropped lately, so that an answer on its way does not bring them back. Pure."""

from __future__ import annotations

from math import inf
from typing import Final

# An answer on its way is not older than the last so many drops.
_KEPT: Final = 10_000


class Drops:
    """When runs that are not there any more were last asked for, in seconds."""

    def __init__(self) -> None:
        self._asked: dict[str, float] = {}

    def asked(self, run_id: str) -> float:
        """When this run was found to be gone; -inf where it was not."""
        return self._asked.get(run_id, -inf)

    def add(self, run_id: str, asked: float) -> None:
        """A run was gone when it was asked for."""
        asked = max(asked, self._asked.pop(run_id, asked))
        self._asked[run_id] = asked
        if len(self._asked) > _KEPT:
            del self._asked[next(iter(self._asked))]

    def forget(self, run_id: str) -> None:
        """The run is there again."""
        self._asked.pop(run_id, None)
