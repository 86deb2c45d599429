"""What a store has to be able to, so that replicas share one index: a log of its changes, which one writes.

The replica that has the lease reads MLflow and writes what it learns; all replicas apply the log in its
order, so that their indexes are equal. Times are seconds of the store's clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class Deposed(Exception):
    """Another replica writes the log by now, or it is another log: nothing was written."""


class LogGap(Exception):
    """The records are not there any more, or the log is another one: begin from a snapshot."""


class Head(NamedTuple):
    """The end of the log. epoch: tells it from other logs; "" while there is none.

    last: the number of its last record. snapshot: the same of what the snapshot in the store has; None where
    there is none.
    is_writer: whether this replica has the lease to write. replicas: how many there are, this one among them.
    """

    epoch: str
    last: int
    snapshot: int | None
    is_writer: bool
    replicas: int


class Record(NamedTuple):
    """One record of the log. Numbers rise by one from record to record."""

    number: int
    data: bytes


class News(NamedTuple):
    """What was written since. progress: the newest word of the writer, None where there is no newer one.

    wishes: of all replicas, to the one that writes.
    """

    records: Sequence[Record]
    progress: bytes | None
    wishes: Sequence[bytes]


class SharedLog(Protocol):
    """The log in a store that replicas share, as one replica uses it. Its methods raise StoreFailed, soon.

    A write that ends so may have been done: the end of the log tells.
    """

    @property
    def is_attached(self) -> bool:
        """Whether the store answers, as far as is known."""
        ...

    def now(self) -> float:
        """The store's time, as far as this replica can tell without asking."""
        ...

    async def lead(self) -> Head:
        """Get or prolong the lease to write, where no other replica has it; and how the log ends."""
        ...

    async def resign(self) -> None:
        """Give the lease back, so that another replica need not wait for its end."""
        ...

    async def begin(self, epoch: str) -> None:
        """Begin an empty log, whose first record is number 1; Deposed where this replica has no lease."""
        ...

    async def publish(self, epoch: str, last: int, records: Sequence[bytes]) -> int:
        """Append records behind the one of this number; the number of the last one. Deposed.

        None of them has more than `records.MOST_BYTES`.
        """
        ...

    async def tell(self, epoch: str, progress: bytes) -> None:
        """Replace the writer's word about how far it is. Deposed."""
        ...

    async def wish(self, data: bytes) -> None:
        """Ask the replica that writes for something."""
        ...

    async def read(self, epoch: str, after: int, wait: float) -> News:
        """What was written after this record, and since the last call; waits for it, in seconds. LogGap."""
        ...

    async def put_snapshot(self, epoch: str, number: int, data: bytes) -> None:
        """Keep a snapshot that has all records up to this number, in place of the one before. Deposed."""
        ...

    async def snapshot(self) -> tuple[str, int, bytes] | None:
        """The epoch, the number and the data of the snapshot; None where there is none that is whole."""
        ...
