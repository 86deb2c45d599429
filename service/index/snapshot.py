"""The file in which an index outlives a restart: written as a whole or not at all, and checked when read.

A snapshot is a preamble, sections of bytes, and a list of the sections with their stamp. The preamble has the
length and the BLAKE2b digest of all that follows, so that no byte of it can be another one unnoticed. It
holds plain values only (MessagePack, and numbers as the machine has them): reading one runs no code.
"""

from __future__ import annotations

import os
import struct
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from hashlib import blake2b
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

import msgspec

VERSION: Final = 2  # of all that the sections mean, too: another one wherever an older file would be misread
NAME: Final = "tracking-index.snapshot"

_MAGIC = b"runindex" if sys.byteorder == "little" else b"xednirun"
_PREAMBLE = struct.Struct("<8sIQ32s")  # magic, version, length and digest of what follows
_LENGTH = struct.Struct("<I")  # of the list of sections, at the very end
_CHUNK = 2**20  # bytes that are read at once
_AHEAD = 60_000  # milliseconds by which two machines' clocks may differ
_ABANDONED = 3_600.0  # seconds after which nobody is writing a temporary file any more


class SnapshotError(Exception):
    """A snapshot that is not used. The message says what is wrong with it, and goes on after its name."""


class Stamp(msgspec.Struct, frozen=True, kw_only=True):
    """What a snapshot is of, and of when.

    mlflow: tells apart which MLflow it was read from. experiments: the names of those that are indexed.
    synced_ms: when new and active runs were last looked for, in Unix epoch milliseconds.
    """

    mlflow: str
    experiments: tuple[str, ...]
    synced_ms: int


class Snapshot(NamedTuple):
    """What was read: the stamp, and the bytes of each section, which are the reader's own."""

    stamp: Stamp
    sections: dict[str, bytearray]


class _Contents(msgspec.Struct, frozen=True, array_like=True):
    """The end of the file: the stamp, and each section's name and length, in their order."""

    stamp: Stamp
    sections: list[tuple[str, int]]


def mlflow_digest(*address: str) -> str:
    """Tell one MLflow from another by address and workspace, neither of which can be read from it."""
    return blake2b("\0".join(address).encode(), digest_size=16).hexdigest()


def write_snapshot(
    path: Path,
    stamp: Stamp,
    sections: Iterable[tuple[str, bytes | memoryview]],
    is_wanted: Callable[[], bool] = lambda: True,
) -> int:
    """Put a snapshot in the place of the one that is there, and return its size in bytes.

    is_wanted: asked before each section and after the last; once it says no, SnapshotError is raised.
    Whatever is raised, the snapshot of before is left as it was, and so it is if the machine stops midway.
    Several processes may write the same one: the last one wins.
    """
    _remove_abandoned(path)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            _write(file, stamp, sections, is_wanted)
            file.flush()
            os.fsync(file.fileno())
            size = file.tell()
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    _make_durable(path.parent)
    return size


def snapshot_bytes(
    stamp: Stamp,
    sections: Iterable[tuple[str, bytes | memoryview]],
    is_wanted: Callable[[], bool] = lambda: True,
) -> bytes:
    """A snapshot as bytes, which are those of a file."""
    file = BytesIO()
    _write(file, stamp, sections, is_wanted)
    return file.getvalue()


def _write(
    file: BinaryIO,
    stamp: Stamp,
    sections: Iterable[tuple[str, bytes | memoryview]],
    is_wanted: Callable[[], bool],
) -> None:
    digest, length, listed = blake2b(digest_size=32), 0, []
    file.seek(_PREAMBLE.size)

    def add(data: bytes | memoryview) -> int:
        view = memoryview(data).cast("B") if len(data) else memoryview(b"")
        digest.update(view)
        file.write(view)
        return len(view)

    for name, data in sections:
        _must_be(is_wanted)
        size = add(data)
        listed.append((name, size))
        length += size
    _must_be(is_wanted)
    end = msgspec.msgpack.encode(_Contents(stamp, listed))
    length += add(end + _LENGTH.pack(len(end)))
    file.seek(0)
    file.write(_PREAMBLE.pack(_MAGIC, VERSION, length, digest.digest()))
    file.seek(0, os.SEEK_END)


def _must_be(is_wanted: Callable[[], bool]) -> None:
    if not is_wanted():
        raise SnapshotError("was given up")


def _make_durable(folder: Path) -> None:
    """Let the new name outlive a loss of power, where the system can do that."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _remove_abandoned(path: Path) -> None:
    """Remove temporary files that processes left which were killed while they wrote."""
    for left in path.parent.glob(f".{path.name}.*.tmp"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > _ABANDONED:
                left.unlink()


def read_snapshot(
    path: Path, *, mlflow: str, experiments: tuple[str, ...], now_ms: int, max_age: float, max_bytes: int
) -> Snapshot:
    """Return the snapshot at this path, if it is whole, of this MLflow and of these experiments.

    max_age: seconds since MLflow was last asked, at most. max_bytes: of the file, at most. SnapshotError says
    what else is there; FileNotFoundError if there is none.
    """
    try:
        with path.open("rb") as file:
            return snapshot_in(
                file,
                mlflow=mlflow,
                experiments=experiments,
                now_ms=now_ms,
                max_age=max_age,
                max_bytes=max_bytes,
            )
    except FileNotFoundError:
        raise
    except OSError as error:
        raise SnapshotError(f"cannot be read: {error.strerror or error}") from error


def snapshot_in(
    file: BinaryIO, *, mlflow: str, experiments: tuple[str, ...], now_ms: int, max_age: float, max_bytes: int
) -> Snapshot:
    """The same of a file that is open, or of bytes. OSError, SnapshotError."""
    contents, start = _checked(file, max_bytes)
    _refuse_others(contents.stamp, mlflow, experiments)
    _refuse_old(contents.stamp, now_ms, max_age)
    file.seek(start)
    sections = {}
    for name, size in contents.sections:
        data = sections[name] = bytearray(size)
        if file.readinto(data) != size:  # type: ignore[attr-defined] # files and bytes in memory have it
            raise SnapshotError("is damaged: it ends within a section")
    return Snapshot(contents.stamp, sections)


def _checked(file: BinaryIO, max_bytes: int) -> tuple[_Contents, int]:
    """The file's contents, once every byte of it is known to be as it was written, and where they start."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    preamble = file.read(_PREAMBLE.size)
    if not preamble.startswith(_MAGIC):
        raise SnapshotError("is no snapshot of an index, or one of another kind of machine")
    if len(preamble) < _PREAMBLE.size:
        raise SnapshotError("is truncated")
    _, version, length, expected = _PREAMBLE.unpack(preamble)
    if version != VERSION:
        raise SnapshotError(f"has format {version}, which is another release's; this one has {VERSION}")
    if size < _PREAMBLE.size + length:
        raise SnapshotError("is truncated")
    if size > _PREAMBLE.size + length:
        raise SnapshotError("is damaged: it is longer than it was")
    if size > max_bytes:
        raise SnapshotError(f"takes {size:,} bytes, which is more than the index may take")
    digest = blake2b(digest_size=32)
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
    if digest.digest() != expected:
        raise SnapshotError("is damaged: its digest is another one")
    return _contents(file, size), _PREAMBLE.size


def _contents(file: BinaryIO, size: int) -> _Contents:
    try:
        file.seek(size - _LENGTH.size)
        (length,) = _LENGTH.unpack(file.read(_LENGTH.size))
        file.seek(size - _LENGTH.size - length)
        contents = msgspec.msgpack.decode(file.read(length), type=_Contents)
    except (OSError, struct.error, msgspec.MsgspecError) as error:
        raise SnapshotError("is damaged: what it holds cannot be told") from error
    held = sum(one for _, one in contents.sections)
    if min([0, *(one for _, one in contents.sections)]) < 0 or held != size - _PREAMBLE.size - length - 4:
        raise SnapshotError("is damaged: its sections have other lengths")
    return contents


def _refuse_others(stamp: Stamp, mlflow: str, experiments: tuple[str, ...]) -> None:
    if stamp.mlflow != mlflow:
        raise SnapshotError("is of another MLflow or workspace")
    if stamp.experiments != experiments:
        names = ", ".join(stamp.experiments)
        raise SnapshotError(f"is of other experiments ({names})")


def _refuse_old(stamp: Stamp, now_ms: int, max_age: float) -> None:
    age = (now_ms - stamp.synced_ms) / 1000
    if age > max_age:
        raise SnapshotError(f"is {age:,.0f} s old, and {max_age:,.0f} s are allowed")
    if age * 1000 < -_AHEAD:
        raise SnapshotError(f"is of a moment {-age:,.0f} s ahead: one of the clocks is wrong")
