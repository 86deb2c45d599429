"""The public keys that tokens are checked with: in a file, or in a JSON Web Key Set (RFC 7517) on the web."""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol, Self

import aiohttp
import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from yarl import URL

from service.errors import AuthUnavailable
from service.text_files import decoded, read_text

log = logging.getLogger("service.auth")

ALGORITHMS = frozenset({"RS256", "ES256"})
_TTL = 300.0  # seconds for which a set is fresh
_MOST_AGE = 86_400.0  # seconds for which it is believed where no newer one can be had
_PAUSE = 10.0  # seconds between two fetches, however many unknown keys are asked for
_TIMEOUT = 5.0  # seconds, for all of a fetch
_LARGEST = 1_048_576  # bytes
_LEAST_RSA = 2_048  # bits; RFC 7518, 3.3
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth"})  # parts of a key that are nobody's business
_REFUSED = (jwt.PyJWTError, UnsupportedAlgorithm)  # what the libraries say of a key they do not take


class KeySet(Protocol):
    """Where the key of a token comes from. edition: another number whenever the keys are others."""

    edition: int

    def renew_if_old(self) -> None:
        """Forget keys that are too old, and look for newer ones behind the caller's back: before each use."""
        ...

    async def find(self, algorithm: str, key_id: str | None) -> jwt.PyJWK | None:
        """The key of this id and algorithm; None where there is none. AuthUnavailable."""
        ...


class _Keys:
    """Keys by algorithm and id. given: what they were made of, by which two sets are told apart."""

    def __init__(self, given: Sequence[Mapping[str, Any]] = ()) -> None:
        self.given = given
        self.by_id: dict[tuple[str, str | None], jwt.PyJWK] = {}
        for one in given:
            if (key := _key(one)) is not None:
                self.by_id[key.algorithm_name, one.get("kid")] = key

    def find(self, algorithm: str, key_id: str | None) -> jwt.PyJWK | None:
        """A key without an id fits every token, and the only key of an algorithm one that names none."""
        if key_id is not None:
            return self.by_id.get((algorithm, key_id)) or self.by_id.get((algorithm, None))
        fitting = [key for (known, _), key in self.by_id.items() if known == algorithm]
        return fitting[0] if len(fitting) == 1 else None


class KeyFile:
    """The keys in a file: a JSON Web Key Set, or one public key as PEM. ValueError or OSError."""

    edition = 0

    def __init__(self, file: Path) -> None:
        try:
            self._keys = _read(read_text(file))
        except ValueError as error:
            raise ValueError(f"{file}: {error}") from error
        if not self._keys.by_id:
            raise ValueError(f"{file}: it has no key for {' or '.join(sorted(ALGORITHMS))}")

    def renew_if_old(self) -> None:
        """A file stays what it was when the service started."""

    async def find(self, algorithm: str, key_id: str | None) -> jwt.PyJWK | None:
        """The key of this id and algorithm; None where there is none."""
        return self._keys.find(algorithm, key_id)


class KeyUrl:
    """The keys that an issuer publishes. Use as an async context manager.

    Fetched when first needed, again every five minutes behind the callers' backs, and for a key that is not
    known, but then at most every ten seconds: tokens that name keys of their own making cause no flood. Where
    the issuer fails, the keys that it had are believed for a day; keys that it withdraws are not.

    patience: how long the caller at hand still waits, in seconds; None for as long as it takes. timeout: how
    long the issuer is waited for. clock: seconds, monotonic. proxy: an HTTP proxy, None for directly.
    ssl_context: how the issuer's certificate is verified, None for the system's way.
    """

    def __init__(
        self,
        url: str,
        patience: Callable[[], float | None] = lambda: None,
        timeout: float = _TIMEOUT,
        clock: Callable[[], float] = time.monotonic,
        *,
        proxy: URL | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._url = url
        self._proxy = proxy
        self._ssl = ssl_context
        self._patience = patience
        self._timeout = timeout
        self._clock = clock
        self._keys = _Keys()
        self._arrived: float | None = None
        self._tried = float("-inf")
        self._fetching: asyncio.Task[None] | None = None
        self._failure: Exception | None = None  # of the last fetch
        self._session: aiohttp.ClientSession | None = None
        self.edition = 0

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=self._timeout),
            cookie_jar=aiohttp.DummyCookieJar(),
            proxy=self._proxy,
            connector=aiohttp.TCPConnector(ssl=self._ssl or True),
        )
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.wait([self._fetching])
        if self._session is not None:
            await self._session.close()

    def renew_if_old(self) -> None:
        """Fetch the keys in the background where they are old, and forget them where they are too old."""
        if self._arrived is None:
            return
        age = self._clock() - self._arrived
        if age > _TTL:
            self._fetch()
        if age > _MOST_AGE:
            self._arrived = None
            self._put(_Keys())

    async def find(self, algorithm: str, key_id: str | None) -> jwt.PyJWK | None:
        """The key of this id and algorithm; None where the issuer has none. AuthUnavailable."""
        key = self._keys.find(algorithm, key_id)
        if key is None and (fetching := self._fetch()) is not None:
            # A caller who leaves, or waits no longer, ends the fetch for nobody else.
            arrived, _ = await asyncio.wait([fetching], timeout=self._patience())
            if not arrived:
                raise AuthUnavailable(cause=f"no keys from {self._url} in time")
            key = self._keys.find(algorithm, key_id)
        if key is None and not self._keys.by_id:
            raise AuthUnavailable(cause=f"there are no keys from {self._url}") from self._failure
        return key

    def _fetch(self) -> asyncio.Task[None] | None:
        """The fetch under way, or a new one; None where the last one was just now."""
        if self._fetching is None or self._fetching.done():
            if self._clock() - self._tried < _PAUSE:
                return None
            self._tried = self._clock()
            self._fetching = asyncio.create_task(self._renew())
        return self._fetching

    async def _renew(self) -> None:
        try:
            keys = _read(await self._text())
        except (aiohttp.ClientError, OSError, ValueError) as error:  # time-outs are OSErrors
            log.warning("no keys from %s: %s: %s", self._url, type(error).__name__, error)
            self._failure = error.with_traceback(None)
            return
        self._failure = None
        self._arrived = self._clock()
        if keys.given != self._keys.given:
            log.info("%d keys fetched from %s", len(keys.by_id), self._url)
            self._put(keys)

    def _put(self, keys: _Keys) -> None:
        self._keys = keys
        self.edition += 1

    async def _text(self) -> str:
        if self._session is None:
            raise RuntimeError("the keys are used outside their context")
        async with self._session.get(self._url, allow_redirects=False) as response:
            if response.status != HTTPStatus.OK:
                raise ValueError(f"status {response.status}")
            body = await response.content.read(_LARGEST + 1)
            while len(body) <= _LARGEST and (more := await response.content.read(_LARGEST)):
                body += more
            if len(body) > _LARGEST:
                raise ValueError(f"an answer of more than {_LARGEST} bytes")
            return decoded(body)


def _read(text: str) -> _Keys:
    """The keys of a JWKS document that are for checking signatures, or the one of a PEM. ValueError."""
    try:
        return _Keys([_public(text)] if "-----BEGIN" in text else json.loads(text)["keys"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, *_REFUSED) as error:
        raise ValueError("it is neither a JSON Web Key Set nor a public key") from error


def _key(given: Mapping[str, Any]) -> jwt.PyJWK | None:
    if given.get("use", "sig") != "sig" or "verify" not in given.get("key_ops", ["verify"]):
        return None
    public = {name: value for name, value in given.items() if name not in _PRIVATE}
    try:
        key = jwt.PyJWK.from_dict(public)
    except (ValueError, TypeError, *_REFUSED):
        return None  # broken, or of a kind that is not known here: the others are good
    return key if key.algorithm_name in ALGORITHMS and _is_strong(key.key) else None


def _is_strong(key: object) -> bool:
    """Whether a key is as long as its algorithm asks for, or on the curve that it asks for."""
    if isinstance(key, RSAPublicKey):
        return key.key_size >= _LEAST_RSA
    return isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1)


def _public(pem: str) -> dict[str, Any]:
    """A PEM as a member of a key set. ValueError where it is no key of the kinds accepted."""
    key = load_pem_public_key(pem.encode())
    if isinstance(key, RSAPublicKey):
        return RSAAlgorithm.to_jwk(key, as_dict=True)
    if isinstance(key, EllipticCurvePublicKey):
        return ECAlgorithm.to_jwk(key, as_dict=True)
    raise ValueError("neither RSA nor EC")
