"""API keys: names with the SHA-256 digests of keys, in a file that is read again when it changes.

A key has 256 random bits and cannot be guessed, so its digest needs neither salt nor stretching. Keys are
looked up by digest and never compared, so the time that a look-up takes reveals nothing about a key.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from secrets import token_urlsafe
from typing import NamedTuple

from multidict import CIMultiDictProxy

from service.auth.credential import api_key
from service.errors import Unauthenticated
from service.text_files import decoded, read_bytes

log = logging.getLogger("service.auth")

_INTERVAL = 1.0  # seconds between two looks at the file
_PREFIX = "etk_"  # lets people and scanners recognise a key, for example in a commit
_NAME = re.compile(r"[A-Za-z0-9._@-]{1,64}", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)


class NewKey(NamedTuple):
    """A new API key, and the line for the file of keys, which holds its digest."""

    key: str
    line: str


def new_key(name: str) -> NewKey:
    """Make a key for a caller of this name; ValueError for a malformed name."""
    if not _NAME.fullmatch(name):
        raise ValueError("a name has 1 to 64 letters, digits and . _ @ -")
    key = _PREFIX + token_urlsafe(32)
    return NewKey(key, f"{name} {sha256(key.encode()).hexdigest()}")


def read_keys(text: str) -> dict[bytes, str]:
    """Return the names by digest from lines of `NAME DIGEST`.

    Empty lines and lines that start with # are skipped. A comma separates entries like a line end, because a
    variable may not be able to hold several lines. A name may have several keys, such as an old and a new
    one. ValueError names the number of a malformed line and does not repeat it: it may hold a key.
    """
    keys: dict[bytes, str] = {}
    for number, words in _entries(text):
        if len(words) != 2 or not _NAME.fullmatch(words[0]) or not _DIGEST.fullmatch(words[1].lower()):  # noqa: PLR2004 - a name and a digest
            raise ValueError(f"line {number} is not a name and a SHA-256 digest, as `new-key` prints them")
        name, digest = words
        if keys.setdefault(bytes.fromhex(digest), name) != name:
            raise ValueError(f"line {number} gives a second name to a key")
    return keys


def _entries(text: str) -> Iterator[tuple[int, list[str]]]:
    # Each of several concatenated files may begin with a byte order mark.
    for number, line in enumerate(text.replace("\ufeff", "").splitlines(), 1):
        if not line.lstrip().startswith("#"):
            yield from ((number, words) for entry in line.split(",") if (words := entry.split()))


class ApiKeys:
    """Identifies callers by their API keys.

    keys: names by digest. file: has lines with more keys, and is read again within a second of a change. If
    it vanishes or becomes malformed, the keys from before stay valid, and the log says so once. clock:
    seconds, monotonic. ValueError or OSError if there is no key at all, or the file is missing or malformed.
    """

    def __init__(
        self,
        keys: Mapping[bytes, str],
        file: Path | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fixed_keys = dict(keys)
        self._file = file
        self._clock = clock
        self._content = b"" if file is None else self._read(file)
        self._keys = self._all_keys(self._content)
        self._last_error = ""  # of the file, as it was logged
        self._next_look = clock() + _INTERVAL

    async def __call__(self, headers: CIMultiDictProxy[str]) -> str:
        """Return the name of the caller who sends these headers; Unauthenticated."""
        digest = sha256(api_key(headers).encode("utf-8", "surrogateescape")).digest()
        if self._file is not None and self._clock() >= self._next_look:
            self._next_look = self._clock() + _INTERVAL
            self._reload(self._file)
        name = self._keys.get(digest)
        if name is None:
            raise Unauthenticated("The API key is not known.", was_given=True)
        return name

    def _read(self, file: Path) -> bytes:
        try:
            return read_bytes(file)
        except ValueError as error:
            raise ValueError(f"{file}: {error}") from error

    def _all_keys(self, content: bytes) -> dict[bytes, str]:
        try:
            keys = self._fixed_keys | read_keys(decoded(content))
        except ValueError as error:
            raise ValueError(f"{self._file}: {error}") from error
        if not keys:
            raise ValueError("there is no API key; `experiment-tracking new-key NAME` creates one")
        return keys

    def _reload(self, file: Path) -> None:
        # The content is compared, not the time and size of the file: both may stay when a key is replaced.
        try:
            content = self._read(file)
            if content != self._content:
                self._keys = self._all_keys(content)
                self._content = content
                log.info("%d API keys are known", len(self._keys))
        except (OSError, ValueError) as error:
            if self._last_error != str(error):
                log.error("the API keys were not reloaded, and those from before stay valid: %s", error)  # noqa: TRY400 - the reason is enough
            self._last_error = str(error)
        else:
            self._last_error = ""
