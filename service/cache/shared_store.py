"""What a store that replicas share has to be able to: it keeps answers, and says who asks MLflow for one.

All times of a store are whole microseconds of its own clock, so that replicas need no clock in common.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

Key = bytes  # what a question is called in the store
Told = Callable[[Sequence[Key] | None, bool], object]


class Stored(NamedTuple):
    """An answer in the store.

    data: None where the replica has them already. asked, arrived: when MLflow was asked for it, and when the
    store got it. version: another one whenever the data are others.
    """

    data: bytes | None
    asked: int
    arrived: int
    version: int


class Wish(NamedTuple):
    """An answer that a replica needs: one that is fresh, or that arrived at `since` or later.

    known: the version that it has, 0 for none. since: 0 in the first claim; in the next ones what the first
    claim gave as its moment. anew: only one that was asked for at `since` or later, where 0 means now.
    stale: one that may still be renewed will do. groups: of the questions that may answer this one.
    """

    key: Key
    known: int = 0
    since: int = 0
    anew: bool = False
    stale: bool = False
    groups: Sequence[Key] = ()


class Claim(NamedTuple):
    """What the store says to a replica that needs an answer.

    moment: when it said so, which a fill has to name. stored: the answer; beside a lease or a wait the last
    one, in case MLflow fails. has_lease: the replica is the one to ask MLflow. wait: seconds that nobody else
    asks for, at most. has_failed: MLflow has just failed another replica, and is left alone for the wait.
    near: what the groups of the question have, newest first in each, where the replica got the lease.
    """

    moment: int
    stored: Stored | None = None
    has_lease: bool = False
    wait: float = 0.0
    has_failed: bool = False
    near: Sequence[bytes] = ()


class Fill(NamedTuple):
    """An answer for the store.

    age: seconds since it came from MLflow. fresh, renewable, usable: the ages up to which it is so. group: of
    the questions that it may answer besides its own, b"" for none; name: what it is called there.
    """

    key: Key
    data: bytes
    age: float
    fresh: float
    renewable: float
    usable: float
    group: Key = b""
    name: bytes = b""


class SharedStore(Protocol):
    """A store that replicas share. Its methods raise StoreFailed, soon, whatever is wrong with it.

    is_attached: whether the store answers, as far as is known.
    """

    @property
    def is_attached(self) -> bool: ...

    async def claim(self, wishes: Sequence[Wish]) -> list[Claim]:
        """The answers of several keys, or who asks MLflow for them."""
        ...

    async def read(self, wishes: Sequence[Wish]) -> list[Stored | None]:
        """The answers of several keys as they are, however old."""
        ...

    async def fill(self, moment: int, fills: Sequence[Fill]) -> list[int]:
        """Keep answers that were asked for after a claim, end its leases, and let all replicas know.

        Returns their versions; 0 for one that is refused, since what is stored arrived after that claim.
        """
        ...

    async def extend(self, moment: int, keys: Sequence[Key]) -> None:
        """The leases of a claim last longer, for MLflow takes its time."""
        ...

    async def give_up(self, moment: int, keys: Sequence[Key], pause: float = 0.0) -> None:
        """End the leases of a claim without an answer, and let all replicas know.

        pause: seconds in which nobody gets a lease of these keys, since MLflow failed.
        """
        ...

    def watch(self, told: Told) -> None:
        """Call this with the keys of each fill and each lease that ended, and whether it was by this replica.

        None in place of keys means that some may have been missed.
        """
        ...
