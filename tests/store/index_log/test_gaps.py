"""Who lacks records of a log that replicas share is told so, and begins from the snapshot."""

import asyncio

import pytest

from service.index.shared.log import Deposed, LogGap, Record, SharedLog
from tests.store.index_log.stores import Store, numbered, records


class TestGap:
    async def test_another_log(self, writer: SharedLog, follower: SharedLog) -> None:
        """Who follows a log learns that another one was begun."""
        await writer.publish("one", 0, records(1, 2))
        await writer.begin("two")
        with pytest.raises(LogGap):
            await follower.read("one", 2, 0)

    async def test_another_log_wakes_who_waits(self, writer: SharedLog, follower: SharedLog) -> None:
        """Who waits for records of a log learns at once that another one was begun."""

        async def reading() -> None:
            while True:
                await follower.read("one", 0, 5.0)
                await asyncio.sleep(0)  # the log in memory does not wait

        task = asyncio.create_task(reading())
        await asyncio.sleep(0)
        await writer.begin("two")
        with pytest.raises(LogGap):
            await asyncio.wait_for(task, 10)

    async def test_the_log_ends_before(self, writer: SharedLog, follower: SharedLog) -> None:
        """Who has more than the log does has records of another one."""
        await writer.publish("one", 0, records(1, 2))
        with pytest.raises(LogGap):
            await follower.read("one", 3, 0)

    async def test_an_empty_store(self, store: Store, writer: SharedLog, follower: SharedLog) -> None:
        """Who follows a log learns that it is gone; and nobody has the lease any more."""
        await writer.publish("one", 0, records(1, 2))
        await store.empty()
        with pytest.raises(LogGap):
            await follower.read("one", 2, 0)
        with pytest.raises(Deposed):
            await writer.publish("one", 2, records(3, 3))
        assert ("", 0, None, True) == (await follower.lead())[:4]

    async def test_old_records_are_gone(self, store: Store, writer: SharedLog, follower: SharedLog) -> None:
        """The log keeps its last records: who needs older ones has a gap, who needs these has none."""
        many = store.most_records * 3
        for last in range(0, many, 10):
            await writer.publish("one", last, records(last + 1, last + 10))
        with pytest.raises(LogGap):
            await follower.read("one", many - store.most_records * 2, 0)
        after, read = many - store.most_records, list[Record]()
        while after + len(read) < many:
            read += (await follower.read("one", after + len(read), 0)).records
        assert numbered(after + 1, many) == read

    async def test_it_goes_on_after_a_gap(self, writer: SharedLog, follower: SharedLog) -> None:
        """Who begins again after a gap reads the records, the writer's word and the wishes of then on."""
        await writer.begin("two")
        with pytest.raises(LogGap):
            await follower.read("one", 0, 0)
        await writer.publish("two", 0, records(1, 1))
        await writer.tell("two", b"a word")
        await writer.wish(b"a wish")
        news = await follower.read("two", 0, 0)
        assert (numbered(1, 1), b"a word", [b"a wish"]) == (
            list(news.records),
            news.progress,
            list(news.wishes),
        )


class TestSnapshot:
    @pytest.mark.parametrize("size", [0, 1, 2**20 - 1, 2**20, 2**20 + 1, 3 * 2**20])
    async def test_all_read_it(self, writer: SharedLog, follower: SharedLog, size: int) -> None:
        """The snapshot comes to all replicas as it was, whatever its size, with its epoch and its number."""
        data = bytes(range(256)) * (size // 256) + bytes(size % 256)
        await writer.publish("one", 0, records(1, 2))
        await writer.put_snapshot("one", 2, data)
        for log in (writer, follower):
            assert ("one", 2, data) == await log.snapshot()
            assert 2 == (await log.lead()).snapshot

    async def test_there_is_none_at_first(self, writer: SharedLog) -> None:
        """A log begins without a snapshot."""
        assert await writer.snapshot() is None
        assert (await writer.lead()).snapshot is None

    async def test_a_later_one_takes_its_place(self, writer: SharedLog, follower: SharedLog) -> None:
        """The newest snapshot is the one that is read."""
        await writer.put_snapshot("one", 0, b"before")
        await writer.publish("one", 0, records(1, 2))
        await writer.put_snapshot("one", 2, b"after")
        assert ("one", 2, b"after") == await follower.snapshot()

    async def test_another_log_has_none_yet(self, writer: SharedLog, follower: SharedLog) -> None:
        """A new log begins without the snapshot of the one before."""
        await writer.put_snapshot("one", 0, b"before")
        await writer.begin("two")
        assert (await follower.lead()).snapshot is None
