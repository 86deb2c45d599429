"""The server that all cases of one run ask; tests.matrix.plugin brings it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
import pytest_asyncio

from tests.live.logbook import Logbook
from tests.matrix.plugin import TRACKED
from tests.matrix.servers import Tracked
from tests.matrix.servers.accounts import Login


@asynccontextmanager
async def logbook_of(tracked: Tracked, login: Login | None) -> AsyncIterator[Logbook]:
    """A logbook that this user writes, and with whose account the service reads."""
    access, headers = {}, {}
    if login:
        access = {"mlflow_tracking_username": login.username, "mlflow_tracking_password": login.password}
        headers = login.headers
    async with aiohttp.ClientSession(tracked.url, headers=headers) as session:
        yield Logbook(session, tracked.artifacts, **access)


@pytest.fixture(scope="session")
def tracked(pytestconfig: pytest.Config) -> Tracked:
    """The server that is asked."""
    return pytestconfig.stash[TRACKED]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mlflow(tracked: Tracked) -> AsyncIterator[Logbook]:
    """A logbook of the server."""
    async with logbook_of(tracked, tracked.login) as logbook:
        yield logbook
