"""What questions are called in a store that replicas share, and how their answers are written there. Pure."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any, Final, TypeVar

import msgspec

from service.cache.shared_store import Key
from service.tracking.questions import Question

T = TypeVar("T")

FORMAT: Final = 1  # of keys and data: another one wherever a replica of another version would misread them

_encode = msgspec.msgpack.Encoder(order="deterministic").encode


class _Data(msgspec.Struct, frozen=True, array_like=True):
    """An answer as it is kept. question: of which it is, so that data of another are not taken for it."""

    question: bytes
    value: msgspec.Raw


_decode = msgspec.msgpack.Decoder(_Data).decode


class SharedKeys:
    """The names of questions about one MLflow. mlflow: what tells it from others."""

    def __init__(self, mlflow: str) -> None:
        self._mlflow = mlflow.encode()

    def of(self, question: Question[Any]) -> Key:
        """The key of a question: 16 bytes."""
        return blake2b(self._written(question), digest_size=16).digest()

    def wrap(self, question: Question[T], value: T) -> bytes:
        """The data that stand for an answer."""
        return _encode(_Data(self._written(question), msgspec.Raw(question.codec.encode(value))))

    def unwrap(self, question: Question[T], data: bytes) -> T:
        """The answer again; MsgspecError where the data are of another question, or of none."""
        read = _decode(data)
        if read.question != self._written(question):
            raise msgspec.ValidationError("it is the answer to another question")
        value: T = question.codec.decode(bytes(read.value))
        return value

    def _written(self, question: Question[Any]) -> bytes:
        return b"%d\0%s\0%s\0%s" % (FORMAT, self._mlflow, type(question).__name__.encode(), _encode(question))
