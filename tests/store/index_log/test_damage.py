"""A server that lost something, came up with old data, or has what others wrote: that is no log."""

import asyncio
from contextlib import suppress

import pytest

from service.errors import StoreFailed
from service.index.shared.log import Deposed, LogGap
from service.store.index_log import RedisIndexLog
from service.store.index_snapshot import CHUNK
from tests.store.index_log.stores import TWO_CHUNKS, RealStore, chunks, numbered, records
from tests.store.rights import INDEX

pytestmark = pytest.mark.fleet


async def attached(log: RedisIndexLog) -> None:
    """Wait until the log's link has found the server again."""
    async with asyncio.timeout(20):
        while not log.is_attached:
            await asyncio.sleep(0.01)


class TestOldData:
    async def test_a_server_with_old_data_has_no_log(
        self, real: RealStore, written: RedisIndexLog, reader: RedisIndexLog
    ) -> None:
        """After a restart with what was saved before, there is no log, and nothing is written to that one."""
        await real.server.command("SAVE")
        await written.publish("one", 2, records(3, 4))
        await real.server.kill()
        for log in (written, reader):
            with pytest.raises(StoreFailed):
                await log.lead()
        await real.server.start()
        for log in (written, reader):
            await attached(log)
        with pytest.raises(LogGap):
            await reader.read("one", 4, 0)
        for last in (2, 4):
            with pytest.raises(Deposed):
                await written.publish("one", last, records(5, 5))
        assert ("", 0, None) == (await written.lead())[:3]

    async def test_a_new_log_begins_there(self, real: RealStore, written: RedisIndexLog) -> None:
        """A new log takes the place of the old one, whose snapshot may still be read until then."""
        await real.server.command("SAVE")
        await real.server.kill()
        with pytest.raises(StoreFailed):
            await written.lead()
        await real.server.start()
        await attached(written)
        assert ("one", 2, TWO_CHUNKS) == await written.snapshot()
        await real.end_lease()
        assert (await written.lead()).is_writer
        await written.begin("two")
        assert 1 == await written.publish("two", 0, records(1, 1))
        assert ("two", 1, None, True) == (await written.lead())[:4]


class TestLosses:
    @pytest.mark.parametrize("key", ["index", "log"])
    @pytest.mark.usefixtures("written")
    async def test_a_part_of_the_log(self, real: RealStore, key: str) -> None:
        """Where a part of the log is gone, who needs it has a gap."""
        late = await real.replica()
        await real.server.command("DEL", f"{INDEX}:{key}")
        with pytest.raises(LogGap):
            await late.read("one", 0, 0)

    async def test_who_had_all_needs_nothing(
        self, real: RealStore, written: RedisIndexLog, reader: RedisIndexLog
    ) -> None:
        """Where old records are gone, who has them reads on; who has not has a gap."""
        await real.server.command("DEL", f"{INDEX}:log")
        await written.publish("one", 2, records(3, 3))
        assert numbered(3, 3) == list((await reader.read("one", 2, 0)).records)
        with pytest.raises(LogGap):
            await (await real.replica()).read("one", 1, 0)

    @pytest.mark.parametrize("number", [0, 1])
    async def test_a_chunk_of_the_snapshot(
        self, real: RealStore, written: RedisIndexLog, number: int
    ) -> None:
        """A snapshot that is not whole is none, and all replicas know so that another one is written."""
        await real.server.command("DEL", (await chunks(real))[number])
        assert (await written.lead()).snapshot is None
        assert await written.snapshot() is None
        assert [] == await chunks(real)

    @pytest.mark.parametrize("data", [b"y" * CHUNK, b"", b"short", b"x" * 2 * CHUNK])
    async def test_a_chunk_that_is_another_one(
        self, real: RealStore, written: RedisIndexLog, data: bytes
    ) -> None:
        """A snapshot with one wrong byte is none, and is removed."""
        await real.server.command("SET", (await chunks(real))[0], data)
        assert await written.snapshot() is None
        assert (await written.lead()).snapshot is None
        await written.put_snapshot("one", 2, b"again")
        assert ("one", 2, b"again") == await written.snapshot()


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
        self, real: RealStore, reader: RedisIndexLog, command: tuple[str | bytes, ...]
    ) -> None:
        """What stands under the log's names and is not of a replica is a gap."""
        name, key, *rest = command
        await real.server.command(name, f"{INDEX}:{key!s}", *rest)
        with pytest.raises(LogGap):
            await reader.read("one", 2, 0)

    async def test_a_wish_of_others_is_none(self, real: RealStore, reader: RedisIndexLog) -> None:
        """What stands among the wishes and is none is passed over."""
        await real.server.command("XADD", f"{INDEX}:wishes", "*", "what", "ever")
        await reader.wish(b"a wish")
        assert [b"a wish"] == list((await reader.read("one", 2, 0)).wishes)

    async def test_the_log_is_begun_anew(self, real: RealStore, written: RedisIndexLog) -> None:
        """Where somebody wrote behind the last record, there is no log any more, and a new one can begin."""
        await real.server.command("XADD", f"{INDEX}:log", "7-0", "what", "ever")
        with pytest.raises(StoreFailed):
            await written.publish("one", 2, records(3, 3))
        assert ("", 0, None, True) == (await written.lead())[:4]
        await written.begin("two")
        assert 1 == await written.publish("two", 0, records(1, 1))

    @pytest.mark.parametrize("key", ["writer", "index", "log", "progress", "snapshot"])
    async def test_what_others_keep_under_our_names_stays(
        self, real: RealStore, written: RedisIndexLog, key: str
    ) -> None:
        """Keys of another type are another service's: each use is a failure of that kind, and they stay."""
        await real.server.command("DEL", f"{INDEX}:{key}")
        await real.server.command("SADD", f"{INDEX}:{key}", "their own")
        for use in (
            written.lead(),
            written.begin("two"),
            written.publish("one", 2, [b"x"]),
            written.tell("one", b"x"),
        ):
            with suppress(StoreFailed, Deposed):
                await use
        assert {b"their own"} == set(await real.server.command("SMEMBERS", f"{INDEX}:{key}"))
        assert written.is_attached

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
        self, real: RealStore, written: RedisIndexLog, fields: tuple[str | bytes, ...]
    ) -> None:
        """A hash that is not ours is no snapshot, and holds nobody up."""
        await real.server.command("HSET", f"{INDEX}:snapshot", *fields)
        async with asyncio.timeout(10):
            assert await written.snapshot() is None
            await written.lead()
            await written.put_snapshot("one", 2, b"again")
            assert ("one", 2, b"again") == await written.snapshot()
