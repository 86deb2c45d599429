"""Streams of a server: how their next entries are asked for, and what it says. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from service.store.own_connection import Command

Entry = tuple[bytes, dict[bytes, bytes]]  # its number and its fields


def next_entries(after: Mapping[bytes, bytes | str], most: int, wait: float) -> Command:
    """What asks for at most so many entries of each stream behind these; waits for some, in seconds."""
    block = ("BLOCK", max(1, int(wait * 1_000))) if wait > 0 else ()
    return ("XREAD", "COUNT", most, *block, "STREAMS", *after, *after.values())


def by_stream(reply: Any) -> dict[bytes, list[Entry]]:
    """The entries of each stream, by either version of the protocol."""
    pairs = (reply.items() if isinstance(reply, dict) else reply) or ()
    return {
        name: [(number, dict(zip(fields[::2], fields[1::2], strict=False))) for number, fields in entries]
        for name, entries in pairs
    }
