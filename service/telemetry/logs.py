"""The service's log: one line for each request or event, written in batches by a thread.

A request encodes its line, and does not wait until that is written. To encode it in the thread would cost
more, since the values of the line would be fetched and freed from another core.
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

_INTERVAL = 0.1  # seconds
_MAX_WAITING = 32 * 2**20  # bytes
_encode = msgspec.json.Encoder().encode


class Event(msgspec.Struct, omit_defaults=True):
    """An entry of the log that is not a request: a message of a part of the service."""

    time: datetime
    level: str
    logger: str
    message: str
    traceback: str = ""


Entry = Event | AccessRecord
Render = Callable[[Entry], bytes]  # with its newline


class LineWriter:
    """Writes entries to a stream, in order and in batches.

    render: makes the lines of an entry. interval: seconds between two batches. max_waiting: bytes that may
    wait to be written; where the stream is slower, further lines are lost, and counted.
    """

    def __init__(
        self, stream: BinaryIO, render: Render, interval: float = _INTERVAL, max_waiting: int = _MAX_WAITING
    ) -> None:
        self._stream = stream
        self._render = render
        self._interval = interval
        self._max_waiting = max_waiting
        # Shared with the thread: the GIL makes adding at its end and deleting at its start atomic.
        self._waiting = bytearray()
        self.lost = 0  # lines so far
        self._reported = 0  # of them, those that a line of the log reports
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def write(self, entry: Entry) -> None:
        """Add an entry. This method is an observer of requests, too."""
        if len(self._waiting) < self._max_waiting:
            self._waiting += self._render(entry)
        else:
            self.lost += 1

    def close(self) -> None:
        """Write what is left, and end the thread."""
        self._stop.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stop.wait(self._interval):
            self.flush()
        self.flush()

    def flush(self) -> None:
        """Write what waits, now."""
        if self._waiting:
            lines = bytes(self._waiting)
            del self._waiting[: len(lines)]
            if not self._put(lines):
                self.lost += lines.count(b"\n")
        lost = self.lost - self._reported
        if lost and self._put(
            self._render(Event(datetime.now(UTC), "error", __name__, f"{lost} log lines were lost"))
        ):
            self._reported += lost

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
    """Lines for a person, without control characters: a caller must not control the terminal."""
    return "".join(f"{_printable(line)}\n" for line in _lines(entry)).encode("utf-8", "replace")


def _lines(entry: Entry) -> list[str]:
    time = entry.time.isoformat(sep=" ", timespec="milliseconds").removesuffix("+00:00")
    if isinstance(entry, Event):
        text = f"{time} {entry.level.upper():7} {entry.logger}: {entry.message}\n{entry.traceback}"
        return text.splitlines()
    cache = f" {entry.cache}" if entry.cache is not None else ""
    stream = "" if entry.streamed_ms is None else f", a stream of {entry.streamed_ms / 1_000:.1f} s"
    answer = f"{entry.status} {entry.duration_ms:.2f} ms{cache}{stream}"
    return [f"{time[11:]} {entry.method} {entry.path} {answer}"]


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
    """Send all of the standard library's logging to a stream; the writer, which takes other entries, too."""
    writer = LineWriter(stream, render)
    handler = LogHandler(writer)
    root = logging.getLogger()
    level_before = root.level
    root.addHandler(handler)
    root.setLevel(level.upper())
    try:
        yield writer
    finally:
        root.setLevel(level_before)
        root.removeHandler(handler)
        writer.close()
