"""What a store of answers asks of a server for callers who have left."""

import asyncio

from service.cache.shared_store import Wish
from service.store import scripts
from service.store.answers import RedisStore
from service.store.link import RedisLink
from tests.store.index_log.log_server import LogServer
from tests.store.scripted_server import LONG, until

KEY = b"k" * 16
LEASE = [1, 1_000, 0, 0, 0, 0, None, list[bytes]()]
WAIT = [2, 1_000, 500, 0, 0, 0, None, list[bytes]()]


async def test_a_lease_that_comes_too_late_is_given_back() -> None:
    """Where the server gives a lease to a caller who has left meanwhile, it is for others at once."""
    server = LogServer()
    await server.start()
    server.says[scripts.CLAIM], server.says[scripts.GIVE_UP] = [LEASE, WAIT], None
    link = RedisLink(server.url, LONG, connections=1)
    async with link.open():
        store = RedisStore(link, "tracking")
        server.held.clear()
        task = asyncio.create_task(store.claim([Wish(KEY), Wish(b"o" * 16)]))
        await until(lambda: b"tracking:l:" + KEY in server.keys)
        task.cancel()
        await asyncio.wait([task])
        server.held.set()
        await until(lambda: scripts.GIVE_UP in [script for script, _ in server.asked])
        [moment, *_, key] = server.asked[-1][1]
        assert (b"1000", KEY) == (moment, key)
    await server.stop()
