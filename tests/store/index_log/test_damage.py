"""A server that lost something, came up with old data, or has what others wrote: that is no log."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import pytest

from service.errors import StoreFailed
from service.index.shared_log import Deposed, LogGap
from service.store.index_log import RedisIndexLog
from service.store.index_snapshot import CHUNK
from service.store.own_connection import Command, OwnConnection
from tests.store.index_log.stores import RealStore, numbered, records
from tests.store.rights import PREFIX, options
from tests.store.servers import PROGRAMS, running

pytestmark = pytest.mark.fleet

TWO_CHUNKS = b"x" * (CHUNK + 10)


@pytest.fixture(params=PROGRAMS)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[RealStore]:
    """A real server."""
    async with running(tmp_path, request.param, *options()) as server, AsyncExitStack() as stack:
        yield RealStore(server, stack)


@pytest.fixture
async def writer(store: RealStore) -> RedisIndexLog:
    """A replica that has written two records, a word and a snapshot."""
    log = await store.replica()
    await log.lead()
    await log.begin("one")
    await log.publish("one", 0, records(1, 2))
    await log.tell("one", b"a word")
    await log.put_snapshot("one", 2, TWO_CHUNKS)
    return log


@pytest.fixture
async def follower(store: RealStore, writer: RedisIndexLog) -> RedisIndexLog:
    """Another replica, which has read all."""
    log = await store.replica()
    assert numbered(1, 2) == list((await log.read("one", 0, 0)).records)
    return log


async def attached(log: RedisIndexLog) -> None:
    """Wait until the log's link has found the server again."""
    async with asyncio.timeout(20):
        while not log.is_attached:
            await asyncio.sleep(0.01)


async def chunks(store: RealStore) -> list[bytes]:
    """The keys of all chunks that are there."""
    return sorted(await store.server.command("KEYS", f"{PREFIX}:snapshot:*"))


class TestOldData:
    async def test_a_server_with_old_data_has_no_log(
        self, store: RealStore, writer: RedisIndexLog, follower: RedisIndexLog
    ) -> None:
        """After a restart with what was saved before, there is no log, and nothing is written to that one."""
        await store.server.command("SAVE")
        await writer.publish("one", 2, records(3, 4))
        await store.server.kill()
        for log in (writer, follower):
            with pytest.raises(StoreFailed):
                await log.lead()
        await store.server.start()
        for log in (writer, follower):
            await attached(log)
        with pytest.raises(LogGap):
            await follower.read("one", 4, 0)
        for last in (2, 4):
            with pytest.raises(Deposed):
                await writer.publish("one", last, records(5, 5))
        assert ("", 0, None) == (await writer.lead())[:3]

    async def test_a_new_log_begins_there(self, store: RealStore, writer: RedisIndexLog) -> None:
        """A new log takes the place of the old one, whose snapshot may still be read until then."""
        await store.server.command("SAVE")
        await store.server.kill()
        with pytest.raises(StoreFailed):
            await writer.lead()
        await store.server.start()
        await attached(writer)
        assert ("one", 2, TWO_CHUNKS) == await writer.snapshot()
        await store.end_lease()
        assert (await writer.lead()).is_writer
        await writer.begin("two")
        assert 1 == await writer.publish("two", 0, records(1, 1))
        assert ("two", 1, None, True) == (await writer.lead())[:4]


class TestLosses:
    @pytest.mark.parametrize("key", ["index", "log"])
    @pytest.mark.usefixtures("writer")
    async def test_a_part_of_the_log(self, store: RealStore, key: str) -> None:
        """Where a part of the log is gone, who needs it has a gap."""
        late = await store.replica()
        await store.server.command("DEL", f"{PREFIX}:{key}")
        with pytest.raises(LogGap):
            await late.read("one", 0, 0)

    async def test_who_had_all_needs_nothing(
        self, store: RealStore, writer: RedisIndexLog, follower: RedisIndexLog
    ) -> None:
        """Where old records are gone, who has them reads on; who has not has a gap."""
        await store.server.command("DEL", f"{PREFIX}:log")
        await writer.publish("one", 2, records(3, 3))
        assert numbered(3, 3) == list((await follower.read("one", 2, 0)).records)
        with pytest.raises(LogGap):
            await (await store.replica()).read("one", 1, 0)

    @pytest.mark.parametrize("number", [0, 1])
    async def test_a_chunk_of_the_snapshot(
        self, store: RealStore, writer: RedisIndexLog, number: int
    ) -> None:
        """A snapshot that is not whole is none, and all replicas know so that another one is written."""
        await store.server.command("DEL", (await chunks(store))[number])
        assert (await writer.lead()).snapshot is None
        assert await writer.snapshot() is None
        assert [] == await chunks(store)

    @pytest.mark.parametrize("data", [b"y" * CHUNK, b"", b"short", b"x" * 2 * CHUNK])
    async def test_a_chunk_that_is_another_one(
        self, store: RealStore, writer: RedisIndexLog, data: bytes
    ) -> None:
        """A snapshot with one wrong byte is none, and is removed."""
        await store.server.command("SET", (await chunks(store))[0], data)
        assert await writer.snapshot() is None
        assert (await writer.lead()).snapshot is None
        await writer.put_snapshot("one", 2, b"again")
        assert ("one", 2, b"again") == await writer.snapshot()


class TestOthers:
    @pytest.mark.parametrize(
        "command",
        [
            ("HSET", "index", "last", "many"),
            ("HSET", "index", "last", "-1"),
            ("HSET", "index", "epoch", b"\xff\xfe"),
            ("XADD", "log", "3-0", "d", "rubbish", "e", "one"),
            ("XADD", "log", "3-0", "d", b"\x91\xc4\x01x", "e", "two"),
            ("XADD", "log", "3-1", "d", b"\x91\xc4\x01x", "e", "one"),
            ("XADD", "log", "3-0", "what", "ever"),
            ("XADD", "log", "3-0", "d", b"\x90", "e", "one"),
            ("XADD", "progress", "*", "what", "ever"),
        ],
    )
    async def test_what_others_wrote_is_no_record(
        self, store: RealStore, follower: RedisIndexLog, command: tuple[str | bytes, ...]
    ) -> None:
        """What stands under the log's names and is not of a replica is a gap."""
        name, key, *rest = command
        await store.server.command(name, f"{PREFIX}:{key!s}", *rest)
        with pytest.raises(LogGap):
            await follower.read("one", 2, 0)

    async def test_a_wish_of_others_is_none(self, store: RealStore, follower: RedisIndexLog) -> None:
        """What stands among the wishes and is none is passed over."""
        await store.server.command("XADD", f"{PREFIX}:wishes", "*", "what", "ever")
        await follower.wish(b"a wish")
        assert [b"a wish"] == list((await follower.read("one", 2, 0)).wishes)

    async def test_the_log_is_begun_anew(self, store: RealStore, writer: RedisIndexLog) -> None:
        """Where somebody wrote behind the last record, there is no log any more, and a new one can begin."""
        await store.server.command("XADD", f"{PREFIX}:log", "7-0", "what", "ever")
        with pytest.raises(StoreFailed):
            await writer.publish("one", 2, records(3, 3))
        assert ("", 0, None, True) == (await writer.lead())[:4]
        await writer.begin("two")
        assert 1 == await writer.publish("two", 0, records(1, 1))

    @pytest.mark.parametrize("key", ["writer", "index", "log", "progress", "snapshot"])
    async def test_what_others_keep_under_our_names_stays(
        self, store: RealStore, writer: RedisIndexLog, key: str
    ) -> None:
        """Keys of another type are another service's: each use is a failure of that kind, and they stay."""
        await store.server.command("DEL", f"{PREFIX}:{key}")
        await store.server.command("SADD", f"{PREFIX}:{key}", "their own")
        for use in (
            writer.lead(),
            writer.begin("two"),
            writer.publish("one", 2, [b"x"]),
            writer.tell("one", b"x"),
        ):
            with suppress(StoreFailed, Deposed):
                await use
        assert {b"their own"} == set(await store.server.command("SMEMBERS", f"{PREFIX}:{key}"))
        assert writer.is_attached

    @pytest.mark.parametrize(
        "fields",
        [
            ("chunks", "999999999999"),
            ("chunks", "many"),
            ("bytes", "999999999999999"),
            ("bytes", "-1"),
            ("number", "x"),
            ("epoch", b"\xff"),
            ("digest", "x"),
            ("token", "another"),
        ],
    )
    async def test_a_snapshot_of_others_is_none(
        self, store: RealStore, writer: RedisIndexLog, fields: tuple[str | bytes, ...]
    ) -> None:
        """A hash that is not ours is no snapshot, and holds nobody up."""
        await store.server.command("HSET", f"{PREFIX}:snapshot", *fields)
        async with asyncio.timeout(10):
            assert await writer.snapshot() is None
            await writer.lead()
            await writer.put_snapshot("one", 2, b"again")
            assert ("one", 2, b"again") == await writer.snapshot()


class TestReplacement:
    async def test_who_reads_is_not_cut(self, store: RealStore, writer: RedisIndexLog) -> None:
        """The chunks of the snapshot before stay for some seconds, and not for ever."""
        before = await chunks(store)
        await writer.put_snapshot("one", 2, b"after")
        assert set(before) < set(await chunks(store))
        for key in before:
            assert 0 < await store.server.command("PTTL", key) <= 15_000

    async def test_who_reads_too_slowly_reads_the_new_one(
        self,
        store: RealStore,
        writer: RedisIndexLog,
        follower: RedisIndexLog,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """A reader whose chunks are gone in the middle reads the snapshot that is there by then."""
        run, seen = OwnConnection.run, list[object]()

        async def replacing(connection: OwnConnection, *commands: Command) -> list[object]:
            seen.append(commands)
            if len(seen) == 3:  # the head and one chunk were read
                await writer.put_snapshot("one", 2, b"after")
                for key in before:
                    assert 1 == await store.server.command("DEL", key)
            return await run(connection, *commands)

        before = await chunks(store)
        monkeypatch.setattr(OwnConnection, "run", replacing)
        assert ("one", 2, b"after") == await follower.snapshot()

    async def test_a_snapshot_that_is_given_up_goes_away(
        self, store: RealStore, writer: RedisIndexLog
    ) -> None:
        """Chunks of a snapshot that never became whole expire."""
        before = await chunks(store)
        await store.end_lease()
        with pytest.raises(Deposed):
            await writer.put_snapshot("one", 2, TWO_CHUNKS)
        assert before == await chunks(store)
        await writer.lead()
        task = asyncio.create_task(writer.put_snapshot("one", 2, TWO_CHUNKS * 20))
        while before == (now := await chunks(store)):
            pass
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        for key in set(now) - set(before):
            assert 0 < await store.server.command("PTTL", key) <= 300_000


class TestReading:
    async def test_who_stops_reading_leaves_nothing(
        self, writer: RedisIndexLog, follower: RedisIndexLog
    ) -> None:
        """A read that is cancelled takes no reply from the next one."""
        for last in range(2, 22):
            task = asyncio.create_task(follower.read("one", last, 5.0))
            await asyncio.sleep(0.001 * (last % 5))
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await writer.publish("one", last, records(last + 1, last + 1))
            assert numbered(last + 1, last + 1) == list((await follower.read("one", last, 5.0)).records)

    async def test_the_log_is_bounded_in_bytes(self, store: RealStore) -> None:
        """The oldest records go where all together would be too large; the newest one always stays."""
        link = (await store.replica())._link
        log = RedisIndexLog(link, f"{PREFIX}:bounded", most_bytes=1_000_000)
        await log.lead()
        await log.begin("one")
        for last in range(20):
            await log.publish("one", last, [bytes(200_000)])
        assert 4 == await store.server.command("XLEN", f"{PREFIX}:bounded:log")
        await log.publish("one", 20, [bytes(3_000_000)])
        assert 1 == await store.server.command("XLEN", f"{PREFIX}:bounded:log")

    async def test_wishes_are_bounded(self, store: RealStore, writer: RedisIndexLog) -> None:
        """No more than a thousand wishes are kept, and those for a minute."""
        script = f"for i = 1, 1010 do redis.call('XADD', '{PREFIX}:wishes', '*', 'd', i) end"
        await store.server.command("EVAL", script, 0)
        await writer.wish(b"a wish")
        assert 1_000 == await store.server.command("XLEN", f"{PREFIX}:wishes")
        assert 0 < await store.server.command("PTTL", f"{PREFIX}:wishes") <= 60_000

    async def test_old_wishes_are_not_read(self, store: RealStore, writer: RedisIndexLog) -> None:
        """A new replica reads no wish that is older than a lease."""
        await store.server.command("XADD", f"{PREFIX}:wishes", "1000-0", "d", "long ago")
        await writer.wish(b"now")
        assert [b"now"] == list((await (await store.replica()).read("one", 0, 0)).wishes)

    async def test_what_nobody_could_read_is_not_written(self, writer: RedisIndexLog) -> None:
        """A record larger than a reply may be is refused, and the log goes on without it."""
        with pytest.raises(StoreFailed, match="too_large"):
            await writer.publish("one", 2, [bytes(17 * 2**20)])
        assert 3 == await writer.publish("one", 2, [bytes(15 * 2**20)])
        [record] = (await writer.read("one", 2, 0)).records
        assert 15 * 2**20 == len(record.data)
        assert writer.is_attached
