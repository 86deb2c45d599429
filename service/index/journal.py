"""Where what changes an index is written to, before or while it is applied."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Final, Protocol

from service.checkpoint import checkpoint
from service.errors import StoreFailed
from service.index.indexed_runs import IndexedRuns
from service.index.records import MOST_BYTES, Drop, Put, Record, encode, moved
from service.index.shared.log import Deposed, SharedLog

log = logging.getLogger("service.index")

AT_ONCE: Final = 10  # records that are applied in one turn of the loop
_BYTES: Final = 256 * 1024  # of records that are published at once, unless one alone has more
_RECORDS: Final = 200
_PAUSE: Final = 0.25  # seconds until what could not be published is tried again
_PATIENCE: Final = 3.0  # seconds after which it is given up


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


class NoJournal(Journal):
    """The journal of a replica that applies only what another one writes."""

    async def write(self, records: Sequence[Record]) -> None:  # noqa: ARG002 - none is taken
        raise Deposed


class SharedJournal(Journal):
    """Publishes what changes the index, and applies it then, as all other replicas do.

    A run whose record would be too large for the log is left out, aloud: it is dropped from the index, since
    what is there would be out of date. clock: seconds, monotonic, of the records. sleep: waits for seconds.
    """

    def __init__(
        self,
        runs: IndexedRuns,
        log: SharedLog,
        epoch: str,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._runs = runs
        self._log = log
        self._epoch = epoch
        self._clock = clock
        self._sleep = sleep
        self._left_out: set[str] = set()  # the runs that the service's log has told of

    async def write(self, records: Sequence[Record]) -> None:
        ahead = self._log.now() - self._clock()
        news: list[tuple[Record, bytes]] = []
        for at, record in enumerate(records, 1):
            await self._runs.thawed()
            if self._runs.is_news(record):
                news += self._encoded(record, ahead)
            if at % AT_ONCE == 0:
                await checkpoint()
        for some, data in _portions(news):
            number = await self._publish(data)
            await follow(self._runs, self._epoch, number - len(some), some)

    def _encoded(self, record: Record, ahead: float) -> Iterator[tuple[Record, bytes]]:
        """A record with its bytes; the drop of its run where it is too large, nothing where none is there.

        ahead: seconds that the store's clock is.
        """
        data = encode(moved(record, ahead))
        if isinstance(record, Put) and len(data) > MOST_BYTES:
            self._leave_out(record.run.run_id, len(data))
            record = Drop(record.run.run_id, record.asked)
            data = encode(moved(record, ahead))
            if not self._runs.is_news(record):
                return
        yield record, data

    def _leave_out(self, run_id: str, size: int) -> None:
        self._runs.left_out += 1
        if run_id not in self._left_out:
            self._left_out.add(run_id)
            text = "the index leaves out the run %s: its %d bytes are more than replicas can share"
            log.warning(text, run_id, size)

    async def _publish(self, data: Sequence[bytes]) -> int:
        """The number of the last record; Deposed, too, where the store does not take them for seconds."""
        last = self._last()
        until = self._clock() + _PATIENCE
        while True:
            try:
                return await self._log.publish(self._epoch, last, data)
            except StoreFailed as error:
                if self._clock() >= until:
                    raise Deposed from error
            await self._sleep(_PAUSE)

    def _last(self) -> int:
        if self._runs.changes.epoch != self._epoch:
            raise Deposed
        return self._runs.changes.last


async def follow(runs: IndexedRuns, epoch: str, after: int, records: Sequence[Record]) -> None:
    """Apply records of the log behind this number, in turns; those that have been applied are left out.

    Deposed where the index is of another epoch by then. Nothing waits between two looks at the last number,
    so that two may apply the same records.
    """
    for number, record in enumerate(records, after + 1):
        await runs.thawed()
        if runs.changes.epoch != epoch:
            raise Deposed
        if number == runs.changes.last + 1 and not runs.is_too_large:
            runs.follow(number, record)
        if number % AT_ONCE == 0:
            await checkpoint()


def _portions(records: Sequence[tuple[Record, bytes]]) -> Iterator[tuple[list[Record], list[bytes]]]:
    """Records that are published at once, and their bytes."""
    some: list[Record] = []
    data: list[bytes] = []
    size = 0
    for record, encoded in records:
        if some and (size + len(encoded) > _BYTES or len(some) >= _RECORDS):
            yield some, data
            some, data, size = [], [], 0
        some.append(record)
        data.append(encoded)
        size += len(encoded)
    if some:
        yield some, data
