"""How far the replica is that keeps a shared index in step with MLflow, as all of them have to know it."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from service.errors import (
    TrackingError,
    UpstreamAuth,
    UpstreamError,
    UpstreamFailure,
    UpstreamForbidden,
    UpstreamNotAsked,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamTooLarge,
    UpstreamUnavailable,
)
from service.index.records import EpochMs, Seconds
from service.index.ticks import Marks

MOST_BYTES: Final = 16 * 1024 * 1024

_KINDS: Final = {
    kind.__name__: kind
    for kind in (
        UpstreamAuth,
        UpstreamError,
        UpstreamForbidden,
        UpstreamNotAsked,
        UpstreamRefused,
        UpstreamTimeout,
        UpstreamTooLarge,
        UpstreamUnavailable,
    )
}


class Failure(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Why a tick failed, as a caller is told it. kind: the class of the error. retry_after: seconds."""

    kind: str
    detail: str
    retry_after: Annotated[int, msgspec.Meta(ge=0, le=86_400)] = 0


class Tick(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A tick that somebody wished for has been made. token: of the wish. failure: None where it went well."""

    token: str
    failure: Failure | None = None


class Progress(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What the replica that writes says of itself, beside the records. Seconds are of the store's clock.

    number: of the last record before. experiment_ids: that are indexed. read: those of which
    every run has been read. synced: when the last tick began.
    synced_ms: the same in Unix epoch milliseconds. swept: by the id of each experiment whose runs have all
    been read: since when all of them have been looked at. swept_ms: the same in Unix epoch milliseconds.
    marks: up to where ticks have read. reading, share: which experiments are being read for the first time,
    and how much of them has been, 0.0 to 1.0. is_complete, is_failing: as of the replica that writes.
    stale_ms: when MLflow last answered, where it does not. ticks: the last ones that were wished for.
    """

    number: Annotated[int, msgspec.Meta(ge=0, le=2**53)]
    experiment_ids: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    synced: Seconds | None = None
    synced_ms: EpochMs | None = None
    swept: dict[str, Seconds] = {}
    swept_ms: dict[str, EpochMs] = {}
    marks: Marks = msgspec.field(default_factory=Marks)
    reading: tuple[str, ...] = ()
    share: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)] = 0.0
    is_complete: bool = False
    is_failing: bool = False
    is_stale: bool = False
    stale_ms: EpochMs | None = None
    ticks: tuple[Tick, ...] = ()


_decoder = msgspec.msgpack.Decoder(Progress)


def encode(progress: Progress) -> bytes:
    """The bytes of a progress."""
    return msgspec.msgpack.encode(progress)


def decode(data: bytes) -> Progress:
    """The progress again; ValueError for bytes that are of none."""
    if len(data) > MOST_BYTES:
        raise ValueError(f"{len(data):,} bytes are more than a progress has")
    progress: Progress = _decoder.decode(data)
    if progress.swept.keys() != progress.swept_ms.keys():
        raise ValueError("experiments that have been read are told of by two times each")
    return progress


def failure_of(error: UpstreamFailure) -> Failure:
    """An error as it travels."""
    return Failure(type(error).__name__, error.detail, min(max(int(error.retry_after), 0), 86_400))


def error_of(failure: Failure) -> UpstreamFailure:
    """The error again, as it is raised where it is waited for."""
    kind = _KINDS.get(failure.kind, UpstreamError)
    error = kind.__new__(kind)
    TrackingError.__init__(error, failure.detail, cause="the replica that writes the index was told so")
    error.retry_after = failure.retry_after
    return error
