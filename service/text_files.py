"""Reads text files that people edit: UTF-8 only, with or without a byte order mark."""

from __future__ import annotations

from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from pathlib import Path

_LARGEST = 1_048_576  # bytes


def read_text(file: Path) -> str:
    """Return the text of a file. OSError; ValueError, without the file's name, if it is not UTF-8."""
    return decoded(read_bytes(file))


def read_bytes(file: Path) -> bytes:
    """Return the bytes of a file, at most a megabyte. OSError; ValueError if the file is larger."""
    with file.open("rb") as opened:
        content = opened.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise ValueError(f"larger than {_LARGEST} bytes")
    return content


def decoded(content: bytes) -> str:
    """Decode UTF-8, without the byte order mark that Windows adds. ValueError says what a person can do."""
    if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) or b"\0" in content:
        raise ValueError("it is UTF-16 or not text; save it as UTF-8")
    try:
        return content.removeprefix(BOM_UTF8).decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(f"line {line} is not UTF-8; save it as UTF-8") from None
