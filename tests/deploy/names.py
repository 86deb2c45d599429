"""A name server for one name, as Docker's is for the replicas of a service."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

_A, _IN = 1, 1
_HEADER = struct.Struct("!6H")
_ANSWERED = 0x8180  # a response, recursion desired and available
_TO_THE_QUESTION = 0xC00C  # the name that stands at byte 12


class Names(asyncio.DatagramProtocol):
    """Whatever name is asked for has the addresses in `addresses`, IPv4 ones only."""

    def __init__(self) -> None:
        self.addresses: list[str] = []
        self.address = ""
        self._transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._transport.sendto(self.answer(data), addr)

    def answer(self, query: bytes) -> bytes:
        """The response to a query with one question (RFC 1035, 4.1)."""
        identifier = _HEADER.unpack_from(query)[0]
        end = query.index(0, _HEADER.size) + 5  # the name's last byte, the type and the class
        [kind] = struct.unpack_from("!H", query, end - 4)
        found = self.addresses if kind == _A else []
        records = [
            struct.pack("!HHHIH", _TO_THE_QUESTION, _A, _IN, 1, 4) + socket.inet_aton(address)
            for address in found
        ]
        header = _HEADER.pack(identifier, _ANSWERED, 1, len(records), 0, 0)
        return header + query[_HEADER.size : end] + b"".join(records)


@asynccontextmanager
async def name_server() -> AsyncIterator[Names]:
    """A name server on a loopback port; its `address` says which."""
    loop = asyncio.get_running_loop()
    transport, names = await loop.create_datagram_endpoint(Names, local_addr=("127.0.0.1", 0))
    host, port = transport.get_extra_info("sockname")
    names.address = f"{host}:{port}"
    try:
        yield names
    finally:
        transport.close()
