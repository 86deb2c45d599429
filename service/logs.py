"""The service's log: a line for each event, written in batches by a thread: no request waits for it."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import BinaryIO

import msgspec
from aiohttp import web
from multidict import istr

from service.api.observation import route_of

_INTERVAL = 0.1  # seconds between two batches
_MOST_WAITING = (
    100_000  # lines; where the reader of the log is slower than that, the rest is counted and lost
)
_LONGEST_PATH = 256
_TRACEPARENT = istr("traceparent")
_TRACE = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-.{1,64}", re.ASCII)  # https://www.w3.org/TR/trace-context/
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
        self._line = _as_object if as_json else _as_text
        self._clock = clock

    def __call__(
        self, request: web.Request, response: web.StreamResponse, request_id: str, seconds: float
    ) -> None:
        self._write(self._line(_timestamp(self._clock()), request, response, request_id, seconds).encode())


def _as_object(
    when: str, request: web.Request, response: web.StreamResponse, request_id: str, seconds: float
) -> str:
    # By hand: the request's own texts are encoded once and remembered, and all else is plain.
    line = f'{{"time":"{when}","level":"info","request_id":"{request_id}",'
    line += _asked(request.method, route_of(request), request.rel_url.raw_path[:_LONGEST_PATH])
    line += f',"status":{response.status},"duration_ms":{seconds * 1_000:.3f}'
    if (reading := getattr(response, "reading", None)) is not None:
        line += f',"upstream_ms":{reading.waited * 1_000:.3f},"cache":"{reading.cache}"'
    trace = request.headers.get(_TRACEPARENT)
    if trace is not None and _TRACE.fullmatch(trace):
        line += f',"trace_id":"{trace[3:35]}"'
    return line + "}"


def _as_text(
    when: str, request: web.Request, response: web.StreamResponse, request_id: str, seconds: float
) -> str:
    del request_id
    reading = getattr(response, "reading", None)
    path = _printable(request.rel_url.raw_path[:_LONGEST_PATH])
    cache = f" {reading.cache}" if reading is not None else ""
    return f"{when[11:23]} {request.method} {path} {response.status} {seconds * 1_000:.2f} ms{cache}"


@lru_cache(maxsize=4_096)
def _asked(method: str, route: str, path: str) -> str:
    return _encode({"method": method, "route": route, "path": path}).decode()[1:-1]


def _printable(text: str) -> str:
    # A terminal gets no control characters of a caller's making.
    return "".join(character if character.isprintable() else "?" for character in text)


def _timestamp(seconds: float) -> str:
    whole = int(seconds)
    return f"{_second(whole)}.{int((seconds - whole) * 1_000):03d}Z"


@lru_cache(maxsize=2)
def _second(whole: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole))
