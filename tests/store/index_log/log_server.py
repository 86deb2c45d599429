"""A server that says of a log what a test tells it."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from tests.store.scripted_server import ScriptedServer


def resp(value: Any) -> bytes:
    """A value, as version 3 of the protocol has it."""
    match value:
        case None:
            return b"_\r\n"
        case int():
            return b":%d\r\n" % value
        case bytes():
            return b"$%d\r\n%s\r\n" % (len(value), value)
        case dict():
            return b"%%%d\r\n" % len(value) + b"".join(resp(one) for pair in value.items() for one in pair)
        case _:
            return b"*%d\r\n" % len(value) + b"".join(map(resp, value))


class LogServer(ScriptedServer):
    """Says what a test gives it: for a script, or for another command by name."""

    def __init__(self) -> None:
        super().__init__()
        self.says: dict[str, Any] = {}
        self.asked: list[tuple[str, list[bytes]]] = []
        self.answer = self._say
        self.speaks = asyncio.Event()
        self.speaks.set()

    def _say(self, script: str, arguments: list[bytes]) -> bytes:
        if script not in self.says:
            return self.run(script, arguments)
        self.asked.append((script, arguments))
        return self._said(script)

    def _said(self, name: str) -> bytes:
        said = self.says[name]
        return said if isinstance(said, bytes) and said.startswith(b"-") else resp(said)

    async def _reply(self, parts: list[bytes]) -> bytes:
        name = parts[0].decode().upper()
        if name not in self.says:
            return await super()._reply(parts)
        self.asked.append((name, parts[1:]))
        await self.speaks.wait()
        return self._said(name)

    def head(self, epoch: bytes | None, last: int | None) -> None:
        """It has a log that ends so, and nothing new in it."""
        self.says["HMGET"] = [epoch, None if last is None else b"%d" % last]
        self.says["XREAD"] = None

    def entries(self, stream: str, *entries: tuple[bytes, list[bytes]]) -> None:
        """It has these entries, which were not read yet."""
        self.says["XREAD"] = {
            b"tracking:shared:" + stream.encode(): [[number, fields] for number, fields in entries]
        }


def entry(last: int, *records: bytes, epoch: bytes = b"one") -> tuple[bytes, list[bytes]]:
    """An entry of the log, as it is written."""
    return b"%d-0" % last, [b"e", epoch, b"d", msgspec.msgpack.encode(list(records))]
