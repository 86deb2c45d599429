"""Values as the bytes that callers get: encoded once, with a strong ETag, gzipped once, and kept.

A representation belongs to the very objects it was made from. Values never change, so it is right for as long
as the store answers with the same objects, and is made anew as soon as it does not.
"""

from __future__ import annotations

import asyncio
import gzip
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from operator import is_
from typing import Any, NamedTuple

import msgspec
from aiohttp import hdrs, web

from service.answer import Answer
from service.http.aiohttp_internals import EncodedResponse
from service.http.cache_status import CACHE, Words, cache_status
from service.http.negotiation import listed
from service.http.security import SERVED_LINES

_encode = msgspec.json.Encoder().encode

_GZIP_FROM = 1_024  # below a packet's size compressing wins nothing
_GZIP_INLINE = 16_384  # above it, compressing takes long enough to be left to a thread
_GZIP_LEVEL = 3
_DIGEST = 24  # digits of a hash that tell one body from another; processors have instructions for SHA-256
_OVERHEAD = 2_048  # bytes of objects around a body
_VALUES_PER_BODY = 4  # a body, and the objects it was made from, which take up to three times its bytes


class WithLines(NamedTuple):
    """An answer with headers of its own, which are kept with it. lines: each with its CRLF."""

    value: object
    lines: str


class Encoded:
    """A body that is JSON already. One of megabytes is made in a thread: to hash it takes a while."""

    __slots__ = ("_hash", "body")

    def __init__(self, body: bytes) -> None:
        self.body = body
        self._hash = sha256(body)

    def digest(self, lines: str) -> str:
        """What the body and those lines are told from others by."""
        whole = self._hash.copy()
        whole.update(lines.encode("ascii"))
        return whole.hexdigest()[:_DIGEST]


class Representation:
    """One answer's bytes, as they are and gzipped. of: the values it was made from.

    lines: headers of its own. They belong to what the ETag stands for, as the body does.
    """

    __slots__ = ("body", "etag", "gzip_etag", "gzipped", "head", "lines", "of", "pressing")

    def __init__(self, of: tuple[object, ...], encoded: Encoded, lines: str = "") -> None:
        self.of = of
        self.body = body = encoded.body
        self.lines = lines
        digest = encoded.digest(lines)
        self.etag = f'"{digest}"'
        self.gzip_etag = f'"{digest}-gzip"'  # other bytes, so another strong ETag (RFC 9110, 8.8.3.3)
        self.head = _head(self.etag, f"Content-Length: {len(body)}\r\n{lines}")
        self.pressing: asyncio.Future[bytes] | None = None  # the body, being gzipped in a thread
        self.gzipped: tuple[bytes, bytes] | None = None  # head and body, once somebody asked for them

    def keep_gzipped(self, body: bytes) -> tuple[bytes, bytes]:
        """Head and body of the gzipped answer, kept from now on."""
        entity = f"Content-Encoding: gzip\r\nContent-Length: {len(body)}\r\n{self.lines}"
        self.gzipped = _head(self.gzip_etag, entity), body
        return self.gzipped

    def is_of(self, values: Sequence[object]) -> bool:
        """Whether it was made from these very objects."""
        return len(self.of) == len(values) and all(map(is_, self.of, values))

    @property
    def size(self) -> int:
        """Bytes of memory that it takes, and keeps alive in its values, about."""
        gzipped = len(self.gzipped[1]) if self.gzipped else 0
        return len(self.body) * _VALUES_PER_BODY + gzipped + _OVERHEAD


class Representations:
    """The answers that were given last, at most max_bytes of them. words: of the header Cache-Status."""

    def __init__(self, max_bytes: int, words: Words = cache_status) -> None:
        self._max_bytes = max_bytes
        self._words = words
        self._kept: OrderedDict[Hashable, Representation] = OrderedDict()
        self.used = 0
        self.evictions = 0

    def __len__(self) -> int:
        return len(self._kept)

    def holds(self, key: Hashable, of: tuple[object, ...]) -> bool:
        """Whether `respond` would use a kept representation, so that nothing has to be built."""
        kept = self._kept.get(key)
        return kept is not None and kept.is_of(of)

    def headers(self, reading: Answer[Any]) -> Mapping[str, str]:
        """How old an answer is, and where it came from, for a response that is made elsewhere."""
        return {"Age": str(int(reading.age)), "Cache-Status": f"{CACHE}; {self._words(reading)}"}

    async def respond(
        self,
        request: web.BaseRequest,
        reading: Answer[Any],
        key: Hashable,
        of: tuple[object, ...],
        build: Callable[[], object],
    ) -> web.StreamResponse:
        """The response to a request for what `build` makes of the values `of`.

        That is a body, one that is Encoded, or either WithLines.

        key: what is asked for; a kept representation of the same key and values is used again.
        """
        kept = self._kept.get(key)
        if kept is None or not kept.is_of(of):
            kept = self._make(key, of, build, kept)
        else:
            self._kept.move_to_end(key)
        asked = request.headers
        head, body, etag = kept.head, kept.body, kept.etag
        if len(body) >= _GZIP_FROM and accepts_gzip(listed(asked, hdrs.ACCEPT_ENCODING) or ""):
            head, body = kept.gzipped or await self._compress(key, kept)
            etag = kept.gzip_etag
        cache = self._words(reading)
        source = f"Age: {int(reading.age)}\r\nCache-Status: {CACHE}; {cache}\r\n".encode("ascii")
        known = listed(asked, hdrs.IF_NONE_MATCH)
        if known is not None and request.method != hdrs.METH_POST and _matches(known, kept):
            head, body = _not_modified(etag, kept.lines), b""
            return EncodedResponse(304, head + source, body, cache=cache, waited=reading.waited)
        return EncodedResponse(200, head + source, body, cache=cache, waited=reading.waited)

    def _make(
        self, key: Hashable, of: tuple[object, ...], build: Callable[[], object], old: Representation | None
    ) -> Representation:
        built = build()
        value, lines = built if isinstance(built, WithLines) else (built, "")
        made = Representation(of, value if isinstance(value, Encoded) else Encoded(_encode(value)), lines)
        if old is not None and old.etag == made.etag:
            made.body, made.gzipped = old.body, old.gzipped
        self._keep(key, made)
        return made

    async def _compress(self, key: Hashable, kept: Representation) -> tuple[bytes, bytes]:
        if len(kept.body) <= _GZIP_INLINE:
            compressed = _gzip(kept.body)
        else:
            if kept.pressing is None:  # once for all who wait for it
                kept.pressing = asyncio.get_running_loop().run_in_executor(None, _gzip, kept.body)
            await asyncio.wait([kept.pressing])  # a caller who leaves ends it for nobody
            if kept.gzipped is not None:
                return kept.gzipped
            compressed = kept.pressing.result()
        if self._kept.get(key) is not kept:
            return kept.keep_gzipped(compressed)
        self._drop(key)
        gzipped = kept.keep_gzipped(compressed)
        self._keep(key, kept)
        return gzipped

    def _keep(self, key: Hashable, made: Representation) -> None:
        self._drop(key)
        if made.size > self._max_bytes:  # or all others would go, and then itself
            return
        self._kept[key] = made
        self.used += made.size
        while self.used > self._max_bytes:
            self._drop(next(iter(self._kept)))
            self.evictions += 1

    def _drop(self, key: Hashable) -> None:
        dropped = self._kept.pop(key, None)
        if dropped is not None:
            self.used -= dropped.size


def _head(etag: str, entity: str) -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{entity}{_validators(etag)}".encode("ascii")


@lru_cache(maxsize=1_024)
def _not_modified(etag: str, lines: str) -> bytes:
    return f"HTTP/1.1 304 Not Modified\r\n{lines}{_validators(etag)}".encode("ascii")


def _validators(etag: str) -> str:
    return f"ETag: {etag}\r\nCache-Control: private, no-cache\r\nVary: Accept-Encoding\r\n{SERVED_LINES}"


@lru_cache(maxsize=256)
def accepts_gzip(accept_encoding: str) -> bool:
    """Whether an Accept-Encoding header lets an answer be gzipped (RFC 9110, 12.5.3)."""
    weights: dict[str, float] = {}
    for part in accept_encoding.lower().split(","):
        name, _, parameter = part.partition(";")
        weight = parameter.strip().removeprefix("q=") if parameter else "1"
        try:
            weights[name.strip()] = float(weight)
        except ValueError:
            weights[name.strip()] = 0.0
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def _matches(known: str, kept: Representation) -> bool:
    # RFC 9110, 13.1.2: the comparison is weak. Either encoding's tag names what the caller already has.
    if known in (kept.etag, kept.gzip_etag):
        return True
    tags = {tag.strip().removeprefix("W/") for tag in known.split(",")}
    return "*" in tags or kept.etag in tags or kept.gzip_etag in tags


def _gzip(body: bytes) -> bytes:
    return gzip.compress(body, _GZIP_LEVEL, mtime=0)
