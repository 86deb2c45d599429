"""What a log takes of a real server, and what is read of it at once, has bounds."""

import asyncio

import pytest

from service.index.records import MOST_BYTES
from service.index.shared.log import Deposed
from service.store.index_log import RedisIndexLog
from service.store.own_connection import Command, OwnConnection
from tests.store.index_log.stores import TWO_CHUNKS, RealStore, chunks, numbered, records
from tests.store.rights import INDEX, PREFIX

pytestmark = pytest.mark.fleet


class TestReplacement:
    async def test_who_reads_is_not_cut(self, real: RealStore, written: RedisIndexLog) -> None:
        """The chunks of the snapshot before stay for some seconds, and not for ever."""
        before = await chunks(real)
        await written.put_snapshot("one", 2, b"after")
        assert set(before) < set(await chunks(real))
        for key in before:
            assert 0 < await real.server.command("PTTL", key) <= 15_000

    async def test_who_reads_too_slowly_reads_the_new_one(
        self,
        real: RealStore,
        written: RedisIndexLog,
        reader: RedisIndexLog,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """A reader whose chunks are gone in the middle reads the snapshot that is there by then."""
        run, seen = OwnConnection.run, list[object]()

        async def replacing(connection: OwnConnection, *commands: Command) -> list[object]:
            seen.append(commands)
            if len(seen) == 3:  # the head and one chunk were read
                await written.put_snapshot("one", 2, b"after")
                for key in before:
                    assert 1 == await real.server.command("DEL", key)
            return await run(connection, *commands)

        before = await chunks(real)
        monkeypatch.setattr(OwnConnection, "run", replacing)
        assert ("one", 2, b"after") == await reader.snapshot()

    async def test_a_snapshot_that_is_given_up_goes_away(
        self, real: RealStore, written: RedisIndexLog
    ) -> None:
        """Chunks of a snapshot that never became whole expire."""
        before = await chunks(real)
        await real.end_lease()
        with pytest.raises(Deposed):
            await written.put_snapshot("one", 2, TWO_CHUNKS)
        assert before == await chunks(real)
        await written.lead()
        task = asyncio.create_task(written.put_snapshot("one", 2, TWO_CHUNKS * 20))
        while before == (now := await chunks(real)):
            pass
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        for key in set(now) - set(before):
            assert 0 < await real.server.command("PTTL", key) <= 300_000


class TestIndexes:
    async def test_an_index_that_nobody_uses_goes(self, real: RealStore, written: RedisIndexLog) -> None:
        """Whoever uses another index gives all keys of it an end, a day after its last replica."""
        old = RedisIndexLog(written._link, PREFIX, "old")
        await old.lead()
        await old.begin("one")
        await old.publish("one", 0, records(1, 1))
        await old.put_snapshot("one", 1, TWO_CHUNKS)
        await old.resign()
        last = await real.server.command("ZSCORE", f"{PREFIX}:indexes", "old")
        keys = await real.server.command("KEYS", f"{PREFIX}:old:*")
        for age, is_kept in ((86_000, True), (87_000, False)):
            await real.server.command("ZADD", f"{PREFIX}:indexes", int(last) - age, "old")
            await written.lead()
            for key in keys:
                assert is_kept is (-1 == await real.server.command("PTTL", key))
        assert [b"shared"] == await real.server.command("ZRANGE", f"{PREFIX}:indexes", 0, -1)
        assert ("one", 2, TWO_CHUNKS) == await written.snapshot()
        assert numbered(1, 2) == list((await written.read("one", 0, 0)).records)


class TestReading:
    async def test_who_stops_reading_leaves_nothing(
        self, written: RedisIndexLog, reader: RedisIndexLog
    ) -> None:
        """A read that is cancelled takes no reply from the next one."""
        for last in range(2, 22):
            task = asyncio.create_task(reader.read("one", last, 5.0))
            await asyncio.sleep(0.001 * (last % 5))
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await written.publish("one", last, records(last + 1, last + 1))
            assert numbered(last + 1, last + 1) == list((await reader.read("one", last, 5.0)).records)

    async def test_the_log_is_bounded_in_bytes(self, real: RealStore) -> None:
        """The oldest records go where all together would be too large; the newest one always stays."""
        link = (await real.replica())._link
        log = RedisIndexLog(link, PREFIX, "bounded", most_bytes=1_000_000)
        await log.lead()
        await log.begin("one")
        for last in range(20):
            await log.publish("one", last, [bytes(200_000)])
        assert 4 == await real.server.command("XLEN", f"{PREFIX}:bounded:log")
        await log.publish("one", 20, [bytes(3_000_000)])
        assert 1 == await real.server.command("XLEN", f"{PREFIX}:bounded:log")

    async def test_wishes_are_bounded(self, real: RealStore, written: RedisIndexLog) -> None:
        """No more than a thousand wishes are kept, and those for a minute."""
        script = f"for i = 1, 1010 do redis.call('XADD', '{INDEX}:wishes', '*', 'd', i) end"
        await real.server.command("EVAL", script, 0)
        await written.wish(b"a wish")
        assert 1_000 == await real.server.command("XLEN", f"{INDEX}:wishes")
        assert 0 < await real.server.command("PTTL", f"{INDEX}:wishes") <= 60_000

    async def test_old_wishes_are_not_read(self, real: RealStore, written: RedisIndexLog) -> None:
        """A new replica reads no wish that is older than a lease."""
        await real.server.command("XADD", f"{INDEX}:wishes", "1000-0", "d", "long ago")
        await written.wish(b"now")
        assert [b"now"] == list((await (await real.replica()).read("one", 0, 0)).wishes)

    async def test_the_largest_record_can_be_read(self, written: RedisIndexLog) -> None:
        """A record of as many bytes as any may have is read, and so is the next one."""
        for last in (2, 3):
            assert last + 1 == await written.publish("one", last, [bytes(MOST_BYTES)])
            [record] = (await written.read("one", last, 0)).records
            assert MOST_BYTES == len(record.data)
        assert written.is_attached
