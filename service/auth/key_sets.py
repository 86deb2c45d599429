"""The public keys that tokens are checked with: from a file, or from a JSON Web Key Set (RFC 7517)."""

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
_TTL = 300.0  # seconds for which a key set is fresh
_MOST_AGE = 86_400.0  # seconds for which it is used while a newer one cannot be fetched
_PAUSE = 10.0  # seconds between two fetches, however many unknown keys are asked for
_TIMEOUT = 5.0  # seconds for a whole fetch
_LARGEST = 1_048_576  # bytes
_LEAST_RSA = 2_048  # bits; RFC 7518, 3.3
_PRIVATE = frozenset(
    {"d", "p", "q", "dp", "dq", "qi", "oth"}
)  # the private members of a key, which are dropped
_KEY_ERRORS = (jwt.PyJWTError, UnsupportedAlgorithm)  # of the libraries, for keys that they do not support


class KeySet(Protocol):
    """A source of keys for tokens. edition: a number that changes whenever the keys change."""

    edition: int

    def renew_if_old(self) -> None:
        """Drop keys that are too old, and fetch newer ones in the background; call it before each use."""
        ...

    async def find(self, algorithm: str, key_id: str | None) -> jwt.PyJWK | None:
        """Return the key with this id and algorithm, None if there is none. AuthUnavailable."""
        ...


class _Keys:
    """The usable keys of a key set, by algorithm and id. members: the set as it was published."""

    def __init__(self, members: Sequence[Mapping[str, Any]] = ()) -> None:
        self.members = members
        self.by_id: dict[tuple[str, str | None], jwt.PyJWK] = {}
        for member in members:
            if (key := _key(member)) is not None:
                self.by_id[key.algorithm_name, member.get("kid")] = key

    def find(self, algorithm: str, key_id: str | None) -> jwt.PyJWK | None:
        """Return the key for a token, or None.

        A key without an id matches every token of its algorithm. A token without a key id matches the only
        key of its algorithm.
        """
        if key_id is not None:
            return self.by_id.get((algorithm, key_id)) or self.by_id.get((algorithm, None))
        candidates = [key for (name, _), key in self.by_id.items() if name == algorithm]
        return candidates[0] if len(candidates) == 1 else None


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
        """Do nothing: the file is read once, when the service starts."""

    async def find(self, algorithm: str, key_id: str | None) -> jwt.PyJWK | None:
        """Return the key with this id and algorithm, None if there is none."""
        return self._keys.find(algorithm, key_id)


class KeyUrl:
    """The keys that an issuer publishes at an address. Use as an async context manager.

    The keys are fetched when they are first needed, and again in the background after five minutes. An
    unknown key id causes a fetch too, but at most one in ten seconds, so tokens with invented key ids cannot
    flood the issuer. While the issuer fails, its last keys are used for a day. Keys that it withdraws are
    dropped.

    patience: returns how long the current caller still waits, in seconds; None without a limit. timeout:
    seconds for a fetch. clock: seconds, monotonic. proxy: an HTTP proxy, None for a direct connection.
    ssl_context: verifies the issuer's certificate; None for the system's CAs.
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
        """Start a fetch in the background if the keys are stale, and drop them if they are too old."""
        if self._arrived is None:
            return
        age = self._clock() - self._arrived
        if age > _TTL:
            self._fetch()
        if age > _MOST_AGE:
            self._arrived = None
            self._put(_Keys())

    async def find(self, algorithm: str, key_id: str | None) -> jwt.PyJWK | None:
        """Return the key with this id and algorithm, None if the issuer has none. AuthUnavailable."""
        key = self._keys.find(algorithm, key_id)
        if key is None and (fetching := self._fetch()) is not None:
            # The fetch goes on for other callers if this one leaves or waits no longer.
            arrived, _ = await asyncio.wait([fetching], timeout=self._patience())
            if not arrived:
                raise AuthUnavailable(cause=f"no keys from {self._url} in time")
            key = self._keys.find(algorithm, key_id)
        if key is None and not self._keys.by_id:
            raise AuthUnavailable(cause=f"there are no keys from {self._url}") from self._failure
        return key

    def _fetch(self) -> asyncio.Task[None] | None:
        """Return the running fetch, or a new one; None if the last one began less than ten seconds ago."""
        if self._fetching is None or self._fetching.done():
            if self._clock() - self._tried < _PAUSE:
                return None
            self._tried = self._clock()
            self._fetching = asyncio.create_task(self._renew())
        return self._fetching

    async def _renew(self) -> None:
        try:
            keys = _read(await self._text())
        except (aiohttp.ClientError, OSError, ValueError) as error:  # TimeoutError is an OSError
            log.warning("no keys from %s: %s: %s", self._url, type(error).__name__, error)
            self._failure = error.with_traceback(None)
            return
        self._failure = None
        self._arrived = self._clock()
        if keys.members != self._keys.members:
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
    """Return the keys of a JSON Web Key Set that check signatures, or the one of a PEM. ValueError."""
    try:
        return _Keys([_public(text)] if "-----BEGIN" in text else json.loads(text)["keys"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, *_KEY_ERRORS) as error:
        raise ValueError("it is neither a JSON Web Key Set nor a public key") from error


def _key(member: Mapping[str, Any]) -> jwt.PyJWK | None:
    """Return the public key of a member of a key set; None if it cannot be used."""
    if member.get("use", "sig") != "sig" or "verify" not in member.get("key_ops", ["verify"]):
        return None
    public = {name: value for name, value in member.items() if name not in _PRIVATE}
    try:
        key = jwt.PyJWK.from_dict(public)
    except (ValueError, TypeError, *_KEY_ERRORS):
        return None  # malformed or of an unsupported kind; the other members may be usable
    return key if key.algorithm_name in ALGORITHMS and _is_strong(key.key) else None


def _is_strong(key: object) -> bool:
    """Tell whether an RSA key is long enough, or an EC key is on the curve of ES256."""
    if isinstance(key, RSAPublicKey):
        return key.key_size >= _LEAST_RSA
    return isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1)


def _public(pem: str) -> dict[str, Any]:
    """Return a PEM as a member of a key set. ValueError if it is not a key of a supported kind."""
    key = load_pem_public_key(pem.encode())
    if isinstance(key, RSAPublicKey):
        return RSAAlgorithm.to_jwk(key, as_dict=True)
    if isinstance(key, EllipticCurvePublicKey):
        return ECAlgorithm.to_jwk(key, as_dict=True)
    raise ValueError("neither RSA nor EC")
