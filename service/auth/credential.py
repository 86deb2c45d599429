"""Reads the credential of a request from its headers."""

from __future__ import annotations

from multidict import CIMultiDictProxy, istr

from service.errors import Unauthenticated

AUTHORIZATION = istr("Authorization")
X_API_KEY = istr("X-API-Key")
_SPACE = " \t"  # the only white space that is not part of a header's value (RFC 9110, 5.5)


def bearer(headers: CIMultiDictProxy[str]) -> str:
    """Return the credential after `Authorization: Bearer` (RFC 6750, 2.1).

    Unauthenticated if there is none, one of another scheme, or more than one: a proxy and the service might
    each read another one.
    """
    values = headers.getall(AUTHORIZATION, ())
    if len(values) != 1:
        raise Unauthenticated("Several credentials were sent." if values else "A credential is needed.")
    scheme, _, credential = values[0].partition(" ")
    credential = credential.strip(_SPACE)
    if scheme.lower() != "bearer" or not credential:
        raise Unauthenticated("The credential must be sent as Authorization: Bearer …")
    return credential


def api_key(headers: CIMultiDictProxy[str]) -> str:
    """Return the key after `Authorization: Bearer` or in `X-API-Key`; Unauthenticated as in `bearer`."""
    keys = headers.getall(X_API_KEY, ())
    if not keys:
        return bearer(headers)
    if len(keys) > 1 or AUTHORIZATION in headers:
        raise Unauthenticated("Several credentials were sent.")
    key = keys[0].strip(_SPACE)
    if not key:
        raise Unauthenticated("A credential is needed.")
    return key
