"""The log "one", which a replica writes and another one follows."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from service.index.shared.log import SharedLog
from service.store.index_log import RedisIndexLog
from tests.store.index_log.stores import TWO_CHUNKS, RealStore, Store, StoreInMemory, numbered, records
from tests.store.rights import options
from tests.store.servers import BOTH_AT_NIGHT, PROGRAMS, running


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


@pytest.fixture(params=BOTH_AT_NIGHT)
async def real(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[RealStore]:
    """A real server."""
    async with running(tmp_path, request.param, *options()) as server, AsyncExitStack() as stack:
        yield RealStore(server, stack)


@pytest.fixture
async def written(real: RealStore) -> RedisIndexLog:
    """A replica that has written two records, a word and a snapshot."""
    log = await real.replica()
    await log.lead()
    await log.begin("one")
    await log.publish("one", 0, records(1, 2))
    await log.tell("one", b"a word")
    await log.put_snapshot("one", 2, TWO_CHUNKS)
    return log


@pytest.fixture
async def reader(real: RealStore, written: RedisIndexLog) -> RedisIndexLog:
    """Another replica, which has read all."""
    log = await real.replica()
    assert numbered(1, 2) == list((await log.read("one", 0, 0)).records)
    return log
