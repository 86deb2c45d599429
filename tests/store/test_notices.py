"""The notices of a real server: how long they are kept, and that a replica which lost them has them again."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from service.cache.shared_store import Fill, Key, Wish
from service.store.answers import RedisStore
from tests.store.answer_stores import OnServer
from tests.store.rights import PREFIX
from tests.store.scripted_server import until
from tests.store.servers import BOTH_AT_NIGHT, StoreServer, running

pytestmark = pytest.mark.fleet

KEY = b"k" * 16
NOTICES = f"{PREFIX}:notices"


@pytest.fixture(params=BOTH_AT_NIGHT)
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[StoreServer]:
    """A real server."""
    async with running(tmp_path, request.param) as server:
        yield server


async def filled(store: RedisStore, data: bytes) -> None:
    """Claim and fill an answer."""
    [claim] = await store.claim([Wish(KEY, anew=True)])
    await store.fill(claim.moment, [Fill(KEY, data, 0.0, 60.0, 60.0, 60.0)])


async def test_notices_are_kept_for_a_minute(server: StoreServer) -> None:
    """Older ones go with the next notice, and the last one a minute after it came."""
    script = f"for i = 1, 10000 do redis.call('XADD', '{NOTICES}', i .. '-0', 'k', '{'k' * 16}') end"
    await server.command("EVAL", script, 0)
    async with AsyncExitStack() as stack:
        await filled(await OnServer(server, stack).replica(), b"new")
    assert 200 >= await server.command("XLEN", NOTICES)  # a server drops them by the hundred
    assert 0 < await server.command("PTTL", NOTICES) <= 60_000


async def test_a_replica_whose_connections_are_cut_is_told_again(server: StoreServer) -> None:
    """It hears that it may have missed some, then those that came meanwhile, and those that come later."""
    async with AsyncExitStack() as stack:
        stores = OnServer(server, stack)
        one, other = await stores.replica(), await stores.replica()
        told: list[Sequence[Key] | None] = []
        one.watch(lambda keys, _: told.append(keys))
        await filled(other, b"first")
        await until(lambda: told == [[KEY]])
        await server.command("CLIENT", "KILL", "TYPE", "normal")
        await until(lambda: None in told)
        await until(lambda: other.is_attached)
        await filled(other, b"second")
        await until(lambda: [KEY] == told[-1])
        await filled(other, b"third")
        await until(lambda: [[KEY], [KEY]] == told[-2:])
