"""API keys: names and the SHA-256 digests of keys, in a file that is read again when it changes.

A key is 256 random bits: there is nothing to guess, so a digest without salt or stretching keeps it. Keys are
looked up by their digests and never compared themselves, so how long that takes tells nothing of any of them.
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
_PREFIX = "etk_"  # so that a key is known for one where it should not be, in a commit say
_NAME = re.compile(r"[A-Za-z0-9._@-]{1,64}", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)


class NewKey(NamedTuple):
    """A key, and the line that stands for it among the keys."""

    key: str
    line: str


def new_key(name: str) -> NewKey:
    """A new key for a caller of this name; ValueError where it is no name."""
    if not _NAME.fullmatch(name):
        raise ValueError("a name has 1 to 64 letters, digits and . _ @ -")
    key = _PREFIX + token_urlsafe(32)
    return NewKey(key, f"{name} {sha256(key.encode()).hexdigest()}")


def read_keys(text: str) -> dict[bytes, str]:
    """The names by digest in lines of `NAME DIGEST`; empty lines and those that start with # mean nothing.

    A comma ends a line, too: not every place where an environment is written down has room for lines. A name
    may have several keys, the old and the new. ValueError names the line that is wrong, and tells nothing of
    what stands there: it may be a key.
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
    # Of files put together each brings its own mark.
    for number, line in enumerate(text.replace("\ufeff", "").splitlines(), 1):
        if not line.lstrip().startswith("#"):
            yield from ((number, words) for entry in line.split(",") if (words := entry.split()))


class ApiKeys:
    """Tells callers by their keys.

    given: names by digest. file: lines of more; read again within a second of a change. A file that has
    vanished or makes no sense changes nothing, and the log says so once. clock: seconds, monotonic.
    ValueError or OSError where there is no key at all, or the file is not what it should be.
    """

    def __init__(
        self,
        given: Mapping[bytes, str],
        file: Path | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._given = dict(given)
        self._file = file
        self._clock = clock
        self._content = b"" if file is None else self._read(file)
        self._keys = self._known(self._content)
        self._trouble = ""  # what the log was last told of the file
        self._look_at = clock() + _INTERVAL

    async def __call__(self, headers: CIMultiDictProxy[str]) -> str:
        """The name of who sends a request with these headers; Unauthenticated."""
        digest = sha256(api_key(headers).encode("utf-8", "surrogateescape")).digest()
        if self._file is not None and self._clock() >= self._look_at:
            self._look_at = self._clock() + _INTERVAL
            self._look_into(self._file)
        name = self._keys.get(digest)
        if name is None:
            raise Unauthenticated("The API key is not known.", was_given=True)
        return name

    def _read(self, file: Path) -> bytes:
        try:
            return read_bytes(file)
        except ValueError as error:
            raise ValueError(f"{file}: {error}") from error

    def _known(self, content: bytes) -> dict[bytes, str]:
        try:
            keys = self._given | read_keys(decoded(content))
        except ValueError as error:
            raise ValueError(f"{self._file}: {error}") from error
        if not keys:
            raise ValueError("there is no API key; `experiment-tracking new-key NAME` creates one")
        return keys

    def _look_into(self, file: Path) -> None:
        # The content is compared, not its time and size: both can stay the same when a key is replaced.
        try:
            content = self._read(file)
            if content != self._content:
                self._keys = self._known(content)
                self._content = content
                log.info("%d API keys are known", len(self._keys))
        except (OSError, ValueError) as error:
            if self._trouble != str(error):
                log.error("the API keys were not reloaded, and those from before stay valid: %s", error)  # noqa: TRY400 - the reason is enough
            self._trouble = str(error)
        else:
            self._trouble = ""
