"""An issuer of tokens, whose keys are made once for all tests."""

import time
from collections.abc import AsyncIterator

import pytest

from tests.auth.issuer import Issuer, PrivateKeys, make_keys, public_jwk
from tests.auth.telling import Keys
from tests.cache.scripted import Clock


@pytest.fixture(scope="session")
def private_keys() -> PrivateKeys:
    """Keys of an issuer and of a stranger: RSA ones take a while to make."""
    return make_keys()


@pytest.fixture
async def issuer(private_keys: PrivateKeys) -> AsyncIterator[Issuer]:
    """An issuer that publishes its keys on a loopback port."""
    async with Issuer(private_keys).serve() as served:
        yield served


@pytest.fixture
def clock() -> Clock:
    """Seconds since 1970 that a test turns; they start now, as the tokens do."""
    clock = Clock()
    clock.now = time.time()
    return clock


@pytest.fixture
def keys(issuer: Issuer) -> Keys:
    """The issuer's RSA key."""
    return Keys(public_jwk(issuer.keys.rsa))
