"""Writes the table of an index in a thread, while the index takes no change."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

from service.index.indexed_runs import IndexedRuns
from service.index.snapshot_columns import Section, sections_of
from service.index.table import RunTable

T = TypeVar("T")


async def written_while_frozen(
    runs: IndexedRuns,
    state: Section,
    since: float,
    write: Callable[[Iterator[Section], Callable[[], bool]], T],
) -> T:
    """What `write` makes of the sections, in a thread; the index takes changes again once they are read.

    state: a section before those of the table. since: as of `sections_of`. write: takes sections, and what
    says whether they are still wanted.
    """
    loop, is_read, is_given_up = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def written(table: RunTable) -> T:
        def sections() -> Iterator[Section]:
            yield state
            yield from sections_of(table, since)
            loop.call_soon_threadsafe(is_read.set)

        return write(sections(), lambda: not is_given_up.is_set())

    try:
        with runs.frozen() as table:
            writing = asyncio.create_task(asyncio.to_thread(written, table))
            reading = asyncio.create_task(is_read.wait())
            await asyncio.wait((writing, reading), return_when=asyncio.FIRST_COMPLETED)
            reading.cancel()
        return await writing
    finally:
        is_given_up.set()
