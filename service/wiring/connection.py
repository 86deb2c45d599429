"""How MLflow is reached, as the settings, the environment and the files in the user's home say together."""

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
    """A sentence for the operator. is_odd: whether something is not as it may have been meant."""

    text: str
    is_odd: bool = True


class Connection(NamedTuple):
    """The way to MLflow, and what is to be said of it."""

    access: Access
    remarks: tuple[Remark, ...] = ()


def connection(
    settings: Settings, given: Mapping[str, str] | None = None, home: Path | None = None
) -> Connection:
    """The way to the MLflow of the settings; to a local one it is the direct one.

    given: the environment, that of this process if None. home: the user's folder, likewise. SettingsError
    where something is asked for that the service cannot do, or a file is not what it should be.
    """
    given = os.environ if given is None else given
    is_server = settings.mlflow_tracking_uri.startswith(("http://", "https://"))
    refused = list(environment.wrong_experiment(given, settings.mlflow_experiment_name))
    if is_server:
        refused += environment.unsupported(given)
    if refused:
        raise SettingsError("; ".join(refused))
    if not is_server:
        return Connection(DIRECT, (*_unused(settings), *map(Remark, environment.misspelt(given, _known()))))
    return _to_server(settings, given, home or _home())


def _to_server(settings: Settings, given: Mapping[str, str], home: Path) -> Connection:
    url = URL(settings.mlflow_tracking_uri)
    found, remarks = _credentials(settings, url.host or "", given, home)
    headers = dict(_authorization(settings, found))
    if settings.mlflow_workspace:
        headers[WORKSPACE] = settings.mlflow_workspace
    file = settings.mlflow_tracking_token_file
    try:
        proxy = proxy_for(url, given)
        context = tls(
            settings.mlflow_tracking_server_cert_path,
            settings.mlflow_tracking_client_cert_path,
            given if url.scheme == "https" else {},
            insecure=settings.mlflow_tracking_insecure_tls,
        )
    except ValueError as error:
        raise SettingsError(str(error)) from error
    access = Access(
        headers,
        None if file is None or found.is_basic else _token(file),
        context,
        None if proxy is None else proxy.url,
    )
    remarks += [
        *map(Remark, environment.replaced(given, url.host or "", has_credentials=found.has_any)),
        *_of_proxy(proxy, url, found),
        *_of_bundle(given, url),
        *_others(given),
    ]
    return Connection(access, tuple(remarks))


def _credentials(
    settings: Settings, host: str, given: Mapping[str, str], home: Path
) -> tuple[Credentials, list[Remark]]:
    found = Credentials(
        settings.mlflow_tracking_username,
        _plain(settings.mlflow_tracking_password),
        has_token=bool(settings.mlflow_tracking_token or settings.mlflow_tracking_token_file),
    )
    remarks = []
    try:
        found = credentials.with_file(found, home)
    except ValueError as error:  # MLflow may well take the service without them
        remarks.append(Remark(f"the credentials file is not used: {error}"))
    try:
        found = credentials.with_netrc(found, host, given, home)
    except ValueError as error:
        remarks.append(Remark(f".netrc is not used: {error}"))
    if (_plain(settings.mlflow_tracking_token) or "").lower().startswith("bearer "):
        remarks.append(Remark("MLFLOW_TRACKING_TOKEN begins with Bearer, which is sent before it anyway"))
    if found.source:
        remarks.append(Remark(f"the credentials for MLflow are those in {found.source}", is_odd=False))
    return found, remarks + [Remark(text) for text in credentials.remarks(found)]


def _authorization(settings: Settings, found: Credentials) -> Mapping[str, str]:
    if found.is_basic:
        return authorization(found.username, found.password, None)
    return authorization(None, None, _plain(settings.mlflow_tracking_token))


def _token(file: Path) -> TokenFile:
    try:
        return TokenFile(file)
    except (OSError, ValueError) as error:
        raise SettingsError(f"MLFLOW_TRACKING_TOKEN_FILE: {error}") from error


def _unused(settings: Settings) -> Iterator[Remark]:
    for name in _FOR_A_SERVER:
        if getattr(settings, name):
            yield Remark(
                f"{name.upper()} is not used: MLFLOW_TRACKING_URI names no server, so a local MLflow is meant"
            )


def _of_proxy(proxy: Proxy | None, url: URL, found: Credentials) -> Iterator[Remark]:
    if proxy is not None:
        yield Remark(f"MLflow is reached through {proxy.shown}, as {proxy.variable} says", is_odd=False)
        if url.scheme == "http" and found.has_any:
            yield Remark(
                f"{proxy.shown} can read the credentials for MLflow, for its address is http://…; "
                f"NO_PROXY may name {url.host}"
            )


def _of_bundle(given: Mapping[str, str], url: URL) -> Iterator[Remark]:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):  # read by OpenSSL, which says nothing of what is not there
        value = given.get(name, "")
        if url.scheme == "https" and value and not Path(value).exists():
            yield Remark(f"{name}: {value} is not there")


def _others(given: Mapping[str, str]) -> Iterator[Remark]:
    known = _known()
    yield from map(Remark, environment.misspelt(given, known))
    if names := environment.without_use(given, known):
        yield Remark(environment.unheard(names), is_odd=False)


def _known() -> list[str]:
    return [name for name, _, _ in variables() if name.startswith("MLFLOW_")]


def _plain(value: SecretStr | None) -> str | None:
    return None if value is None else value.get_secret_value()


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:  # a user without an entry, as in some containers
        return Path(os.devnull)
