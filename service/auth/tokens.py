"""JSON Web Tokens (RFC 7519) as credentials: pinned algorithms, and every claim that bounds them required."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any, NamedTuple

import jwt
from multidict import CIMultiDictProxy

from service.auth.credential import bearer
from service.auth.key_sets import ALGORITHMS, KeySet
from service.errors import Forbidden, Unauthenticated

_LEEWAY = 10  # seconds that clocks may differ by
_REQUIRED = ["iss", "aud", "exp", "nbf"]
_MOST_KNOWN = 10_000
_LONGEST = 8_192  # characters
_LONGEST_NAME = 64


class _Known(NamedTuple):
    """A token that was checked: whose, until when (seconds since 1970), and by which edition of the keys."""

    name: str
    until: int
    edition: int


class Tokens:
    """Tells callers by tokens that somebody else issues.

    scope: what a token must grant (in `scope`, `scp` or `roles`), several with spaces between them, "" for
    nothing. A token that was found good is remembered until it ends or the keys change: a signature takes a
    tenth of a millisecond to check. clock: seconds since 1970, for what is remembered.
    """

    def __init__(
        self,
        keys: KeySet,
        *,
        issuer: str,
        audience: str,
        scope: str = "",
        most_known: int = _MOST_KNOWN,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._scopes = frozenset(scope.split())
        self._most_known = most_known
        self._clock = clock
        self._known: OrderedDict[bytes, _Known] = OrderedDict()

    async def __call__(self, headers: CIMultiDictProxy[str]) -> str:
        """The name of who sends a request with these headers; Unauthenticated, Forbidden, AuthUnavailable."""
        token = bearer(headers)
        if len(token) > _LONGEST:
            raise Unauthenticated("The token is too long.", was_given=True)
        self._keys.renew_if_old()
        digest = sha256(token.encode("utf-8", "surrogateescape")).digest()
        known = self._known.get(digest)
        if known is None or known.edition != self._keys.edition:
            known = await self._check(token)
            self._remember(digest, known)
        if known.until <= self._clock():
            raise Unauthenticated(_EXPIRED, was_given=True)
        return known.name

    def _remember(self, digest: bytes, known: _Known) -> None:
        self._known[digest] = known
        if len(self._known) > self._most_known:
            self._known.popitem(last=False)

    async def _check(self, token: str) -> _Known:
        algorithm, key_id = _head(token)
        if algorithm not in ALGORITHMS:
            raise Unauthenticated("The token's algorithm is not accepted.", was_given=True)
        key = await self._keys.find(algorithm, key_id)
        if key is None:
            raise Unauthenticated("The token's key is not known.", was_given=True)
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=self._audience,
                issuer=self._issuer,
                leeway=_LEEWAY,
                options={"require": _REQUIRED},
            )
        except jwt.InvalidTokenError as error:
            raise Unauthenticated(_WHY.get(type(error), "The token is not valid."), was_given=True) from None
        if not self._scopes <= _granted(claims):
            raise Forbidden("The token does not grant reading runs.")
        return _Known(_name(claims), int(claims["exp"]) + _LEEWAY, self._keys.edition)


def _head(token: str) -> tuple[str, str | None]:
    """The algorithm and the id of the key that a token names; whatever else its head says is not used."""
    try:
        head = jwt.get_unverified_header(token)
    except (jwt.InvalidTokenError, UnicodeEncodeError):
        raise Unauthenticated("This is no token.", was_given=True) from None
    return str(head.get("alg")), head.get("kid")


_EXPIRED = "The token has expired."
_WHY: Mapping[type[Exception], str] = {
    jwt.ExpiredSignatureError: _EXPIRED,
    jwt.ImmatureSignatureError: "The token is not valid yet.",
    jwt.InvalidAudienceError: "The token is for somebody else.",
    jwt.InvalidIssuerError: "The token is from somebody else.",
    jwt.InvalidSignatureError: "The token's signature is not valid.",
    jwt.MissingRequiredClaimError: "The token lacks a claim.",
}


def _granted(claims: Mapping[str, Any]) -> set[str]:
    granted: set[str] = set()
    for name in ("scope", "scp", "roles"):
        given = claims.get(name, ())
        granted |= set(
            given.split() if isinstance(given, str) else map(str, given) if isinstance(given, list) else ()
        )
    return granted


def _name(claims: Mapping[str, Any]) -> str:
    for claim in ("sub", "client_id", "azp"):
        name = claims.get(claim)
        if isinstance(name, str) and name:
            return "".join(letter if letter.isprintable() else "?" for letter in name[:_LONGEST_NAME])
    return "unnamed"
