"""What an operator can do where there is no connection, judged by the error that aiohttp raised. Pure."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Mapping
from errno import EHOSTUNREACH, ENETUNREACH
from http import HTTPStatus
from typing import NamedTuple

import aiohttp
from yarl import URL

URI = "MLFLOW_TRACKING_URI"

# Codes of openssl's x509_vfy.h, and what each is about.
_UNKNOWN_CA = {2, 18, 19, 20, 21}
_STRICT = range(79, 95)  # what X509_V_FLAG_X509_STRICT objects to, and a CA that is not marked as one
_OF_CERTIFICATES: Mapping[int, str] = {
    9: "its certificate is not valid yet: is this host's clock right?",
    10: "its certificate has expired: renew it, or set this host's clock",
    62: "its certificate is not for that name: set {uri} to a name that it is for",
    64: "its certificate is not for that address: set {uri} to a name that it is for",
    66: "its certificate's key is too weak for this host: have a new one issued",
    67: "the key of its certificate's CA is too weak for this host: have a new one issued",
    68: "its certificate's signature is too weak for this host: have a new one issued",
}
# OpenSSL's reasons for an answer that is not TLS.
_NO_TLS = {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"}
_WANTS_OURS = ("CERTIFICATE_REQUIRED", "HANDSHAKE_FAILURE", "BAD_CERTIFICATE")


class Place(NamedTuple):
    """The address at which MLflow, or another server, should answer.

    proxy: the address of the proxy on the way, without its password; "" for none. bundle: the variable that
    names the CAs, "" where none does. workspace: MLflow's, "" for none. setting, for_ca: the variables of the
    address and of its CA. path: what a person may request there.
    """

    url: URL
    proxy: str = ""
    bundle: str = ""
    workspace: str = ""
    setting: str = URI
    for_ca: str = "MLFLOW_TRACKING_SERVER_CERT_PATH"
    path: str = "/health"

    @property
    def try_it(self) -> str:
        """A command that shows what answers there."""
        return f"try: curl -i {str(self.url).rstrip('/')}{self.path}"

    @property
    def around(self) -> str:
        """How to bypass the proxy."""
        return f"to go around it, put {self.url.host} into NO_PROXY"

    def with_scheme(self, scheme: str) -> str:
        """The same address in http or https, its port as it was written."""
        return str(self.url.with_scheme(scheme).with_port(self.url.explicit_port)).rstrip("/")


def of_connection(error: BaseException | None, place: Place) -> str:
    """What to do where no connection could be made, or where it broke."""
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return of_proxy(error.status, place)
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        return f"the proxy {place.proxy} cannot be reached: is it right? {place.around}"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return _of_name(error.host, place)
    causes = [one for one in _causes(error) if isinstance(one, OSError)]
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _of_certificate(cause, place)
        if isinstance(cause, ssl.SSLError):
            return _of_tls(cause.reason or str(cause), place)
    return _of_socket(causes, place)


def of_proxy(status: int, place: Place) -> str:
    """What to do about an answer of the proxy itself."""
    if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        return f"the proxy {place.proxy} wants user:password@ in its address; {place.around}"
    return f"the proxy {place.proxy} does not lead there (status {status}): {place.around}"


def _causes(error: BaseException | None) -> Iterable[BaseException | None]:
    """The errors of the system behind an error: aiohttp's own are of the same classes, and say less."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        yield error.certificate_error
    elif isinstance(error, aiohttp.ClientConnectorError):
        yield error.os_error
    elif error is not None:
        yield from (error, error.__cause__, error.__context__)


def _of_name(host: str, place: Place) -> str:
    if place.proxy and host != place.url.host:
        return f"no name server knows the proxy {place.proxy}: is it right? {place.around}"
    return f"no name server knows {host}: is it spelt right, and known on this host? {place.try_it}"


def _of_certificate(error: ssl.SSLCertVerificationError, place: Place) -> str:
    code = error.verify_code
    if code in _UNKNOWN_CA and place.bundle:
        return f"{place.bundle} does not have the CA that signed its certificate: add that, as PEM"
    if code in _UNKNOWN_CA:
        return (
            f"this host does not know the CA that signed its certificate: set {place.for_ca} to the "
            "certificate of that CA, a PEM file"
        )
    if code in _STRICT:
        return (
            f"Python 3.13 checks certificates more strictly than curl does: {error.verify_message}. Have it, "
            "or its CA's, issued anew with what it lacks; until then Python 3.12 takes it"
        )
    hint = _OF_CERTIFICATES.get(code, "its certificate is not valid: {message}")
    return hint.format(uri=place.setting, message=error.verify_message)


def _of_tls(reason: str, place: Place) -> str:
    if reason in _NO_TLS:
        return f"it speaks no TLS: set {place.setting}={place.with_scheme('http')}"
    if any(part in reason for part in _WANTS_OURS):
        return "it wants a certificate of the service: set MLFLOW_TRACKING_CLIENT_CERT_PATH"
    return f"TLS fails ({reason}): which versions and ciphers does it speak? {place.try_it}"


def _of_socket(causes: Iterable[OSError], place: Place) -> str:
    for cause in causes:
        if isinstance(cause, ConnectionRefusedError):
            return f"nothing listens there: is it running, and is this its port? {place.try_it}"
        if cause.errno in {ENETUNREACH, EHOSTUNREACH}:
            return f"there is no route to it: is a proxy needed (HTTPS_PROXY)? {place.try_it}"
    if place.url.scheme == "https":  # where the server wanted a certificate, TLS 1.3 breaks off like this
        variable = "MLFLOW_TRACKING_CLIENT_CERT_PATH"
        return f"it hangs up: does it want a client certificate ({variable})? {place.try_it}"
    return (
        f"the connection breaks: is {place.setting} right, and does that server listen there? {place.try_it}"
    )
