"""JSON Web Tokens (RFC 7519) as credentials, with a fixed list of algorithms and required claims.

`iss`, `aud` and `exp` are required (RFC 9068, 2.2). The times in `nbf` and `iat`, if present, must have
passed.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import partial
from hashlib import sha256
from typing import Any, NamedTuple

import jwt
from jwt.types import Options
from multidict import CIMultiDictProxy

from service.auth.credential import bearer
from service.auth.key_sets import ALGORITHMS, KeySet
from service.auth.refusals import EXPIRED, Refusals, detail_for_caller, detail_for_log
from service.errors import Forbidden, Unauthenticated, shorten

_LEEWAY = 10  # seconds that clocks may differ by
_REQUIRED = ["iss", "exp"]
_CHECKS = Options(verify_sub=False, verify_jti=False)  # these limit nothing, and may have any type
_MOST_ENTRIES = 10_000
_LONGEST = 8_192  # characters
_LONGEST_NAME = 64  # characters


class _Entry(NamedTuple):
    """The result of a check: the caller's name, the token's end, and the edition of the keys.

    until: seconds since 1970. edition: of the key set that the token was checked with.
    """

    name: str
    until: int
    edition: int


class Tokens:
    """Identifies callers by JSON Web Tokens of an issuer.

    A valid token is remembered until it expires or the keys change, because checking a signature takes a
    tenth of a millisecond. keys: of the issuer. issuer, audience: the `iss` and `aud` that a token must have.
    scope: the scopes that it must grant (in `scope`, `scp` or `roles`), separated by spaces. most_known: how
    many tokens are remembered. clock: seconds since 1970, for remembered tokens.
    """

    def __init__(
        self,
        keys: KeySet,
        *,
        issuer: str,
        audience: str,
        scope: str = "",
        most_known: int = _MOST_ENTRIES,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._scopes = frozenset(scope.split())
        self._most_known = most_known
        self._clock = clock
        self._entries: OrderedDict[bytes, _Entry] = OrderedDict()
        self._refusals = Refusals(clock)

    async def __call__(self, headers: CIMultiDictProxy[str]) -> str:
        """Return the name of the caller with these headers; Unauthenticated, Forbidden, AuthUnavailable."""
        token = bearer(headers)
        if len(token) > _LONGEST:
            raise self._refused("The token is too long.")
        self._keys.renew_if_old()
        digest = sha256(token.encode("utf-8", "surrogateescape")).digest()
        entry = self._entries.get(digest)
        if entry is None or entry.edition != self._keys.edition:
            entry = await self._check(token)
            self._remember(digest, entry)
        if entry.until <= self._clock():
            raise self._refused(EXPIRED)
        return entry.name

    def _remember(self, digest: bytes, entry: _Entry) -> None:
        self._entries[digest] = entry
        if len(self._entries) > self._most_known:
            self._entries.popitem(last=False)

    async def _check(self, token: str) -> _Entry:
        header = _header(token)
        if header is None:
            raise self._refused("The credential is not a token (JWT).")
        algorithm, key_id = header
        if algorithm not in ALGORITHMS:
            raise self._refused("The token's algorithm is not accepted (alg).")
        key = await self._keys.find(algorithm, key_id)
        if key is None:
            raise self._refused("The token's key is not known (kid).")
        try:
            claims = self._claims(token, key, algorithm)
        except jwt.InvalidTokenError as error:
            raise self._refused(detail_for_caller(error), self._detail_for_log(error, token)) from None
        granted = _granted(claims)
        if not self._scopes <= granted:
            detail = "The token does not grant access to runs."
            grants, required = (shorten(" ".join(sorted(scopes))) for scopes in (granted, self._scopes))
            self._refusals.note(detail, f"It grants {grants}, and TRACKING_AUTH__SCOPE is {required}.")
            raise Forbidden(detail)
        return _Entry(_name(claims), int(claims["exp"]) + _LEEWAY, self._keys.edition)

    def _claims(self, token: str, key: jwt.PyJWK, algorithm: str) -> dict[str, Any]:
        """Return the claims of a valid token; jwt.InvalidTokenError."""
        decode = partial(jwt.decode, token, key, algorithms=[algorithm], issuer=self._issuer, leeway=_LEEWAY)
        try:
            return decode(audience=self._audience, options={**_CHECKS, "require": [*_REQUIRED, "aud"]})
        except jwt.MissingRequiredClaimError as error:
            if error.claim != "aud":
                raise
            claims = decode(options={**_CHECKS, "require": _REQUIRED, "verify_aud": False})
            if not _is_access_token_of_cognito(claims, self._audience):
                raise
            return claims

    def _refused(self, detail: str, more: str = "") -> Unauthenticated:
        self._refusals.note(detail, more)
        return Unauthenticated(detail, was_given=True)

    def _detail_for_log(self, error: jwt.InvalidTokenError, token: str) -> str:
        if not isinstance(error, jwt.InvalidIssuerError | jwt.InvalidAudienceError):
            return ""
        claims = jwt.decode(token, options={"verify_signature": False})  # it was verified before iss and aud
        return detail_for_log(error, claims, self._issuer, self._audience)


def _is_access_token_of_cognito(claims: Mapping[str, Any], audience: str) -> bool:
    """Tell whether this is an access token of Amazon Cognito for this audience: those have no `aud`.

    https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html
    """
    return claims.get("token_use") == "access" and claims.get("client_id") == audience


def _header(token: str) -> tuple[str, str | None] | None:
    """Return the algorithm and the key id in the header of a token; None if it is not a token."""
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.InvalidTokenError, UnicodeEncodeError):
        return None
    return str(header.get("alg")), header.get("kid")


def _granted(claims: Mapping[str, Any]) -> set[str]:
    granted: set[str] = set()
    for name in ("scope", "scp", "roles"):
        value = claims.get(name, ())
        granted |= set(
            value.split() if isinstance(value, str) else map(str, value) if isinstance(value, list) else ()
        )
    return granted


def _name(claims: Mapping[str, Any]) -> str:
    """Return the caller's name: the subject, or else the client. Some issuers use numbers as subjects."""
    for claim in ("sub", "client_id", "azp"):
        name = claims.get(claim)
        if isinstance(name, int) and not isinstance(name, bool):
            name = str(name)
        if isinstance(name, str) and name:
            return "".join(letter if letter.isprintable() else "?" for letter in name[:_LONGEST_NAME])
    return "unnamed"
