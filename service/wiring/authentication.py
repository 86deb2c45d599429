"""Builds what identifies callers, as the settings of authentication say."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING

from yarl import URL

from service.auth.api_keys import ApiKeys, read_keys
from service.context import DEADLINE
from service.http.authentication import Identify
from service.outbound import proxy_for, trusted
from service.settings.groups import AuthSettings

if TYPE_CHECKING:
    from service.auth.key_sets import KeyUrl


def identification(
    auth: AuthSettings, environment: Mapping[str, str]
) -> tuple[Identify | None, AbstractAsyncContextManager[object]]:
    """Return what identifies callers (None without authentication), and the context in which it can be used.

    environment: the variables that name the proxy and the CAs for an issuer of tokens. ValueError names the
    setting whose keys are missing or malformed.
    """
    if auth.mode == "api_key":
        return _api_keys(auth), nullcontext()
    if auth.mode == "jwt":
        return _tokens(auth, environment)
    return None, nullcontext()


def _api_keys(auth: AuthSettings) -> ApiKeys:
    with _error_names("TRACKING_AUTH__API_KEYS"):
        keys = {} if auth.api_keys is None else read_keys(auth.api_keys.get_secret_value())
    with _error_names("TRACKING_AUTH__API_KEYS_FILE" if auth.api_keys_file else "TRACKING_AUTH__API_KEYS"):
        return ApiKeys(keys, auth.api_keys_file)


def _tokens(
    auth: AuthSettings, environment: Mapping[str, str]
) -> tuple[Identify, AbstractAsyncContextManager[object]]:
    try:
        from service.auth.key_sets import KeyFile  # noqa: PLC0415 - needs the extra
        from service.auth.tokens import Tokens  # noqa: PLC0415 - needs the extra
    except ImportError as error:
        raise ValueError(
            "TRACKING_AUTH__MODE: jwt needs more packages: pip install 'experiment-tracking[jwt]'"
        ) from error
    if auth.jwt_keys_file is not None:
        with _error_names("TRACKING_AUTH__JWT_KEYS_FILE"):
            file = KeyFile(auth.jwt_keys_file)
        return Tokens(file, issuer=auth.issuer, audience=auth.audience, scope=auth.scope), nullcontext()
    url = issuer(auth.jwks_url, environment)
    return Tokens(url, issuer=auth.issuer, audience=auth.audience, scope=auth.scope), url


def issuer(url: str, environment: Mapping[str, str]) -> KeyUrl:
    """Return the keys at an issuer's address, fetched by the environment's proxy and CAs; ValueError."""
    from service.auth.key_sets import KeyUrl  # noqa: PLC0415 - needs the extra

    proxy = proxy_for(URL(url), environment)
    return KeyUrl(
        url,
        _remaining_time,
        proxy=None if proxy is None else proxy.url,
        ssl_context=trusted(environment) if url.startswith("https") else None,
    )


def _remaining_time() -> float | None:
    """Return the seconds until the deadline of the current request; None outside of a request."""
    deadline = DEADLINE.get()
    return None if deadline is None else max(0.0, deadline - asyncio.get_running_loop().time())


@contextmanager
def _error_names(setting: str) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        raise ValueError(f"{setting}: {error}") from error
