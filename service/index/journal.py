"""Where what changes an index is written to, before or while it is applied."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from service.checkpoint import checkpoint
from service.index.indexed_runs import IndexedRuns
from service.index.records import Record

AT_ONCE: Final = 10  # records that are applied in one turn of the loop


class Journal(Protocol):
    """Takes records, in their order; all of them are applied when a call ends."""

    async def write(self, records: Sequence[Record]) -> None:
        """Take records; Deposed where another replica writes by now, and the rest of them is not applied."""
        ...


class OwnJournal(Journal):
    """The journal of an index that no other replica shares: it applies what it takes."""

    def __init__(self, runs: IndexedRuns) -> None:
        self._runs = runs

    async def write(self, records: Sequence[Record]) -> None:
        for at, record in enumerate(records, 1):
            self._runs.apply(record)
            if at % AT_ONCE == 0:
                await checkpoint()
