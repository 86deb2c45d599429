"""What a store that replicas share has to be able to: it keeps answers, and says who asks MLflow for one.

All times of a store are those of its own clock, so that replicas need none in common.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

Key = bytes  # what a question is called in the store


class Stored(NamedTuple):
    """An answer in the store. data: None where it is what the replica has already. age: seconds.

    version: another one whenever the data are others.
    """

    data: bytes | None
    age: float
    version: int


class Claim(NamedTuple):
    """What the store says to a replica that needs an answer.

    stored: an answer that may be given; or, beside a lease, the last one, in case MLflow fails.
    asked: the moment of the claim, which a fill of its answer has to name. lease: whether the replica is the
    one to ask MLflow. wait: seconds that another replica's lease lasts at most.
    """

    stored: Stored | None
    asked: int
    lease: bool = False
    wait: float = 0.0


class Wish(NamedTuple):
    """An answer that a replica needs. known: the version that it has, 0 for none."""

    key: Key
    known: int = 0


class Fill(NamedTuple):
    """An answer for the store, with how many seconds from now it is fresh, renewable and usable at most."""

    key: Key
    data: bytes
    fresh: float
    renewable: float
    usable: float


class SharedStore(Protocol):
    """A store that replicas share. Its methods raise StoreFailed, soon, whatever is wrong with it.

    A fill is refused where it was asked for before what is stored had arrived. is_attached: whether the store
    answers, as far as is known.
    """

    is_attached: bool

    async def claim(self, wishes: Sequence[Wish], *, anew: bool = False) -> list[Claim]:
        """The answers of several keys, or who asks for them. anew: only one that is asked for from now on."""
        ...

    async def read(self, wishes: Sequence[Wish]) -> list[Stored | None]:
        """The answers of several keys as they are, however old."""
        ...

    async def fill(self, asked: int, fills: Sequence[Fill]) -> None:
        """Keep answers that were asked for at a claim, end its leases, and let all replicas know."""
        ...

    async def extend(self, asked: int, keys: Sequence[Key]) -> None:
        """The leases of a claim last longer, for MLflow takes its time."""
        ...

    async def give_up(self, asked: int, keys: Sequence[Key]) -> None:
        """End leases without an answer, and let all replicas know."""
        ...

    def watch(self, told: Callable[[Sequence[Key]], object]) -> None:
        """Call this with the keys of each fill and each lease that was given up, by whichever replica."""
        ...
