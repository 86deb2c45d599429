"""An issuer of tokens, whose keys are made once for all tests."""

from collections.abc import AsyncIterator

import pytest

from tests.auth.issuer import Issuer, PrivateKeys, make_keys


@pytest.fixture(scope="session")
def private_keys() -> PrivateKeys:
    """Keys of an issuer and of a stranger: RSA ones take a while to make."""
    return make_keys()


@pytest.fixture
async def issuer(private_keys: PrivateKeys) -> AsyncIterator[Issuer]:
    """An issuer that publishes its keys on a loopback port."""
    async with Issuer(private_keys).serve() as served:
        yield served
