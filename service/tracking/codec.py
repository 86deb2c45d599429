"""How values become bytes and come back, for a store that replicas share."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import msgspec

T = TypeVar("T")


class Codec(Generic[T]):
    """Writes values of one type as MessagePack, and reads them back. type_: that type, as msgspec reads it.

    Each kind of question has one, so that a store outside the process can hold its answers.
    """

    def __init__(self, type_: Any) -> None:
        self._decoder = msgspec.msgpack.Decoder(type_)

    def encode(self, value: T) -> bytes:
        """The bytes of a value."""
        return msgspec.msgpack.encode(value)

    def decode(self, data: bytes) -> T:
        """The value again; msgspec.DecodeError for bytes that are not of such a value."""
        value: T = self._decoder.decode(data)
        return value
