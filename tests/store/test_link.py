"""How a replica comes to use the store, when it leaves it alone, and what it knows of it."""

import asyncio
import logging
import time

import pytest

from service.store.connections import Server
from service.store.link import RedisLink
from tests.store.scripted_server import LONG, QUICK, attached, kind_of, scripted, until


async def test_a_script_is_sent_once_and_named_then() -> None:
    """A script that the server does not know is sent as a whole; from then on its name is enough."""
    async with scripted() as server, attached(server, LONG) as link:
        server.commands.clear()
        assert ["ok", "ok"] == [await kind_of(link), await kind_of(link)]
        assert ["EVALSHA", "EVAL", "EVALSHA"] == server.commands
        server.loaded.clear()  # as after a restart
        assert "ok" == await kind_of(link)


async def test_connections_are_opened_at_the_start() -> None:
    """Once attached, all connections are there, so that no caller waits for one."""
    async with scripted() as server, attached(server, LONG) as link:
        assert 2 == server.opened == len(server.connections)
        await asyncio.gather(*(kind_of(link) for _ in range(20)))
        assert 2 == server.opened


async def test_only_what_the_narrowest_user_may_is_sent() -> None:
    """The link sends no command but HELLO and scripts."""
    async with scripted() as server, attached(server) as link:
        await kind_of(link)
    assert {"HELLO", "EVAL", "EVALSHA"} == set(server.commands)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (b"-LOADING Redis is loading the dataset in memory\r\n", "loading"),
        (b"-OOM command not allowed when used memory > 'maxmemory'.\r\n", "oom"),
        (b"-READONLY You can't write against a read only replica.\r\n", "readonly"),
        (b"-MISCONF Errors writing to the disk.\r\n", "misconf"),
        (b"-NOAUTH Authentication required.\r\n", "noauth"),
        (b"-BUSY Redis is busy running a script.\r\n", "busy"),
        (b"-ERR max number of clients reached\r\n", "unreachable"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "not_redis"),
    ],
)
async def test_one_failure_of_the_server_detaches(reply: bytes, kind: str) -> None:
    """What fails whatever the key is detaches at once and is counted; nobody asks then until a probe."""
    async with scripted() as server, attached(server, LONG) as link:
        server.answer = lambda *_: reply
        assert [kind, "detached"] == [await kind_of(link), await kind_of(link)]
        assert {kind: 1} == link.failures
        assert {"ok": 0, "failed": 1, "detached": 1} == {
            name: link.outcomes[name] for name in ("ok", "failed", "detached")
        }


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (b"-WRONGTYPE Operation against a key holding the wrong kind of value\r\n", "wrongtype"),
        (b"-NOPERM No permissions to access a key\r\n", "noperm"),
        (b"-ERR The user executing the script can't run this command or subcommand\r\n", "noperm"),
        (b"-ERR user_script:1: bad argument\r\n", "error"),
        (b"-Whatever1 it may say\r\n", "error"),
    ],
)
async def test_a_failure_of_one_key_does_not_detach(reply: bytes, kind: str) -> None:
    """What may be wrong with one key or one script alone is counted, and the store is asked further."""
    async with scripted() as server, attached(server, LONG) as link:
        server.answer = lambda *_: reply
        assert [kind, kind] == [await kind_of(link), await kind_of(link)]
        server.answer = server.run
        assert "ok" == await kind_of(link)
        assert {kind: 2} == link.failures


async def test_a_cut_connection_detaches_and_the_next_probe_attaches() -> None:
    """A connection that ends is a failure of the server; a server that is back is used within two probes."""
    async with scripted() as server, attached(server) as link:
        await server.stop()
        assert "ok" != await kind_of(link)
        assert not link.is_attached
        await server.start()
        await until(lambda: link.is_attached)
        assert "ok" == await kind_of(link)


async def test_a_server_that_is_not_there_at_the_start_is_used_once_it_is(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whoever starts first goes on alone, and says so once; and says once that the store is there."""
    caplog.set_level(logging.INFO)
    async with scripted() as server:
        await server.stop()
        link = RedisLink(f"redis://:s3cret@127.0.0.1:{server.port}/0", QUICK, connections=1)
        async with link.open():
            assert "detached" == await kind_of(link)
            await until(lambda: link.failures["unreachable"] > 2)
            await server.start()
            await until(lambda: link.is_attached)
        texts = [record.getMessage() for record in caplog.records if record.name == "service.store"]
    assert 2 == len(texts), texts
    assert "cannot be used now (unreachable: " in texts[0]
    assert f"attached to the store that replicas share at redis://127.0.0.1:{server.port}/0" == texts[1]
    assert "s3cret" not in caplog.text


async def test_a_probe_has_to_write_and_to_be_quick() -> None:
    """A server that answers but takes no writes, or only slowly, is left alone."""
    async with scripted() as server:
        server.answer = lambda *_: b"-READONLY You can't write against a read only replica.\r\n"
        link = RedisLink(server.url, QUICK, connections=1)
        async with link.open():
            await until(lambda: link.failures["readonly"] > 2)
            assert not link.is_attached
            server.answer, server.pause = server.run, 0.25
            await until(lambda: link.failures["slow"] > 0)
            assert not link.is_attached
            server.pause = 0.0
            await until(lambda: link.is_attached)


async def test_one_slow_reply_does_not_detach_and_three_in_a_row_do() -> None:
    """A caller leaves after its patience; only when that happens again and again the store is left alone."""
    async with scripted() as server, attached(server, LONG) as link:
        await kind_of(link)
        server.held.clear()
        assert ["slow", "slow"] == [await kind_of(link) for _ in range(2)]
        server.held.set()
        await until(lambda: not link._session._tasks)  # type: ignore[union-attr]
        assert "ok" == await kind_of(link)
        server.held.clear()
        kinds = [await kind_of(link) for _ in range(4)]
        server.held.set()
        assert ["slow", "slow", "slow", "detached"] == kinds


async def test_callers_who_wait_at_the_same_time_count_as_one() -> None:
    """One pause of the server delays many callers at once, and is one slow reply."""
    async with scripted() as server, attached(server, LONG) as link:
        server.held.clear()
        assert {"slow"} == set(await asyncio.gather(*(kind_of(link) for _ in range(50))))
        assert link.is_attached
        server.held.set()


async def test_a_late_event_loop_is_no_slow_server() -> None:
    """Where our own loop stood still, the reply that has come meanwhile counts."""
    async with scripted() as server, attached(server, LONG._replace(answer=0.1)) as link:
        await kind_of(link)
        asked = asyncio.create_task(kind_of(link))
        await asyncio.sleep(0)
        time.sleep(0.3)  # noqa: ASYNC251 - the loop stands still
        assert "ok" == await asked


async def test_the_clock_of_the_server() -> None:
    """The server's time is known without asking, and renewed with each attachment."""
    async with scripted() as server:
        server.ahead = 1_000.0
        async with attached(server) as link:
            assert abs(link.now() - time.time() - 1_000.0) < 0.25
            server.ahead = -500.0
            server.cut()
            await until(lambda: link.is_attached and link.now() < time.time())
            assert abs(link.now() - time.time() + 500.0) < 0.25


async def test_replicas_are_counted() -> None:
    """More replicas count at once, fewer only after a while; without the store the last number holds."""
    async with scripted() as server, attached(server) as link:
        seen: list[int] = []
        link.watch(seen.append)
        server.replicas = 3
        await until(lambda: 3 == link.replicas)
        await server.stop()
        await until(lambda: not link.is_attached)
        assert 3 == link.replicas
        server.replicas = 1
        await server.start()
        await until(lambda: link.is_attached)
        assert 3 == link.replicas
        await until(lambda: 1 == link.replicas)
        assert [3, 1] == seen


async def test_a_replica_that_ends_is_counted_no_more() -> None:
    """At its end a replica takes its name off the list, and closes its connections."""
    async with scripted() as server:
        async with attached(server):
            pass
        assert any("ZREM" in script for script in server.loaded.values())
        await until(lambda: not server.connections)


async def test_who_logs_in_does_so_at_each_connection() -> None:
    """The user and the password are asked for anew, so that a changed one needs no restart."""
    passwords = iter(["first", "first", "second", "second"])
    async with scripted() as server:
        link = RedisLink(Server(server.url, lambda: ("ada", next(passwords))), LONG, connections=1)
        for _ in range(2):
            async with link.open():
                assert link.is_attached
    assert [["ada", "first"], ["ada", "first"]] == [login[-2:] for login in server.logins]


async def test_whoever_waits_for_the_store_is_told_that_it_is_gone() -> None:
    """A loss is told once, at once, so that nobody waits for a notice that cannot come."""
    async with scripted() as server, attached(server, LONG) as link:
        lost: list[bool] = []
        link.watch_loss(lambda: lost.append(link.is_attached))
        server.answer = lambda *_: b"-LOADING\r\n"
        await kind_of(link)
        await kind_of(link)
        assert [False] == lost
