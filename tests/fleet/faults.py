"""Ways for a store to fail, and how it is well again."""

import signal
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from tests.store.servers import StoreServer

_FILLER_KEYS = 2_000
_LOAD_MICROSECONDS = 1_000  # for each key


class Fault(NamedTuple):
    """begin: what is done to the server. mend: how it is well again."""

    begin: Callable[[StoreServer], Awaitable[object]]
    mend: Callable[[StoreServer], Awaitable[object]]


async def _kill(server: StoreServer) -> None:
    await server.kill()


async def _start(server: StoreServer) -> None:
    await server.start()


async def _stop(server: StoreServer) -> None:
    server.send(signal.SIGSTOP)


async def _go_on(server: StoreServer) -> None:
    server.send(signal.SIGCONT)


async def _fill(server: StoreServer) -> None:
    await server.command("CONFIG", "SET", "maxmemory-policy", "noeviction", "maxmemory", "1mb")


async def _empty(server: StoreServer) -> None:
    await server.command("CONFIG", "SET", "maxmemory", "0")


async def _follow_nobody(server: StoreServer) -> None:
    """It can only be read, as the replica of a server that is not there."""
    await server.command("REPLICAOF", "127.0.0.1", "1")


async def _lead(server: StoreServer) -> None:
    await server.command("REPLICAOF", "NO", "ONE")


async def _load(server: StoreServer) -> None:
    """It reads its data for some seconds, and answers all else with LOADING."""
    script = f"for i = 1, {_FILLER_KEYS} do redis.call('SET', 'filler:' .. i, i) end"
    await server.command("EVAL", script, "0")
    await server.command("SAVE")
    await server.kill()
    await server.start(
        *("--key-load-delay", str(_LOAD_MICROSECONDS), "--loading-process-events-interval-bytes", "1024"),
        is_loaded=False,
    )


async def _flush(server: StoreServer) -> None:
    await server.command("FLUSHALL")


async def _save_and_kill(server: StoreServer) -> None:
    await server.command("SAVE")
    await server.kill()


async def _nothing(_server: StoreServer) -> None:
    """It is well again by itself."""


FAULTS = {
    "killed": Fault(_kill, _start),
    "stopped": Fault(_stop, _go_on),
    "full": Fault(_fill, _empty),
    "read-only": Fault(_follow_nobody, _lead),
    "loading": Fault(_load, _nothing),
    "emptied": Fault(_flush, _nothing),
    "restarted": Fault(_save_and_kill, _start),
}
