"""What questions are called in a store that replicas share, and how their answers are written there. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import Any, Final, TypeVar

import msgspec

from service.cache.shared_store import Key
from service.tracking.questions import ListRuns, Question

T = TypeVar("T")

FORMAT: Final = 1  # of keys and data: another one wherever a replica of another version would misread them
MOST_BYTES: Final = 1_000_000  # of one answer: 1 MB is 10 ms on a line of 1 Gbit/s
TOO_LARGE: Final = b""  # stands for an answer of more bytes: each replica asks for that by itself
_NAME_BYTES: Final = 1_000  # of a list's name in its group, at most

_encode = msgspec.msgpack.Encoder(order="deterministic").encode
_read_list = msgspec.msgpack.Decoder(ListRuns).decode


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
        return _digest(self._written(question))

    def groups_of(self, question: Question[Any]) -> Sequence[Key]:
        """The groups of lists among which one may prove the answer to this question; () for no list."""
        if not isinstance(question, ListRuns):
            return ()
        strategies = dict.fromkeys((None, question.strategy_id))
        return [self._group(question, strategy_id) for strategy_id in strategies]

    def place_of(self, question: Question[Any]) -> tuple[Key, bytes]:
        """The group of a list, and its name there; nothing for what is no list, or has a long name.

        Lists of one strategy have a group of their own, lest many of them crowd out the lists of all.
        """
        if not isinstance(question, ListRuns) or len(name := _encode(question)) > _NAME_BYTES:
            return b"", b""
        return self._group(question, question.strategy_id), name

    def named(self, names: Iterable[bytes]) -> Iterator[ListRuns]:
        """The lists of these names, but for what is no name of a list."""
        for name in names:
            try:
                yield _read_list(name)
            except msgspec.MsgspecError:
                continue

    def wrap(self, question: Question[T], value: T) -> bytes:
        """The data that stand for an answer; TOO_LARGE where they would be."""
        data = _encode(_Data(self._written(question), msgspec.Raw(question.codec.encode(value))))
        return data if len(data) <= MOST_BYTES else TOO_LARGE

    def unwrap(self, question: Question[T], data: bytes) -> T:
        """The answer again; MsgspecError where the data are of another question, or of none."""
        read = _decode(data)
        if read.question != self._written(question):
            raise msgspec.ValidationError("it is the answer to another question")
        value: T = question.codec.decode(bytes(read.value))
        return value

    def _group(self, question: ListRuns, strategy_id: str | None) -> Key:
        group = _encode((question.experiment_id, question.after, strategy_id))
        return _digest(b"%d\0%s\0lists\0%s" % (FORMAT, self._mlflow, group))

    def _written(self, question: Question[Any]) -> bytes:
        return b"%d\0%s\0%s\0%s" % (FORMAT, self._mlflow, type(question).__name__.encode(), _encode(question))


def _digest(text: bytes) -> Key:
    return blake2b(text, digest_size=16).digest()
