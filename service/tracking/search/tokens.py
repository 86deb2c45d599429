"""Page tokens: where the next page starts, as opaque text that fits into a URL. Pure.

A token belongs to what it was written for, such as a filter and an order, and names it by a digest. It holds
no secret and needs no key, so that it is good on every replica and after every restart. The check at its
front finds what was cut or changed on the way. Whoever writes a token by hand gets another place of the same
list, and nothing else: what a token holds is checked by its type. Long texts are cut, so that a token of a
search or of groups has at most about 2 kB, and fits into a request's line and a header.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any, Final, TypeVar

import msgspec

from service.tracking.search.cuts import CutText, cut
from service.tracking.search.fields import Operand
from service.tracking.search.queries import Grouping, GroupPosition, Placed, Position, RunSearch

MAX_LENGTH: Final = 65_536  # characters

_TEXTS: Final = 1_000  # bytes of all texts of a position
_FORMAT: Final = 1
_CHECK: Final = 8  # bytes
_DIGEST: Final = 12

T = TypeVar("T", bound=msgspec.Struct)


class TokenError(ValueError):
    """A page token that is none, or that belongs to something else. The message is for the caller."""


class _Content(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    format: int
    kind: str
    of: bytes
    position: msgspec.Raw


_content: Final = msgspec.msgpack.Decoder(_Content)


def write_token(kind: str, position: msgspec.Struct, of: object) -> str:
    """The token of a position. kind: of which list. of: what it belongs to, as msgspec can write it."""
    content = _Content(_FORMAT, kind, _digest(of), msgspec.Raw(msgspec.msgpack.encode(position)))
    written = msgspec.msgpack.encode(content)
    return base64.urlsafe_b64encode(_check(written) + written).decode().rstrip("=")


def read_token(kind: str, token: str, type_: type[T], of: object) -> T:
    """The position that a token holds; TokenError where it is damaged or belongs to something else."""
    content = _read(token)
    if content.kind != kind:
        raise TokenError("The page token belongs to another list; ask for the first page without it.")
    if content.of != _digest(of):
        raise TokenError(
            "The page token belongs to another question: filter, order and the like must be those of the "
            "page before; ask for the first page without it."
        )
    try:
        return msgspec.msgpack.decode(content.position, type=type_)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _damaged() from None


def token_of_search(search: RunSearch, position: Position) -> str:
    """The token of the page behind this position."""
    values = _short(position.values, len(position.values))
    return write_token("search", msgspec.structs.replace(position, values=values), _identity(search))


def position_of_search(search: RunSearch, token: str) -> Position:
    """Where the page of a token starts; TokenError where the token is not one of this search."""
    position = read_token("search", token, Position, _identity(search))
    _fit([key.operand for key in search.order], position.values)
    return position


def token_of_groups(grouping: Grouping, position: GroupPosition) -> str:
    """The token of the page behind this group."""
    value, parts = position.value, len(position.key)
    if isinstance(value, tuple):
        parts += len(value)
        value = _short(value, parts)
    position = GroupPosition(_short(position.key, parts), value)
    return write_token("groups", position, _identity(grouping))


def position_of_groups(grouping: Grouping, token: str) -> GroupPosition:
    """Where the page of a token starts; TokenError where the token is not one of this grouping."""
    position = read_token("groups", token, GroupPosition, _identity(grouping))
    _fit(grouping.by, position.key)
    if grouping.order.statistic == "key":
        if not isinstance(position.value, tuple):
            raise _damaged()
        _fit(grouping.by, position.value)
    elif isinstance(position.value, str | tuple | CutText):
        raise _damaged()
    return position


def _identity(question: RunSearch | Grouping) -> tuple[object, ...]:
    """What a token belongs to: all that decides which rows there are, and in which order."""
    if isinstance(question, Grouping):
        return question.experiment_ids, question.filter, question.order, question.by
    return question.experiment_ids, question.filter, question.order


def _short(values: tuple[Placed, ...], parts: int) -> tuple[Placed, ...]:
    """The values with long texts cut: each has its part of what all may have."""
    return tuple(cut(value, _TEXTS // parts) if isinstance(value, str) else value for value in values)


def _fit(operands: Any, values: tuple[Placed, ...]) -> None:
    """Make sure that a list of values is one of these operands."""
    if len(operands) != len(values) or not all(map(_fits, operands, values)):
        raise _damaged()


def _fits(operand: Operand, value: Placed) -> bool:
    return value is None or isinstance(value, float if operand.is_number else (str, CutText))


def _read(token: str) -> _Content:
    if len(token) > MAX_LENGTH:
        raise _damaged()
    try:
        data = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        written = data[_CHECK:]
        # Base64 has several texts for the same bytes: only one of them is the token.
        is_one = base64.urlsafe_b64encode(data).decode().rstrip("=") == token
        if not is_one or _check(written) != data[:_CHECK]:
            raise _damaged()
        content = _content.decode(written)
    except (ValueError, RecursionError):  # of base64 and msgspec
        raise _damaged() from None
    if content.format != _FORMAT:
        raise TokenError("The page token is of another version of this service; ask for the first page anew.")
    return content


def _check(written: bytes) -> bytes:
    return hashlib.blake2b(written, digest_size=_CHECK, person=b"page token").digest()


def _digest(of: object) -> bytes:
    # Sorted, since sets and mappings have another order in another process.
    written = msgspec.msgpack.encode(of, order="deterministic")
    return hashlib.blake2b(written, digest_size=_DIGEST).digest()


def _damaged() -> TokenError:
    return TokenError(
        "The page token is damaged or none of this service's; ask for the first page without it."
    )
