"""The service's log: a line for each event, written in batches by a thread: no request waits for it."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import BinaryIO

import msgspec
from aiohttp import web

from service.api.observation import READING, route_of

_INTERVAL = 0.1  # seconds between two batches
_MOST_WAITING = (
    100_000  # lines; where the reader of the log is slower than that, the rest is counted and lost
)
_encode = msgspec.json.Encoder().encode


class LineWriter:
    """Writes lines to a stream, in order, at most an interval late; `close` writes what is left."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lines: deque[bytes] = deque()  # its append and popleft are atomic
        self._lost = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def write(self, line: bytes) -> None:
        """Add a line, without its end."""
        if len(self._lines) < _MOST_WAITING:
            self._lines.append(line)
        else:
            self._lost += 1

    def close(self) -> None:
        """Write what is left and stop."""
        self._stop.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stop.wait(_INTERVAL):
            self._flush()
        self._flush()

    def _flush(self) -> None:
        lines = [self._lines.popleft() for _ in range(len(self._lines))]
        if self._lost:
            lines.append(b'{"level":"error","message":"%d log lines were lost"}' % self._lost)
            self._lost = 0
        if lines:
            lines.append(b"")
            try:
                self._stream.write(b"\n".join(lines))
                self._stream.flush()
            except OSError:  # a full disk, say: the service goes on
                self._lost += len(lines) - 1


class _Event(msgspec.Struct, omit_defaults=True):
    time: str
    level: str
    logger: str
    message: str
    traceback: str = ""


class _Access(msgspec.Struct, omit_defaults=True):
    time: str
    level: str
    request_id: str
    method: str
    route: str
    path: str
    status: int
    duration_ms: float
    upstream_ms: float = 0.0
    cache: str = ""
    trace_id: str = ""


class LogHandler(logging.Handler):
    """Hands the records of the standard library's logging to a writer, as JSON or as text for a person."""

    def __init__(self, writer: LineWriter, *, as_json: bool) -> None:
        super().__init__()
        self._writer = writer
        self._as_json = as_json
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self._as_object(record) if self._as_json else self._as_text(record)
        except Exception:  # noqa: BLE001 - logging's own rule: a bad record is reported, and stops nobody
            self.handleError(record)
        else:
            self._writer.write(line)

    def _as_text(self, record: logging.LogRecord) -> bytes:
        return "\n".join(map(_printable, self.format(record).splitlines())).encode("utf-8", "replace")

    def _as_object(self, record: logging.LogRecord) -> bytes:
        traceback = logging.Formatter().formatException(record.exc_info) if record.exc_info else ""
        return _encode(
            _Event(
                _timestamp(record.created),
                record.levelname.lower(),
                record.name,
                record.getMessage().encode("utf-8", "replace").decode(),
                traceback.encode("utf-8", "replace").decode(),
            )
        )


@contextmanager
def logging_to(stream: BinaryIO, level: str, *, as_json: bool) -> Iterator[LineWriter]:
    """All of the standard library's logging goes to a stream; the writer, for what else is to stand there."""
    writer = LineWriter(stream)
    handler = LogHandler(writer, as_json=as_json)
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(level.upper())
    try:
        yield writer
    finally:
        root.removeHandler(handler)
        writer.close()


class AccessLog:
    """An observer that writes a line for every request."""

    def __init__(self, writer: LineWriter, *, as_json: bool, clock: Callable[[], float] = time.time) -> None:
        self._write = writer.write
        self._line = _encode if as_json else _for_a_person
        self._clock = clock

    def __call__(
        self, request: web.Request, response: web.StreamResponse, request_id: str, seconds: float
    ) -> None:
        reading = response.get(READING)
        trace = request.headers.get("traceparent", "")
        self._write(
            self._line(
                _Access(
                    _timestamp(self._clock()),
                    "info",
                    request_id,
                    request.method,
                    route_of(request),
                    request.rel_url.raw_path[:256],
                    response.status,
                    round(seconds * 1_000, 3),
                    round(reading.waited * 1_000, 3) if reading else 0.0,
                    reading.cache if reading else "",
                    trace[3:35] if trace.isascii() else "",
                )
            )
        )


def _for_a_person(line: _Access) -> bytes:
    text = f"{line.time[11:23]} {line.method} {line.path} {line.status} {line.duration_ms} ms {line.cache}"
    return _printable(text).encode()


def _printable(text: str) -> str:
    # A terminal gets no control characters of a caller's making.
    return "".join(character if character.isprintable() else "?" for character in text)


def _timestamp(seconds: float) -> str:
    whole = int(seconds)
    return f"{_second(whole)}.{int((seconds - whole) * 1_000):03d}Z"


@lru_cache(maxsize=2)
def _second(whole: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole))
