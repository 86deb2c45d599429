"""Which of the ways to tell callers apart the settings choose."""

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
    """Who tells callers apart, None where nobody does, and what is to be open while it does.

    environment: names the proxy and the CAs by which an issuer of tokens is reached. ValueError, which names
    the setting, for keys that are not there or not what they should be.
    """
    if auth.mode == "api_key":
        return _api_keys(auth), nullcontext()
    if auth.mode == "jwt":
        return _tokens(auth, environment)
    return None, nullcontext()


def _api_keys(auth: AuthSettings) -> ApiKeys:
    with _said_of("TRACKING_AUTH__API_KEYS"):
        given = {} if auth.api_keys is None else read_keys(auth.api_keys.get_secret_value())
    with _said_of("TRACKING_AUTH__API_KEYS_FILE" if auth.api_keys_file else "TRACKING_AUTH__API_KEYS"):
        return ApiKeys(given, auth.api_keys_file)


def _tokens(
    auth: AuthSettings, environment: Mapping[str, str]
) -> tuple[Identify, AbstractAsyncContextManager[object]]:
    try:
        from service.auth.key_sets import KeyFile  # noqa: PLC0415 - needs the extra
        from service.auth.tokens import Tokens  # noqa: PLC0415 - needs the extra
    except ImportError as error:
        raise ValueError(
            "TRACKING_AUTH__MODE: jwt needs more: pip install 'experiment-tracking[jwt]'"
        ) from error
    if auth.jwt_keys_file is not None:
        with _said_of("TRACKING_AUTH__JWT_KEYS_FILE"):
            file = KeyFile(auth.jwt_keys_file)
        return Tokens(file, issuer=auth.issuer, audience=auth.audience, scope=auth.scope), nullcontext()
    url = issuer(auth.jwks_url, environment)
    return Tokens(url, issuer=auth.issuer, audience=auth.audience, scope=auth.scope), url


def issuer(url: str, environment: Mapping[str, str]) -> KeyUrl:
    """The keys that an issuer publishes, reached as the environment says; ValueError names a variable."""
    from service.auth.key_sets import KeyUrl  # noqa: PLC0415 - needs the extra

    proxy = proxy_for(URL(url), environment)
    return KeyUrl(
        url,
        _patience,
        proxy=None if proxy is None else proxy.url,
        ssl_context=trusted(environment) if url.startswith("https") else None,
    )


def _patience() -> float | None:
    """The seconds for which the caller at hand still waits; None for as long as it takes."""
    ends = DEADLINE.get()
    return None if ends is None else max(0.0, ends - asyncio.get_running_loop().time())


@contextmanager
def _said_of(setting: str) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        raise ValueError(f"{setting}: {error}") from error
