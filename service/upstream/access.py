"""How MLflow is reached: what it is shown, how it is verified, and through which proxy."""

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
    """How one MLflow is reached.

    headers: sent with every call, to MLflow only. token: one that changes, sent beside them.
    ssl_context: how its certificate is verified; None for the system's way. proxy: an HTTP proxy, which may
    have a user and a password; None for directly.
    """

    headers: Mapping[str, str] = {}
    token: TokenFile | None = None
    ssl_context: ssl.SSLContext | None = None
    proxy: URL | None = None

    def __repr__(self) -> str:
        return "Access(…)"  # it holds secrets

    def shown(self) -> Mapping[str, str]:
        """The headers of a call that is made now."""
        return self.headers if self.token is None else {**self.headers, **self.token.header()}

    def renew(self) -> bool:
        """Whether there is another credential than the one that MLflow has just refused."""
        return self.token is not None and self.token.renew()


DIRECT = Access()  # a local MLflow: no credentials, no proxy


def authorization(username: str | None, password: str | None, token: str | None) -> Mapping[str, str]:
    """The header that MLflow's own client would send: a username and password win over a token.

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
    """How MLflow's certificate is verified and ours is shown; None where the system's way is meant.

    server_cert: CA bundle, a file (PEM) or folder; it wins over those of the environment. client_cert:
    certificate and key in one PEM file. insecure: do not verify. ValueError, with the name of the variable,
    where a file is not there or not what it should be.
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
            context.load_cert_chain(client_cert, password=_has_a_passphrase)
        except (OSError, ValueError) as error:
            raise ValueError(f"MLFLOW_TRACKING_CLIENT_CERT_PATH: {client_cert}: {error}") from error
    return context


def _has_a_passphrase() -> NoReturn:
    raise ValueError("its key is encrypted, and there is nobody to ask for the passphrase")
