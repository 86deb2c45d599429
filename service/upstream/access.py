"""How the service reaches MLflow: its credentials, TLS and a proxy."""

from __future__ import annotations

import base64
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, NoReturn

from yarl import URL

from service.outbound import trusted, trusting
from service.upstream.token_file import TokenFile

WORKSPACE = "X-MLFLOW-WORKSPACE"  # mlflow/utils/workspace_utils.py


class Access(NamedTuple):
    """The way to one MLflow.

    headers: sent with every call, to MLflow only. token: a bearer token that may change, sent in addition.
    ssl_context: verifies MLflow's certificate; None for the system's defaults. proxy: an HTTP proxy, whose
    address may hold a user and a password; None for none.
    """

    headers: Mapping[str, str] = {}
    token: TokenFile | None = None
    ssl_context: ssl.SSLContext | None = None
    proxy: URL | None = None

    def __repr__(self) -> str:
        return "Access(…)"  # it holds secrets

    def shown(self) -> Mapping[str, str]:
        """The headers of a request that is sent now."""
        return self.headers if self.token is None else {**self.headers, **self.token.header()}

    @property
    def version(self) -> int:
        """A number that is another one for another token."""
        return 0 if self.token is None else self.token.version

    def renew(self, refused: int) -> bool:
        """Read the token again; whether it is another one than that of this version, which MLflow refused."""
        if self.token is None:
            return False
        self.token.renew()
        return self.version != refused


DIRECT = Access()  # a local MLflow: no credentials, no proxy


def authorization(username: str | None, password: str | None, token: str | None) -> Mapping[str, str]:
    """The header that MLflow's own client would send. A username and password take precedence over a token.

    https://mlflow.org/docs/latest/self-hosting/security/basic-http-auth/
    """
    if username is not None and password is not None:
        pair = base64.b64encode(f"{username}:{password}".encode()).decode("ascii")
        return {"Authorization": f"Basic {pair}"}
    return {} if token is None else {"Authorization": f"Bearer {token}"}


def tls(
    server_cert: Path | None,
    client_cert: Path | None,
    environment: Mapping[str, str],
    *,
    insecure: bool,
) -> ssl.SSLContext | None:
    """The TLS settings for MLflow; None for the system's defaults.

    server_cert: a CA bundle, a PEM file or a folder; it takes precedence over those of the environment.
    client_cert: certificate and key in one PEM file. insecure: do not verify MLflow's certificate.
    ValueError, with the name of the variable, where a file does not exist or cannot be used.
    """
    context = None
    if server_cert:
        context = trusting("MLFLOW_TRACKING_SERVER_CERT_PATH", server_cert)
    elif not insecure:
        context = trusted(environment)
    if context is None and not (client_cert or insecure):
        return None
    context = context or ssl.create_default_context()
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if client_cert:
        try:
            context.load_cert_chain(client_cert, password=_refuse_passphrase)
        except (OSError, ValueError) as error:
            raise ValueError(f"MLFLOW_TRACKING_CLIENT_CERT_PATH: {client_cert}: {error}") from error
    return context


def _refuse_passphrase() -> NoReturn:
    raise ValueError("its key is encrypted, and there is nobody to ask for the passphrase")
