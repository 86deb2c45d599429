"""Why tokens are refused: what a caller is told, and what the log says, in a few lines a minute at most."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

import jwt

from service.errors import shorten

log = logging.getLogger("service.auth")

EXPIRED = "The token has expired (exp)."
_PAUSE = 60.0  # seconds between two lines of one reason
_WHY: Mapping[type[Exception], str] = {
    jwt.ExpiredSignatureError: EXPIRED,
    jwt.InvalidAudienceError: "The token is for another audience (aud).",
    jwt.InvalidIssuerError: "The token is from another issuer (iss).",
    jwt.InvalidSignatureError: "The token's signature is not valid.",
}


class Refusals:
    """Logs each reason once, and again after a minute at the earliest, with how many there were meanwhile.

    clock: seconds, of any beginning.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._next: dict[str, float] = {}
        self._unsaid: dict[str, int] = {}

    def note(self, reason: str, more: str = "") -> None:
        """Tell of one more. reason: one of a few texts, with nothing in it that a caller wrote."""
        now = self._clock()
        if now < self._next.get(reason, now):
            self._unsaid[reason] = self._unsaid.get(reason, 0) + 1
            return
        self._next[reason] = now + _PAUSE
        unsaid = self._unsaid.pop(reason, 0)
        words = [
            reason,
            more,
            f"{unsaid} more were refused for this reason since the last such line." if unsaid else "",
        ]
        log.info("refused: %s", " ".join(filter(None, words)))


def told(error: jwt.InvalidTokenError) -> str:
    """What a caller is told: the claim that is at fault, and nothing of what it holds."""
    if isinstance(error, jwt.MissingRequiredClaimError):
        return f"The token lacks the claim {error.claim}."
    claim = next((name for name in ("exp", "nbf", "iat") if f"({name})" in str(error)), None)
    if isinstance(error, jwt.ImmatureSignatureError):
        return f"The token is not valid yet ({claim})."
    if claim is not None:
        return f"The token's claim {claim} is not valid."
    return _WHY.get(type(error), "The token is not valid.")


def logged(error: jwt.InvalidTokenError, claims: Mapping[str, Any], issuer: str, audience: str) -> str:
    """What the log says beside that: an `iss` or `aud` that is not the one expected, "" of all else.

    claims: of a token whose signature is good, so that a known issuer has written them.
    """
    if isinstance(error, jwt.InvalidAudienceError):
        return _compared("aud", claims, "TRACKING_AUTH__AUDIENCE", audience)
    if not isinstance(error, jwt.InvalidIssuerError):
        return ""
    hint = str(claims.get("iss")).rstrip("/") == issuer.rstrip("/")
    differ = " They differ by a slash at the end." if hint else ""
    return _compared("iss", claims, "TRACKING_AUTH__ISSUER", issuer) + differ


def _compared(claim: str, claims: Mapping[str, Any], setting: str, expected: str) -> str:
    return f"Its {claim} is {shorten(str(claims.get(claim)))}, and {setting} is {shorten(expected)}."
