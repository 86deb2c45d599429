"""The connection to MLflow, from the settings, the environment and the files in the user's home folder."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from pydantic import SecretStr
from yarl import URL

from service.outbound import Proxy, proxy_for
from service.settings.load import Settings, SettingsError, variables
from service.upstream import credentials, environment
from service.upstream.access import DIRECT, WORKSPACE, Access, authorization, tls
from service.upstream.credentials import Credentials
from service.upstream.token_file import TokenFile

_FOR_A_SERVER = (
    "mlflow_tracking_username",
    "mlflow_tracking_password",
    "mlflow_tracking_token",
    "mlflow_tracking_token_file",
    "mlflow_tracking_insecure_tls",
    "mlflow_tracking_server_cert_path",
    "mlflow_tracking_client_cert_path",
    "mlflow_workspace",
)


class Remark(NamedTuple):
    """A sentence for the operator. is_odd: whether it is a warning, because something may be wrong."""

    text: str
    is_odd: bool = True


class Connection(NamedTuple):
    """How MLflow is reached, and the remarks for the operator about it."""

    access: Access
    remarks: tuple[Remark, ...] = ()


def connection(
    settings: Settings, environ: Mapping[str, str] | None = None, home: Path | None = None
) -> Connection:
    """Return how the MLflow of the settings is reached; a local MLflow is always reached directly.

    environ: the environment, by default that of this process. home: the user's home folder, likewise.
    SettingsError if a variable asks for something that is not supported, or a file is missing or malformed.
    """
    environ = os.environ if environ is None else environ
    is_server = settings.mlflow_tracking_uri.startswith(("http://", "https://"))
    refused = list(environment.wrong_experiment(environ, settings.mlflow_experiment_name))
    if is_server:
        refused += environment.unsupported(environ)
    if refused:
        raise SettingsError("; ".join(refused))
    if not is_server:
        return Connection(
            DIRECT, (*_remarks_on_unused(settings), *map(Remark, environment.misspelt(environ, _known())))
        )
    return _to_server(settings, environ, home or _home())


def _to_server(settings: Settings, environ: Mapping[str, str], home: Path) -> Connection:
    url = URL(settings.mlflow_tracking_uri)
    login, remarks = _credentials(settings, url.host or "", environ, home)
    headers = dict(_authorization(settings, login))
    if settings.mlflow_workspace:
        headers[WORKSPACE] = settings.mlflow_workspace
    file = settings.mlflow_tracking_token_file
    try:
        proxy = proxy_for(url, environ)
        context = tls(
            settings.mlflow_tracking_server_cert_path,
            settings.mlflow_tracking_client_cert_path,
            environ if url.scheme == "https" else {},
            insecure=settings.mlflow_tracking_insecure_tls,
        )
    except ValueError as error:
        raise SettingsError(str(error)) from error
    access = Access(
        headers,
        None if file is None or login.is_basic else _token(file),
        context,
        None if proxy is None else proxy.url,
    )
    remarks += [
        *map(Remark, environment.replaced(environ, url.host or "", has_credentials=login.has_any)),
        *_remarks_on_proxy(proxy, url, login),
        *_remarks_on_bundle(environ, url),
        *_remarks_on_others(environ),
    ]
    return Connection(access, tuple(remarks))


def _credentials(
    settings: Settings, host: str, environ: Mapping[str, str], home: Path
) -> tuple[Credentials, list[Remark]]:
    login = Credentials(
        settings.mlflow_tracking_username,
        _plain(settings.mlflow_tracking_password),
        has_token=bool(settings.mlflow_tracking_token or settings.mlflow_tracking_token_file),
    )
    remarks = []
    try:
        login = credentials.with_file(login, home)
    except ValueError as error:  # MLflow may accept the service without credentials
        remarks.append(Remark(f"the credentials file is not used: {error}"))
    try:
        login = credentials.with_netrc(login, host, environ, home)
    except ValueError as error:
        remarks.append(Remark(f".netrc is not used: {error}"))
    if (_plain(settings.mlflow_tracking_token) or "").lower().startswith("bearer "):
        remarks.append(
            Remark("MLFLOW_TRACKING_TOKEN begins with Bearer, which the service adds itself: remove it")
        )
    if login.source:
        remarks.append(Remark(f"the credentials for MLflow come from {login.source}", is_odd=False))
    return login, remarks + [Remark(text) for text in credentials.remarks(login)]


def _authorization(settings: Settings, login: Credentials) -> Mapping[str, str]:
    if login.is_basic:
        return authorization(login.username, login.password, None)
    return authorization(None, None, _plain(settings.mlflow_tracking_token))


def _token(file: Path) -> TokenFile:
    try:
        return TokenFile(file)
    except (OSError, ValueError) as error:
        raise SettingsError(f"MLFLOW_TRACKING_TOKEN_FILE: {error}") from error


def _remarks_on_unused(settings: Settings) -> Iterator[Remark]:
    for name in _FOR_A_SERVER:
        if getattr(settings, name):
            yield Remark(
                f"{name.upper()} is not used: MLFLOW_TRACKING_URI names no server, so the service "
                "starts a local MLflow"
            )


def _remarks_on_proxy(proxy: Proxy | None, url: URL, login: Credentials) -> Iterator[Remark]:
    if proxy is not None:
        yield Remark(f"MLflow is reached through {proxy.shown}, as {proxy.variable} says", is_odd=False)
        if url.scheme == "http" and login.has_any:
            yield Remark(
                f"{proxy.shown} can read the credentials for MLflow, because MLflow's address is http://…; "
                f"add {url.host} to NO_PROXY to reach it directly"
            )


def _remarks_on_bundle(environ: Mapping[str, str], url: URL) -> Iterator[Remark]:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):  # read by OpenSSL, which ignores a missing file
        value = environ.get(name, "")
        if url.scheme == "https" and value and not Path(value).exists():
            yield Remark(f"{name}: {value} does not exist")


def _remarks_on_others(environ: Mapping[str, str]) -> Iterator[Remark]:
    known = _known()
    yield from map(Remark, environment.misspelt(environ, known))
    if names := environment.without_use(environ, known):
        yield Remark(environment.unheard(names), is_odd=False)


def _known() -> list[str]:
    return [name for name, _, _ in variables() if name.startswith("MLFLOW_")]


def _plain(value: SecretStr | None) -> str | None:
    return None if value is None else value.get_secret_value()


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:  # the user has no entry in the password database, as in some containers
        return Path(os.devnull)
