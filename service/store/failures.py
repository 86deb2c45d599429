"""What went wrong with the store, in a word for the metrics, and whether it is asked further. Pure."""

from __future__ import annotations

from typing import Final

from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    InvalidResponse,
    RedisError,
    ResponseError,
)
from redis.exceptions import ConnectionError as NoConnection
from redis.exceptions import TimeoutError as NoReply

from service.errors import StoreFailed


class TooLarge(RedisError):
    """A reply is larger than what is read of one."""


# What a server says first in an error, where it is one of these; whatever else it says is "error", so that
# the number of time series is bounded.
_OF_SERVER: Final = frozenset(
    {
        "busy",
        "clusterdown",
        "crossslot",
        "execabort",
        "loading",
        "masterdown",
        "misconf",
        "moved",
        "noauth",
        "noperm",
        "noreplicas",
        "oom",
        "readonly",
        "tryagain",
        "wrongpass",
        "wrongtype",
    }
)
_OF_ONE_KEY: Final = frozenset({"crossslot", "error", "noperm", "too_large", "wrongtype"})
_BY_CLASS: Final[tuple[tuple[tuple[type[BaseException], ...], str], ...]] = (  # the more special ones first
    ((TooLarge,), "too_large"),
    ((BusyLoadingError,), "loading"),
    ((AuthenticationError, AuthorizationError), "noauth"),
    ((NoReply, TimeoutError), "timeout"),
    ((InvalidResponse,), "not_redis"),
    ((NoConnection, OSError), "unreachable"),
)
SLOW: Final = frozenset({"slow", "timeout"})


def kind_of(error: BaseException) -> str:
    """A word for what went wrong.

    It is the server's own, such as loading or oom, or one of: slow, timeout, unreachable, noauth, too_large,
    not_redis (whatever answers does not speak the protocol), error.
    """
    if isinstance(error, StoreFailed):
        return error.kind
    if isinstance(error, ResponseError):
        return _of_server(error)
    # Whatever else redis-py raises, the reply had a form that no reply has.
    return next((kind for kinds, kind in _BY_CLASS if isinstance(error, kinds)), "not_redis")


def ends_attachment(kind: str) -> bool:
    """Whether one failure of this kind says that the server is of no use for now, whatever the key."""
    return kind not in _OF_ONE_KEY | SLOW


def _of_server(error: ResponseError) -> str:
    text = str(error)
    first = (error.status_code or text.partition(" ")[0]).lower()
    if first in _OF_SERVER:
        return first
    # Redis 7.0 says so of a command in a script; later ones begin with NOPERM.
    return "noperm" if "can't run this command" in text or "can't access" in text else "error"
