"""What replicas read of a log that they share: the same records, in the same order."""

import asyncio

import pytest

from service.index.shared.log import Record, SharedLog
from tests.store.index_log.stores import Store, numbered, records


class TestPublish:
    async def test_all_read_the_same(self, writer: SharedLog, follower: SharedLog) -> None:
        """Records have numbers that rise by one, and come to each replica in their order."""
        assert 2 == await writer.publish("one", 0, records(1, 2))
        assert 5 == await writer.publish("one", 2, records(3, 5))
        for log in (writer, follower):
            assert numbered(1, 5) == list((await log.read("one", 0, 0)).records)

    @pytest.mark.parametrize("after", [0, 1, 2, 3, 4, 5])
    async def test_reading_begins_anywhere(self, writer: SharedLog, follower: SharedLog, after: int) -> None:
        """Who has some of the records that were published at once reads the others."""
        await writer.publish("one", 0, records(1, 4))
        await writer.publish("one", 4, records(5, 5))
        assert numbered(after + 1, 5) == list((await follower.read("one", after, 0)).records)

    async def test_nothing_is_no_record(self, writer: SharedLog) -> None:
        """No records are published as well: the last number stays."""
        await writer.publish("one", 0, records(1, 2))
        assert 2 == await writer.publish("one", 2, [])

    async def test_records_of_any_size(self, writer: SharedLog, follower: SharedLog) -> None:
        """An empty record and one of some megabytes come as they were."""
        sizes = [0, 1, 3_000_000, 10, 300_000, 300_000]
        await writer.publish("one", 0, [b"x" * size for size in sizes])
        read: list[Record] = []
        while len(read) < len(sizes):
            read += (await follower.read("one", len(read), 0)).records
        assert sizes == [len(record.data) for record in read]

    async def test_what_comes_wakes_who_waits(self, writer: SharedLog, follower: SharedLog) -> None:
        """Who waits for records has them when they are there."""

        async def reading() -> list[Record]:
            while not (found := (await follower.read("one", 0, 5.0)).records):
                await asyncio.sleep(0)  # the log in memory does not wait
            return list(found)

        task = asyncio.create_task(reading())
        await asyncio.sleep(0)
        await writer.publish("one", 0, records(1, 1))
        assert numbered(1, 1) == await asyncio.wait_for(task, 10)

    async def test_waiting_ends(self, writer: SharedLog) -> None:
        """Where nothing comes, nothing is read."""
        news = await writer.read("one", 0, 0.01)
        assert ([], None, []) == (list(news.records), news.progress, list(news.wishes))


class TestProgress:
    async def test_the_newest_word_is_read_once(self, writer: SharedLog, follower: SharedLog) -> None:
        """Each replica reads the writer's newest word, and none a second time."""
        await writer.tell("one", b"first")
        await writer.tell("one", b"second")
        for log in (writer, follower):
            assert b"second" == (await log.read("one", 0, 0)).progress
            assert (await log.read("one", 0, 0)).progress is None

    async def test_who_comes_later_reads_the_last_word(self, store: Store, writer: SharedLog) -> None:
        """A new replica reads what the writer said last, however long ago."""
        await writer.tell("one", b"a word")
        assert b"a word" == (await (await store.replica()).read("one", 0, 0)).progress

    async def test_a_word_wakes_who_waits(self, writer: SharedLog, follower: SharedLog) -> None:
        """Who waits for records has a newer word at once, too."""

        async def reading() -> bytes:
            while (word := (await follower.read("one", 0, 5.0)).progress) is None:
                await asyncio.sleep(0)  # the log in memory does not wait
            return word

        task = asyncio.create_task(reading())
        await asyncio.sleep(0)
        await writer.tell("one", b"a word")
        assert b"a word" == await asyncio.wait_for(task, 10)

    async def test_another_log_has_no_word_yet(self, writer: SharedLog, follower: SharedLog) -> None:
        """What was said of an earlier log is not read of the new one."""
        await writer.tell("one", b"a word")
        await writer.begin("two")
        assert (await follower.read("two", 0, 0)).progress is None


class TestWishes:
    async def test_all_read_each_wish_once(self, writer: SharedLog, follower: SharedLog) -> None:
        """What a replica wishes comes to all, in its order, and to none a second time."""
        await follower.wish(b"first")
        await follower.wish(b"second")
        for log in (writer, follower):
            assert [b"first", b"second"] == list((await log.read("one", 0, 0)).wishes)
            assert [] == list((await log.read("one", 0, 0)).wishes)
