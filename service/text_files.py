"""Text of files that people edit, on whatever machine: with a byte order mark or without, and UTF-8 alone."""

from __future__ import annotations

from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from pathlib import Path

_LARGEST = 1_048_576  # bytes


def read_text(file: Path) -> str:
    """The text of a file. OSError; ValueError where it is no text or too large, without its name."""
    return decoded(read_bytes(file))


def read_bytes(file: Path) -> bytes:
    """The bytes of a file; OSError, or ValueError where they are too many."""
    with file.open("rb") as opened:
        content = opened.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise ValueError(f"larger than {_LARGEST} bytes")
    return content


def decoded(content: bytes) -> str:
    """The text of UTF-8, without the mark that Windows puts before it. ValueError, in words of a person's."""
    if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) or b"\0" in content:
        raise ValueError("it is UTF-16 or not text; save it as UTF-8")
    try:
        return content.removeprefix(BOM_UTF8).decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(f"line {line} is not UTF-8; save it as UTF-8") from None
