"""An issuer of JSON Web Tokens, which publishes its keys on a loopback port."""

import json
import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, Self

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm, get_default_algorithms

from tests.fakes.faults import Hook

ISSUER = "https://issuer.example.com/research"
AUDIENCE = "experiment-tracking"
Sign = Callable[[bytes], bytes]


class PrivateKeys(NamedTuple):
    """Private keys that sign tokens."""

    rsa: rsa.RSAPrivateKey
    ec: ec.EllipticCurvePrivateKey
    encryption: rsa.RSAPrivateKey
    weak: rsa.RSAPrivateKey
    stranger: rsa.RSAPrivateKey
    long_ec: ec.EllipticCurvePrivateKey


def make_keys() -> PrivateKeys:
    """Make new keys."""
    return PrivateKeys(
        rsa=rsa.generate_private_key(65_537, 2_048),
        ec=ec.generate_private_key(ec.SECP256R1()),
        encryption=rsa.generate_private_key(65_537, 2_048),
        weak=rsa.generate_private_key(65_537, 1_024),  # noqa: S505 - it is there to be refused
        stranger=rsa.generate_private_key(65_537, 2_048),
        long_ec=ec.generate_private_key(ec.SECP384R1()),
    )


def public_jwk(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, **members: Any) -> dict[str, Any]:
    """The public half of a key as a member of a key set."""
    if isinstance(key, rsa.RSAPrivateKey):
        return RSAAlgorithm.to_jwk(key.public_key(), as_dict=True) | members
    return ECAlgorithm.to_jwk(key.public_key(), as_dict=True) | members


def signing(algorithm: str, key: Any) -> Sign:
    """Return what signs with this algorithm and key."""
    by_name = get_default_algorithms()[algorithm]
    return lambda message: by_name.sign(message, key)


def part(content: bytes) -> str:
    """Bytes as a part of a token: Base64url without padding."""
    return urlsafe_b64encode(content).decode().rstrip("=")


def assembled(head: Mapping[str, Any], claims: object, sign: Sign) -> str:
    """A token of exactly these parts, valid or not."""
    message = f"{part(json.dumps(head).encode())}.{part(json.dumps(claims).encode())}"
    return f"{message}.{part(sign(message.encode()))}"


class Issuer:
    """keys: those that it has. published: its key set. fetches: how often that was asked for.

    before: awaited ahead of every answer; it may wait, or return an answer of its own.
    """

    def __init__(self, keys: PrivateKeys) -> None:
        self.keys = keys
        self.published = [
            public_jwk(keys.rsa, kid="rsa", use="sig", alg="RS256"),
            public_jwk(keys.ec, kid="ec", use="sig", alg="ES256"),
            public_jwk(keys.encryption, kid="encryption", use="enc"),
            public_jwk(keys.weak, kid="weak", use="sig", alg="RS256"),
            {"kty": "oct", "kid": "secret", "k": part(b"s" * 32)},
        ]
        self.fetches = 0
        self.before: Hook | None = None
        self.url = ""
        self._runner: web.AppRunner | None = None

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[Self]:
        """Publish the keys at `url` during the context."""
        await self.start(0)
        try:
            yield self
        finally:
            await self.stop()

    async def start(self, port: int) -> None:
        """Publish the keys at this port, 0 for any."""
        app = web.Application()
        app.router.add_get("/keys", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.01)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/keys"

    async def stop(self) -> None:
        """Become unreachable."""
        if self._runner is not None:
            await self._runner.cleanup()

    def withdraw(self, *key_ids: str) -> None:
        """Stop publishing these keys."""
        self.published = [key for key in self.published if key["kid"] not in key_ids]

    def token(self, **claims: Any) -> str:
        """Return a valid token but for these claims; None leaves a claim out."""
        return assembled({"alg": "RS256", "kid": "rsa"}, self.claims(**claims), self.rs256)

    def claims(self, **changed: Any) -> dict[str, Any]:
        """Return the claims of a valid token, with changes; None leaves a claim out."""
        now = int(time.time())
        good = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "nbf": now - 60, "exp": now + 600}
        return {name: value for name, value in (good | changed).items() if value is not None}

    def rs256(self, message: bytes) -> bytes:
        """Sign with the RSA key."""
        return signing("RS256", self.keys.rsa)(message)

    def es256(self, message: bytes) -> bytes:
        """Sign with the EC key."""
        return signing("ES256", self.keys.ec)(message)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.fetches += 1
        if self.before is not None and (answer := await self.before(request)) is not None:
            return answer
        return web.json_response({"keys": self.published})
