"""What to do with what is remembered, at a given time (RFC 9111, RFC 5861). Pure."""

from __future__ import annotations

from enum import Enum, auto
from typing import TypeVar

from service.answer import Answer, Origin
from service.cache.memory import Entry

T = TypeVar("T")

RETRY_PAUSE = 0.25  # seconds in which a renewal that failed is not tried again


class Step(Enum):
    """What to do with a question.

    FRESH: give the entry. RENEW: give it, stale as it is, and renew it behind the caller's back. REST: give
    it, stale as it is, for a renewal has failed just now. ASK: ask the source, and wait.
    """

    FRESH = auto()
    RENEW = auto()
    REST = auto()
    ASK = auto()


# Looking up a member of an enum costs as much as making an answer.
_HIT, _STALE = Origin.HIT, Origin.STALE
_FRESH, _RENEW, _REST, _ASK = Step


def next_step(entry: Entry[T] | None, now: float) -> Step:
    """What to do with a question whose entry this is, if there is one. now: seconds, by the clock."""
    if entry is None:
        return _ASK
    if now < entry.stale_at:
        return _FRESH
    age = now - entry.arrived
    if entry.failed is not None and now - entry.failed < RETRY_PAUSE:
        return _REST if age < entry.windows.usable else _ASK
    return _RENEW if age < entry.windows.renewable else _ASK


def bridges(entry: Entry[T] | None, now: float) -> bool:
    """Whether the entry may be given because the source fails."""
    return entry is not None and now - entry.arrived < entry.windows.usable


def remembered(entry: Entry[T], now: float, waited: float = 0.0) -> Answer[T]:
    """The answer that is made of an entry. waited: seconds that the source was waited for in vain."""
    left = entry.stale_at - now
    return Answer(entry.value, now - entry.arrived, _HIT if left > 0 else _STALE, waited, left)
