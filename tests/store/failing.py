"""Ways for a server to fail the replicas that share it, and all that they ask of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, NamedTuple

from service.cache.shared_store import Fill, Wish
from service.index.shared.log import Deposed, LogGap
from service.store.answers import RedisStore
from service.store.index_log import RedisIndexLog
from service.store.link import Patience, RedisLink
from tests.fleet.faults import FAULTS, Fault
from tests.store import rights
from tests.store.servers import StoreServer

PATIENCE: Final = Patience(answer=0.25, connect=0.5, socket=0.5, probe=0.1, block=0.2)
KEY: Final = b"k" * 16
BEFORE, AFTER = b"before", b"after"
EPOCH: Final = "one"


class Replica(NamedTuple):
    """What one replica has of a store."""

    link: RedisLink
    answers: RedisStore
    log: RedisIndexLog

    async def fill(self, data: bytes) -> None:
        """Claim and fill an answer."""
        [claim] = await self.answers.claim([Wish(KEY, anew=True)])
        await self.answers.fill(claim.moment, [Fill(KEY, data, 0.0, 600.0, 600.0, 600.0)])

    async def answer(self) -> bytes | None:
        """What the store has for an answer."""
        [stored] = await self.answers.read([Wish(KEY)])
        return None if stored is None else stored.data


# What replicas ask, and what is right where the store has one answer, two records and a snapshot.
Use = Callable[[Replica], Awaitable[Any]]


async def _claim(replica: Replica) -> bytes | None:
    [claim] = await replica.answers.claim([Wish(KEY)])
    return None if claim.stored is None else claim.stored.data


async def _fill(replica: Replica) -> bool:
    """It is refused where there is an answer, and is the answer where there is none any more."""
    [version] = await replica.answers.fill(1, [Fill(KEY, BEFORE, 0.0, 600.0, 600.0, 600.0)])
    return version >= 0


async def _records(replica: Replica) -> list[bytes]:
    return [record.data for record in (await replica.log.read(EPOCH, 0, 0.05)).records]


USES: Final[dict[str, tuple[Use, list[Any]]]] = {
    "claim": (_claim, [None, BEFORE]),
    "read an answer": (Replica.answer, [None, BEFORE]),
    "fill": (_fill, [True]),
    "extend": (lambda replica: replica.answers.extend(1, [KEY]), [None]),
    "give up": (lambda replica: replica.answers.give_up(1, [KEY]), [None]),
    "publish": (lambda replica: replica.log.publish(EPOCH, 7, [b"wrong"]), []),
    "tell": (lambda replica: replica.log.tell("two", b"wrong"), []),
    "wish": (lambda replica: replica.log.wish(b"a wish"), [None]),
    "read the log": (_records, [[b"1", b"2"]]),
    "put a snapshot": (lambda replica: replica.log.put_snapshot(EPOCH, 7, b"wrong"), []),
    "read the snapshot": (lambda replica: replica.log.snapshot(), [None, (EPOCH, 2, b"all")]),
}
REFUSALS: Final = (Deposed, LogGap)  # a right answer, too


async def _shut_out(server: StoreServer) -> None:
    """The password is another one from now on, and it hangs up."""
    await server.command("ACL", "SETUSER", rights.NAME, "resetpass", ">another")
    await server.command("CLIENT", "KILL", "TYPE", "normal")


async def _forbid(server: StoreServer) -> None:
    await server.command("ACL", "SETUSER", rights.NAME, "-@all", "+ping", "+select")


NAMES: Final = (
    b"v:" + KEY,
    b"l:" + KEY,
    b"notices",
    b"indexes",
    b"shared:writer",
    b"shared:index",
    b"shared:log",
    b"shared:progress",
    b"shared:wishes",
    b"shared:snapshot",
)


async def _others(server: StoreServer) -> None:
    """Another service keeps its sets under the names of this one."""
    for name in NAMES:
        await server.command("DEL", rights.PREFIX.encode() + b":" + name)
        await server.command("SADD", rights.PREFIX.encode() + b":" + name, "their own")


async def _texts(server: StoreServer) -> None:
    """Whatever is a text is another one."""
    for name in NAMES[:2]:
        await server.command("SET", rights.PREFIX.encode() + b":" + name, b"\xff" * 100, "PX", 600_000)


async def _remove(server: StoreServer) -> None:
    await server.command("FLUSHALL")


async def _nothing(_server: StoreServer) -> None:
    """It is well again by itself."""


class Failure(NamedTuple):
    """A fault, and the kinds that one of which is counted; none where nothing fails."""

    fault: Fault
    kinds: frozenset[str]


FAILURES: Final = {
    **{
        name: Failure(FAULTS[name], frozenset(kinds))
        for name, kinds in {
            "killed": {"unreachable"},
            "stopped": {"slow", "timeout"},
            "full": {"oom"},
            "read-only": {"readonly"},
            "loading": {"loading", "unreachable"},
            "emptied": set[str](),
            "restarted": {"unreachable"},
        }.items()
    },
    "has another password": Failure(Fault(_shut_out, rights.give), frozenset({"noauth"})),
    "allows nothing": Failure(Fault(_forbid, rights.give), frozenset({"noperm"})),
    "has another's keys": Failure(Fault(_others, _remove), frozenset({"wrongtype"})),
    "has rubbish": Failure(Fault(_texts, _nothing), frozenset()),
}
