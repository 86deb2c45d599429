"""What a replica of a shared index does next. Pure: times are handed in, in seconds of one clock."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

from service.index.shared.log import Head

ALONE_AFTER: Final = 5.0  # seconds without the log after which a replica asks MLflow by itself
_RECORDS: Final = 5_000  # of the log, after which a new snapshot is due
_APART: Final = 60.0  # seconds between two of those
_WISHED_APART: Final = 10.0  # and between two that were wished for, or that failed


class Role(StrEnum):
    """What a replica is to the others.

    STARTING: nothing is known yet. FOLLOWING: it applies what another one writes. WRITING: it asks MLflow for
    all of them. ALONE: the store is not there, so it asks MLflow for itself.
    """

    STARTING = "starting"
    FOLLOWING = "following"
    WRITING = "writing"
    ALONE = "alone"


class Move(StrEnum):
    """BEGIN: a new epoch, from what this replica has. LOAD: the snapshot. READ: the log. WRITE: it, and more.

    BE_ALONE: without the store. WAIT: for another look at the log.
    """

    BEGIN = "begin"
    LOAD = "load"
    READ = "read"
    WRITE = "write"
    BE_ALONE = "be_alone"
    WAIT = "wait"


class Sight(NamedTuple):
    """A look at the log. head: None where the store did not answer. last: what the replica had before it."""

    head: Head | None
    last: int


class Stand(NamedTuple):
    """What a replica knows of itself.

    epoch, last: the log and its record up to which all have been applied; "" where it is in step with none.
    in_step: when it last was, or began. has_index: whether it has all runs of some moment. refused: the epoch
    of snapshots that are of no use, and up to which number.
    """

    role: Role
    epoch: str
    last: int
    in_step: float
    has_index: bool
    refused: tuple[str, int]


def next_move(stand: Stand, sight: Sight | None, now: float) -> Move:
    """What to do after the last look at the log; None where there was none since the last surprise."""
    if sight is None:
        return Move.WAIT
    if sight.head is None:
        is_lost = stand.role is Role.STARTING or now - stand.in_step > ALONE_AFTER
        return Move.BE_ALONE if is_lost or stand.role is Role.ALONE else Move.WAIT
    return _with(stand, sight.head, sight.last, now)


def _with(stand: Stand, head: Head, last: int, now: float) -> Move:
    """What to do with a store that answers. last: what the replica had when the store was asked."""
    is_same = head.epoch != "" and head.epoch == stand.epoch
    is_older = is_same and head.last < last
    if is_same and not is_older:
        is_at_its_end = stand.role is Role.WRITING or stand.last >= head.last
        return Move.WRITE if head.is_writer and is_at_its_end else Move.READ
    has_newer = is_older or (stand.role is Role.ALONE and stand.has_index)
    if head.is_writer:
        return Move.LOAD if _is_usable(stand, head) and not has_newer else Move.BEGIN
    if _is_usable(stand, head):
        return Move.LOAD
    return Move.BE_ALONE if stand.role is Role.ALONE or now - stand.in_step > ALONE_AFTER else Move.WAIT


def _is_usable(stand: Stand, head: Head) -> bool:
    """Whether the store has a snapshot that has not been found to be of no use."""
    epoch, number = stand.refused
    return head.snapshot is not None and not (head.epoch == epoch and head.snapshot <= number)


class Kept(NamedTuple):
    """The snapshot that the writer last put. number: None where it has put none. at: when it was tried."""

    number: int | None
    at: float


def is_snapshot_due(kept: Kept, last: int, now: float, *, is_wished: bool) -> bool:
    """Whether the writer is to put a snapshot. is_wished: somebody needs a newer one, or a read has ended."""
    since = now - kept.at
    if kept.number is None or is_wished:
        return since >= _WISHED_APART
    return last - kept.number >= _RECORDS and since >= _APART
