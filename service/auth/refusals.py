"""Why tokens are refused: what the caller reads, and what the log says in a few lines a minute at most."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

import jwt

from service.errors import shorten

log = logging.getLogger("service.auth")

EXPIRED = "The token has expired (exp)."
_PAUSE = 60.0  # seconds between two lines with the same reason
_DETAILS: Mapping[type[Exception], str] = {
    jwt.ExpiredSignatureError: EXPIRED,
    jwt.InvalidAudienceError: "The token is for another audience (aud).",
    jwt.InvalidIssuerError: "The token is from another issuer (iss).",
    jwt.InvalidSignatureError: "The token's signature is not valid.",
}


class Refusals:
    """A log of refusals: each reason once a minute at most, with the number of refusals in between.

    clock: seconds, with any origin.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._next: dict[str, float] = {}
        self._unlogged: dict[str, int] = {}

    def note(self, reason: str, more: str = "") -> None:
        """Log or count a refusal. reason: one of a few texts, with nothing in it that a caller wrote."""
        now = self._clock()
        if now < self._next.get(reason, now):
            self._unlogged[reason] = self._unlogged.get(reason, 0) + 1
            return
        self._next[reason] = now + _PAUSE
        unlogged = self._unlogged.pop(reason, 0)
        sentences = [
            reason,
            more,
            f"{unlogged} more were refused for this reason since the last such line." if unlogged else "",
        ]
        log.info("refused: %s", " ".join(filter(None, sentences)))


def detail_for_caller(error: jwt.InvalidTokenError) -> str:
    """Return what the caller reads: which claim is wrong, but not its value."""
    if isinstance(error, jwt.MissingRequiredClaimError):
        return f"The token lacks the claim {error.claim}."
    claim = next((name for name in ("exp", "nbf", "iat") if f"({name})" in str(error)), None)
    if isinstance(error, jwt.ImmatureSignatureError):
        return f"The token is not valid yet ({claim})."
    if claim is not None:
        return f"The token's claim {claim} is not valid."
    return _DETAILS.get(type(error), "The token is not valid.")


def detail_for_log(
    error: jwt.InvalidTokenError, claims: Mapping[str, Any], issuer: str, audience: str
) -> str:
    """Return what only the log says: the wrong `iss` or `aud` and the expected one; "" for other errors.

    claims: of a token with a valid signature, so that they come from a trusted issuer.
    """
    if isinstance(error, jwt.InvalidAudienceError):
        return _comparison("aud", claims, "TRACKING_AUTH__AUDIENCE", audience)
    if not isinstance(error, jwt.InvalidIssuerError):
        return ""
    differs_by_slash = str(claims.get("iss")).rstrip("/") == issuer.rstrip("/")
    hint = " They differ by a slash at the end." if differs_by_slash else ""
    return _comparison("iss", claims, "TRACKING_AUTH__ISSUER", issuer) + hint


def _comparison(claim: str, claims: Mapping[str, Any], setting: str, expected: str) -> str:
    return f"Its {claim} is {shorten(str(claims.get(claim)))}, and {setting} is {shorten(expected)}."
