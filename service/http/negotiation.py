"""What a caller says in headers that are lists, and which of several media types it wants. Pure."""

from __future__ import annotations

from functools import lru_cache

from multidict import CIMultiDictProxy


def listed(headers: CIMultiDictProxy[str], name: str) -> str | None:
    """A header that is a list: several lines of it are one (RFC 9110, 5.3). None where there is none."""
    first = headers.get(name)
    if first is None:
        return None
    lines = headers.getall(name)
    return first if len(lines) == 1 else ", ".join(lines)


@lru_cache(maxsize=256)
def prefers(accept: str | None, media_type: str, default: str = "application/json") -> bool:
    """Whether an Accept header names this media type, and gives it at least the weight of the default
    (RFC 9110, 12.5.1).

    A wildcard stands for the default: whoever takes anything gets that.
    """
    if not accept or media_type not in accept.lower():
        return False
    weights: dict[str, float] = {}
    for part in accept.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        weights[name] = _weight(parameters)
    wanted = weights.get(media_type, 0.0)
    return wanted > 0 and wanted >= weights.get(default, 0.0)


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
