"""Whatever is wrong with a store, replicas know soon, are told nothing wrong, and use it once it is well."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from service.cache.shared_store import Wish
from service.errors import StoreFailed
from service.store.answers import RedisStore
from service.store.index_log import RedisIndexLog
from service.store.link import RedisLink
from tests.fleet.chaos import passing
from tests.resilience.proxy import Behaviour, FaultProxy, forward, half_open
from tests.store import rights
from tests.store.failing import (
    AFTER,
    BEFORE,
    EPOCH,
    FAILURES,
    KEY,
    PATIENCE,
    REFUSALS,
    USES,
    Failure,
    Replica,
)
from tests.store.scripted_server import until
from tests.store.servers import BOTH_AT_NIGHT, StoreServer, running

pytestmark = pytest.mark.fleet

LATE_SECONDS = 3.0  # by which a busy machine may be late
SOON_SECONDS = 20.0
PATHS: dict[str, Behaviour] = {
    "slow": passing(random.Random(1), delay=0.6),
    "cutting": passing(random.Random(2), slow=0.0, cut=0.3),
    "silent": half_open,
}


@pytest.fixture(params=BOTH_AT_NIGHT)
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[StoreServer]:
    """A real server."""
    async with running(tmp_path, request.param, *rights.options()) as started:
        yield started


@pytest.fixture
async def proxy(server: StoreServer) -> AsyncIterator[FaultProxy]:
    """What stands between the server and the replicas."""
    async with FaultProxy(server.url) as proxy:
        yield proxy


@pytest.fixture
async def replicas(proxy: FaultProxy) -> AsyncIterator[list[Replica]]:
    """Two replicas, which share an answer, two records and a snapshot."""
    async with AsyncExitStack() as stack:
        some = [await replica(proxy, stack) for _ in range(2)]
        one, _ = some
        await well(one)
        await one.fill(BEFORE)
        await one.log.lead()
        await one.log.begin(EPOCH)
        await one.log.publish(EPOCH, 0, [b"1", b"2"])
        await one.log.put_snapshot(EPOCH, 2, b"all")
        yield some


async def replica(proxy: FaultProxy, stack: AsyncExitStack) -> Replica:
    """A replica of its own, until the stack ends."""
    server = rights.as_user(proxy.url.replace("http:", "redis:"))
    link = RedisLink(server, PATIENCE, prefix=rights.PREFIX)
    answers = RedisStore(link, rights.PREFIX)
    log = RedisIndexLog(link, rights.PREFIX, "shared", lease=1.0)
    for context in (link.open(), answers.following(), log.open()):
        await stack.enter_async_context(context)
    return Replica(link, answers, log)


async def well(one: Replica) -> None:
    """Wait until a replica uses the store."""
    async with asyncio.timeout(SOON_SECONDS):
        while not one.link.is_attached:
            await asyncio.sleep(0.01)


async def outcome(use: Awaitable[Any]) -> Any:
    """What was answered, or the kind of error that was raised."""
    try:
        return await use
    except (StoreFailed, *REFUSALS) as error:
        return type(error)


async def all_right(some: list[Replica]) -> None:
    """Ask all there is to ask, and hold each answer to what is right, and to the patience."""
    for one in some:
        for name, (use, right) in USES.items():
            began = time.monotonic()
            found = await outcome(use(one))
            assert time.monotonic() - began <= 2 * PATIENCE.socket + LATE_SECONDS, name
            assert found in [StoreFailed, *REFUSALS, *right], name


async def used_again(some: list[Replica]) -> None:
    """Wait until all goes its way again: an answer, and a log that one writes and the other reads."""
    one, other = some
    async with asyncio.timeout(SOON_SECONDS):
        while not await went(one, other):
            await asyncio.sleep(0.05)


async def went(one: Replica, other: Replica) -> bool:
    """Whether a trial of everything went well; a failure is no wonder while the store comes back."""
    with suppress(StoreFailed, *REFUSALS):
        await one.fill(AFTER)
        assert AFTER == await other.answer()
        if (await one.log.lead()).is_writer:
            await one.log.begin("two")
            await one.log.publish("two", 0, [b"3"])
            await one.log.put_snapshot("two", 1, b"all of it")
            [record] = (await other.log.read("two", 0, 0)).records
            assert b"3" == record.data
            assert ("two", 1, b"all of it") == await other.log.snapshot()
            return True
    return False


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
async def test_a_server_that_fails(server: StoreServer, replicas: list[Replica], failure: Failure) -> None:
    """Each use is right or fails in time, is counted by its kind, and works when the server is well again."""
    await failure.fault.begin(server)
    await all_right(replicas)
    await all_right(replicas)  # by now the replicas know
    if failure.kinds:  # by a use, or by the next probe
        await until(lambda: any(kind in failure.kinds for one in replicas for kind in one.link.failures))
    await failure.fault.mend(server)
    for one in replicas:
        await well(one)
    await used_again(replicas)


@pytest.mark.parametrize("behaviour", PATHS.values(), ids=PATHS)
async def test_a_path_that_fails(proxy: FaultProxy, replicas: list[Replica], behaviour: Behaviour) -> None:
    """The same where it is the network between the replicas and a server that is well."""
    await proxy.behave(behaviour)
    for _ in range(3):
        await all_right(replicas)
    assert any(one.link.failures for one in replicas)
    await proxy.behave(forward)
    await used_again(replicas)


async def test_an_old_backup_has_answers_of_its_age(server: StoreServer, replicas: list[Replica]) -> None:
    """An answer that comes back with an old backup is as old as it is; the next one is newer than all."""
    one, other = replicas
    [old] = await one.answers.read([Wish(KEY)])
    await server.command("SAVE")
    await one.fill(AFTER)
    [new] = await one.answers.read([Wish(KEY)])
    assert old is not None
    assert new is not None
    await server.kill()
    for each in replicas:
        assert StoreFailed == await outcome(each.answer())
    await server.start()
    for each in replicas:
        await well(each)
        assert old == (await each.answers.read([Wish(KEY)]))[0]
    await used_again(replicas)
    [newest] = await other.answers.read([Wish(KEY, known=new.version)])
    assert newest is not None
    assert (AFTER, True) == (newest.data, newest.version > new.version)
