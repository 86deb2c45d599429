"""How an answer was come by, in the words of a Cache-Status header (RFC 9211). Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, assert_never

from service.answer import Answer, Origin

Words = Callable[[Answer[Any]], str]

CACHE: Final = "experiment-tracking"  # the name of this cache in the header

_HIT: Final = Origin.HIT  # looking up a member of an enum costs as much as making an answer
_SHARED: Final = "; detail=shared"


def cache_status(answer: Answer[Any]) -> str:
    """The parameters of the header: whether memory answered, else why MLflow was asked. ttl is in seconds."""
    origin = answer.origin
    if origin is _HIT:
        return f"hit; ttl={int(answer.left)}"
    match origin:
        case Origin.STALE:
            return f"hit; ttl={int(answer.left)}; detail=stale"
        case Origin.SHARED:
            return f"hit; ttl={int(answer.left)}{_SHARED}"
        case Origin.MISS:
            return _forwarded(answer)
        case Origin.COLLAPSED:
            return f"{_forwarded(answer)}; collapsed"
        case Origin.FORCED:
            return "fwd=request"
    assert_never(origin)


def beside_store(is_attached: Callable[[], bool]) -> Words:
    """The parameters where there is a store that replicas share, of which this cache is a part.

    Where MLflow was asked while the store did not answer, they say so: other replicas may have asked it the
    same, and may have other answers. An answer of memory's does not, since it is what it would be with the
    store; so nothing is looked up for it.
    """

    def words(answer: Answer[Any]) -> str:
        text = cache_status(answer)
        return text if text[0] == "h" or is_attached() else f"{text}; detail=detached"

    return words


def is_of_store(words: str | None) -> bool:
    """Whether they say that the store had the answer."""
    return words is not None and words.endswith(_SHARED)


def _forwarded(answer: Answer[Any]) -> str:
    return "fwd=stale" if answer.expired else "fwd=miss"
