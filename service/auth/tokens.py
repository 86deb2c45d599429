"""JSON Web Tokens (RFC 7519) as credentials: pinned algorithms, and the claims that bound them required.

`iss`, `aud` and `exp` must be there (RFC 9068, 2.2); `nbf` and `iat` must have passed where they are.
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
from service.auth.refusals import EXPIRED, Refusals, logged, told
from service.errors import Forbidden, Unauthenticated, shorten

_LEEWAY = 10  # seconds that clocks may differ by
_REQUIRED = ["iss", "exp"]
_CHECKS = Options(verify_sub=False, verify_jti=False)  # they bound nothing, and may be of any type
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
        self._refusals = Refusals(clock)

    async def __call__(self, headers: CIMultiDictProxy[str]) -> str:
        """The name of who sends a request with these headers; Unauthenticated, Forbidden, AuthUnavailable."""
        token = bearer(headers)
        if len(token) > _LONGEST:
            raise self._refused("The token is too long.")
        self._keys.renew_if_old()
        digest = sha256(token.encode("utf-8", "surrogateescape")).digest()
        known = self._known.get(digest)
        if known is None or known.edition != self._keys.edition:
            known = await self._check(token)
            self._remember(digest, known)
        if known.until <= self._clock():
            raise self._refused(EXPIRED)
        return known.name

    def _remember(self, digest: bytes, known: _Known) -> None:
        self._known[digest] = known
        if len(self._known) > self._most_known:
            self._known.popitem(last=False)

    async def _check(self, token: str) -> _Known:
        head = _head(token)
        if head is None:
            raise self._refused("The credential is not a token (JWT).")
        algorithm, key_id = head
        if algorithm not in ALGORITHMS:
            raise self._refused("The token's algorithm is not accepted (alg).")
        key = await self._keys.find(algorithm, key_id)
        if key is None:
            raise self._refused("The token's key is not known (kid).")
        try:
            claims = self._claims(token, key, algorithm)
        except jwt.InvalidTokenError as error:
            raise self._refused(told(error), self._logged(error, token)) from None
        granted = _granted(claims)
        if not self._scopes <= granted:
            detail = "The token does not grant access to runs."
            grants, wanted = (shorten(" ".join(sorted(one))) for one in (granted, self._scopes))
            self._refusals.note(detail, f"It grants {grants}, and TRACKING_AUTH__SCOPE is {wanted}.")
            raise Forbidden(detail)
        return _Known(_name(claims), int(claims["exp"]) + _LEEWAY, self._keys.edition)

    def _claims(self, token: str, key: jwt.PyJWK, algorithm: str) -> dict[str, Any]:
        """The claims of a token that is good; jwt.InvalidTokenError."""
        decode = partial(jwt.decode, token, key, algorithms=[algorithm], issuer=self._issuer, leeway=_LEEWAY)
        try:
            return decode(audience=self._audience, options={**_CHECKS, "require": [*_REQUIRED, "aud"]})
        except jwt.MissingRequiredClaimError as error:
            if error.claim != "aud":
                raise
            claims = decode(options={**_CHECKS, "require": _REQUIRED, "verify_aud": False})
            if not _is_of_cognito(claims, self._audience):
                raise
            return claims

    def _refused(self, detail: str, more: str = "") -> Unauthenticated:
        self._refusals.note(detail, more)
        return Unauthenticated(detail, was_given=True)

    def _logged(self, error: jwt.InvalidTokenError, token: str) -> str:
        if not isinstance(error, jwt.InvalidIssuerError | jwt.InvalidAudienceError):
            return ""
        claims = jwt.decode(token, options={"verify_signature": False})  # which came first, and was good
        return logged(error, claims, self._issuer, self._audience)


def _is_of_cognito(claims: Mapping[str, Any], audience: str) -> bool:
    """Whether it is an access token of Amazon Cognito's for this audience: those have no `aud`.

    https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html
    """
    return claims.get("token_use") == "access" and claims.get("client_id") == audience


def _head(token: str) -> tuple[str, str | None] | None:
    """The algorithm and the id of the key that a token names; whatever else its head says is not used."""
    try:
        head = jwt.get_unverified_header(token)
    except (jwt.InvalidTokenError, UnicodeEncodeError):
        return None
    return str(head.get("alg")), head.get("kid")


def _granted(claims: Mapping[str, Any]) -> set[str]:
    granted: set[str] = set()
    for name in ("scope", "scp", "roles"):
        given = claims.get(name, ())
        granted |= set(
            given.split() if isinstance(given, str) else map(str, given) if isinstance(given, list) else ()
        )
    return granted


def _name(claims: Mapping[str, Any]) -> str:
    """What a caller is called: the subject, else the client. Some issuers number their subjects."""
    for claim in ("sub", "client_id", "azp"):
        name = claims.get(claim)
        if isinstance(name, int) and not isinstance(name, bool):
            name = str(name)
        if isinstance(name, str) and name:
            return "".join(letter if letter.isprintable() else "?" for letter in name[:_LONGEST_NAME])
    return "unnamed"
