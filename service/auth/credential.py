"""The credential that a request bears."""

from __future__ import annotations

from multidict import CIMultiDictProxy, istr

from service.errors import Unauthenticated

AUTHORIZATION = istr("Authorization")
X_API_KEY = istr("X-API-Key")
_SPACE = " \t"  # what may stand around a header's value; any other is part of it


def bearer(headers: CIMultiDictProxy[str]) -> str:
    """The credential after `Authorization: Bearer` (RFC 6750, 2.1).

    Unauthenticated where there is none, another scheme's, or more than one: two say two different things to
    two readers of the same request.
    """
    given = headers.getall(AUTHORIZATION, ())
    if len(given) != 1:
        raise Unauthenticated("Several credentials were sent." if given else "A credential is needed.")
    scheme, _, credential = given[0].partition(" ")
    credential = credential.strip(_SPACE)
    if scheme.lower() != "bearer" or not credential:
        raise Unauthenticated("The credential must be sent as Authorization: Bearer …")
    return credential


def api_key(headers: CIMultiDictProxy[str]) -> str:
    """The key after `Authorization: Bearer` or in `X-API-Key`; Unauthenticated as in `bearer`."""
    keys = headers.getall(X_API_KEY, ())
    if not keys:
        return bearer(headers)
    if len(keys) > 1 or AUTHORIZATION in headers:
        raise Unauthenticated("Several credentials were sent.")
    key = keys[0].strip(_SPACE)
    if not key:
        raise Unauthenticated("A credential is needed.")
    return key
