"""What changes an index, as values: each is applied as it is, by one replica or by all that share it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Final

import msgspec
from msgspec.structs import replace

from service.tracking.runs import Run

MOST_BYTES: Final = 16 * 1024 * 1024  # of one record

Seconds = Annotated[float, msgspec.Meta(ge=-1e12, le=1e12)]
EpochMs = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class Put(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag=1, gc=False):
    """A run as it was when it was asked for, in seconds."""

    run: Run
    asked: Seconds


class Drop(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag=2, gc=False):
    """A run that was not there any more when it was asked for, in seconds."""

    run_id: str
    asked: Seconds


class Enter(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag=3):
    """Experiments that are indexed from now on."""

    experiment_ids: tuple[str, ...]


class HaveRead(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag=4):
    """Every run of these experiments has been read: their changes are logged from now on."""

    experiment_ids: tuple[str, ...]


class Leave(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag=5):
    """Experiments that are not indexed any more, as was known then, in seconds."""

    experiment_ids: tuple[str, ...]
    asked: Seconds


class Staleness(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag=6):
    """Whether MLflow does not answer any more. since_ms: when it last did, or does again; None for never."""

    is_stale: bool
    since_ms: EpochMs | None


Record = Put | Drop | Enter | HaveRead | Leave | Staleness

_decoder = msgspec.msgpack.Decoder(Record)


def moved(record: Record, seconds: float) -> Record:
    """The same record by a clock that is so many seconds ahead."""
    if isinstance(record, Put | Drop | Leave):
        return replace(record, asked=record.asked + seconds)
    return record


def encode(record: Record) -> bytes:
    """The bytes of a record."""
    return msgspec.msgpack.encode(record)


def decode(data: bytes) -> Record:
    """The record again; ValueError for bytes that are of none."""
    if len(data) > MOST_BYTES:
        raise ValueError(f"{len(data):,} bytes are more than a record has")
    record: Record = _decoder.decode(data)
    return record


def of_experiment(experiment_ids: tuple[str, ...]) -> Callable[[Run], Run]:
    """How to complete runs that were asked for as ones of these: some servers do not say of which one."""
    if len(experiment_ids) != 1:
        return lambda run: run
    [only] = experiment_ids
    return lambda run: run if run.experiment_id else replace(run, experiment_id=only)
