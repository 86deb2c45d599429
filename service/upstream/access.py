"""How the service shows itself to MLflow, and how it makes sure that it is MLflow. Pure."""

from __future__ import annotations

import base64
import ssl
from collections.abc import Mapping
from pathlib import Path


def authorization(username: str | None, password: str | None, token: str | None) -> Mapping[str, str]:
    """The header that MLflow's own client would send: a username and password win over a token.

    https://mlflow.org/docs/latest/self-hosting/security/basic-http-auth/
    """
    if username is not None and password is not None:
        pair = base64.b64encode(f"{username}:{password}".encode()).decode("ascii")
        return {"Authorization": f"Basic {pair}"}
    return {} if token is None else {"Authorization": f"Bearer {token}"}


def tls(server_cert: Path | None, client_cert: Path | None, *, insecure: bool) -> ssl.SSLContext | None:
    """How MLflow's certificate is verified and ours is shown; None where the system's way is meant.

    server_cert: CA bundle (PEM). client_cert: certificate and key in one PEM file. insecure: do not verify.
    ValueError, with the name of MLflow's variable, where a file is not there or not what it should be.
    """
    if not (server_cert or client_cert or insecure):
        return None
    try:
        context = ssl.create_default_context(cafile=server_cert)
    except OSError as error:  # ssl.SSLError included
        raise ValueError(f"MLFLOW_TRACKING_SERVER_CERT_PATH: {server_cert}: {error}") from error
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if client_cert:
        try:
            context.load_cert_chain(client_cert)
        except OSError as error:
            raise ValueError(f"MLFLOW_TRACKING_CLIENT_CERT_PATH: {client_cert}: {error}") from error
    return context
