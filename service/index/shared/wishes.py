"""What a replica asks of the one that keeps the shared index in step with MLflow, and how often it does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import inf
from typing import Annotated, Final

import msgspec

from service.index.records import Seconds
from service.index.schedule import IN_USE

MOST_IDS: Final = 1_000  # of one wish
MOST_BYTES: Final = 1024 * 1024
_SEARCHED: Final = IN_USE / 4  # seconds between two words that somebody searches
_AGAIN: Final = 2.0  # seconds after which the same run may be asked for again
_KNOWN: Final = 10_000  # runs of which it is known when they were asked for

RunIds = Annotated[tuple[str, ...], msgspec.Meta(max_length=MOST_IDS)]


class Searched(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag=1):
    """Somebody searches the index."""


class Verify(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag=2):
    """Ask MLflow for these runs, unless that was done after this moment, by the store's clock."""

    run_ids: RunIds
    before: Seconds


class MakeTick(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag=3):
    """Somebody waits for a tick that begins after this. token: to say that it was made."""

    token: str


class Lost(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag=4):
    """A replica cannot follow the log of this epoch behind this number: it needs a newer snapshot."""

    epoch: str
    number: int


Wish = Searched | Verify | MakeTick | Lost

_decoder = msgspec.msgpack.Decoder(Wish)


def encode(wish: Wish) -> bytes:
    """The bytes of a wish."""
    return msgspec.msgpack.encode(wish)


def decode(data: bytes) -> Wish:
    """The wish again; ValueError for bytes that are of none."""
    if len(data) > MOST_BYTES:
        raise ValueError(f"{len(data):,} bytes are more than a wish has")
    wish: Wish = _decoder.decode(data)
    return wish


class Outbox:
    """Wishes that wait to be sent, none of which is made too often. Times are handed in, in seconds."""

    def __init__(self) -> None:
        self._searched = -inf
        self._verified: dict[str, float] = {}
        self._to_verify: dict[str, float] = {}
        self._others: list[Wish] = []

    def searched(self, now: float) -> None:
        """Somebody searches."""
        if now - self._searched >= _SEARCHED:
            self._searched = now
            self._others.append(Searched())

    def verify(self, run_ids: Iterable[str], before: float, now: float) -> None:
        """Runs are to be asked for, unless they were after this moment; both times are of one clock."""
        for run_id in run_ids:
            if now - self._verified.get(run_id, -inf) >= _AGAIN and len(self._to_verify) < MOST_IDS:
                self._to_verify[run_id] = before
                self._verified[run_id] = now
        while len(self._verified) > _KNOWN:
            del self._verified[next(iter(self._verified))]

    def add(self, wish: Wish) -> None:
        """Any other wish."""
        self._others.append(wish)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be sent."""
        return not (self._others or self._to_verify)

    def take(self, seconds: float) -> Sequence[Wish]:
        """All that is to be sent, by a clock that is so many seconds ahead; nothing is left."""
        wishes, self._others = self._others, []
        by_moment: dict[float, list[str]] = {}
        for run_id, before in self._to_verify.items():
            by_moment.setdefault(before, []).append(run_id)
        self._to_verify = {}
        return [*wishes, *(Verify(tuple(ids), before + seconds) for before, ids in by_moment.items())]
