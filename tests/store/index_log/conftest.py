"""The log "one", which a replica writes and another one follows."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from service.index.shared_log import SharedLog
from tests.store.index_log.stores import RealStore, Store, StoreInMemory
from tests.store.rights import options
from tests.store.servers import PROGRAMS, running


@pytest.fixture(params=["memory", *(pytest.param(name, marks=pytest.mark.fleet) for name in PROGRAMS)])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """What the replicas of a test share."""
    if request.param == "memory":
        yield StoreInMemory()
        return
    async with running(tmp_path, request.param, *options()) as server, AsyncExitStack() as stack:
        yield RealStore(server, stack)


@pytest.fixture
async def writer(store: Store) -> SharedLog:
    """A replica that has the lease, and has begun the log "one"."""
    log = await store.replica()
    assert (await log.lead()).is_writer
    await log.begin("one")
    return log


@pytest.fixture
async def follower(store: Store, writer: SharedLog) -> SharedLog:
    """Another replica."""
    log = await store.replica()
    assert not (await log.lead()).is_writer
    return log
