"""Long texts, cut so that they fit into a page token, and how a whole one is known again. Pure.

A tag may have 8,000 characters, and a page token that held them would be longer than a request's line may be.
"""

from __future__ import annotations

import hashlib
from typing import Final

import msgspec

_DIGEST: Final = 16  # bytes


class CutText(msgspec.Struct, frozen=True, gc=False):
    """A text of which only the start was kept, with its length in characters and a digest of the whole."""

    start: str
    length: int
    digest: bytes

    def is_of(self, text: str) -> bool:
        """Whether this is the text that was cut."""
        return len(text) == self.length and text.startswith(self.start) and _digest(text) == self.digest


def cut(text: str, most_bytes: int) -> str | CutText:
    """A text as it is, where it has at most so many bytes in UTF-8; else its start, which has no more."""
    if len(text) <= most_bytes // 4:
        return text
    written = text.encode()
    if len(written) <= most_bytes:
        return text
    return CutText(written[:most_bytes].decode(errors="ignore"), len(text), _digest(text))


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=_DIGEST, person=b"cut text").digest()
