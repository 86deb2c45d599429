"""How an answer was come by, in the words of a Cache-Status header (RFC 9211). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, assert_never

from service.answer import Answer, Origin

CACHE: Final = "experiment-tracking"  # the name of this cache in the header

_HIT: Final = Origin.HIT  # looking up a member of an enum costs as much as making an answer


def cache_status(answer: Answer[Any]) -> str:
    """The parameters of the header: whether memory answered, else why MLflow was asked. ttl is in seconds."""
    origin = answer.origin
    if origin is _HIT:
        return f"hit; ttl={int(answer.left)}"
    match origin:
        case Origin.STALE:
            return f"hit; ttl={int(answer.left)}; detail=stale"
        case Origin.MISS:
            return _forwarded(answer)
        case Origin.COLLAPSED:
            return f"{_forwarded(answer)}; collapsed"
        case Origin.FORCED:
            return "fwd=request"
    assert_never(origin)


def cache_headers(answer: Answer[Any]) -> Mapping[str, str]:
    """The headers that say how old an answer is, and where it came from."""
    return {"Age": str(int(answer.age)), "Cache-Status": f"{CACHE}; {cache_status(answer)}"}


def _forwarded(answer: Answer[Any]) -> str:
    return "fwd=stale" if answer.expired else "fwd=miss"
