"""The service's log: a line for each event, written in batches by a thread.

No request waits for the writing: what it costs one is its line, encoded at once. To hand a thread what the
line is made of costs more, since it fetches and frees that from another core.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import BinaryIO

import msgspec

from service.http.access_record import AccessRecord

_INTERVAL = 0.1  # seconds between two batches
_MOST_WAITING = 32 * 2**20  # bytes; where the reader of the log is slower, the rest is counted and lost
_encode = msgspec.json.Encoder().encode


class Event(msgspec.Struct, omit_defaults=True):
    """What is not a request: something that a part of the service has to say."""

    time: datetime
    level: str
    logger: str
    message: str
    traceback: str = ""


Entry = Event | AccessRecord
Render = Callable[[Entry], bytes]  # with its newline


class LineWriter:
    """Writes entries to a stream, in order, at most an interval late; `close` writes what is left."""

    def __init__(self, stream: BinaryIO, render: Render) -> None:
        self._stream = stream
        self._render = render
        self._waiting = bytearray()  # one for good: adding to its end and cutting off its start are atomic
        self.lost = 0  # lines so far
        self._said = 0  # of them, those that the log tells of
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def write(self, entry: Entry) -> None:
        """Add an entry; it is an observer of requests, too."""
        if len(self._waiting) < _MOST_WAITING:
            self._waiting += self._render(entry)
        else:
            self.lost += 1

    def close(self) -> None:
        """Write what is left and stop."""
        self._stop.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stop.wait(_INTERVAL):
            self._flush()
        self._flush()

    def _flush(self) -> None:
        if self._waiting:
            lines = bytes(self._waiting)
            del self._waiting[: len(lines)]
            if not self._put(lines):
                self.lost += lines.count(b"\n")
        lost = self.lost - self._said
        if lost and self._put(
            self._render(Event(datetime.now(UTC), "error", __name__, f"{lost} log lines were lost"))
        ):
            self._said += lost

    def _put(self, lines: bytes) -> bool:
        try:
            self._stream.write(lines)
            self._stream.flush()
        except OSError:  # a full disk, say: the service goes on
            return False
        return True


def as_json(entry: Entry) -> bytes:
    """A line of JSON."""
    return _encode(entry) + b"\n"


def as_text(entry: Entry) -> bytes:
    """Lines for a person. A terminal gets no control characters of a caller's making."""
    return "".join(f"{_printable(line)}\n" for line in _told(entry)).encode("utf-8", "replace")


def _told(entry: Entry) -> list[str]:
    when = entry.time.isoformat(sep=" ", timespec="milliseconds").removesuffix("+00:00")
    if isinstance(entry, Event):
        text = f"{when} {entry.level.upper():7} {entry.logger}: {entry.message}\n{entry.traceback}"
        return text.splitlines()
    cache = f" {entry.cache}" if entry.cache is not None else ""
    return [f"{when[11:]} {entry.method} {entry.path} {entry.status} {entry.duration_ms:.2f} ms{cache}"]


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else "?" for character in text)


class LogHandler(logging.Handler):
    """Hands the records of the standard library's logging to a writer."""

    def __init__(self, writer: LineWriter) -> None:
        super().__init__()
        self._writer = writer

    def emit(self, record: logging.LogRecord) -> None:
        try:
            event = _event(record)
        except Exception:  # noqa: BLE001 - logging's own rule: a bad record is reported, and stops nobody
            self.handleError(record)
        else:
            self._writer.write(event)


def _event(record: logging.LogRecord) -> Event:
    traceback = logging.Formatter().formatException(record.exc_info) if record.exc_info else ""
    return Event(
        datetime.fromtimestamp(record.created, UTC),
        record.levelname.lower(),
        record.name,
        _as_utf8(record.getMessage()),
        _as_utf8(traceback),
    )


def _as_utf8(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


@contextmanager
def logging_to(stream: BinaryIO, level: str, render: Render) -> Iterator[LineWriter]:
    """All of the standard library's logging goes to a stream; the writer, for what else is to stand there."""
    writer = LineWriter(stream, render)
    handler = LogHandler(writer)
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(level.upper())
    try:
        yield writer
    finally:
        root.setLevel(before)
        root.removeHandler(handler)
        writer.close()
