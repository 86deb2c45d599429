"""What a replica writes that has lost its lease, or has another log in mind: nothing."""

from collections.abc import Awaitable, Callable

import pytest

from service.index.shared.log import Deposed, SharedLog
from tests.store.index_log.stores import Store, numbered, records

# Each writes something as a replica that takes its epoch for "one" and its last record for number 2.
Write = Callable[[SharedLog], Awaitable[object]]
WRITES: dict[str, Write] = {
    "publish": lambda log: log.publish("one", 2, records(3, 3)),
    "tell": lambda log: log.tell("one", b"a word"),
    "put_snapshot": lambda log: log.put_snapshot("one", 2, b"all"),
    "begin": lambda log: log.begin("two"),
}
FENCED = {name: WRITES[name] for name in ("publish", "tell", "put_snapshot")}


async def is_untouched(log: SharedLog) -> bool:
    """Whether the log "one" has the records 1 and 2, and nothing else was written."""
    head = await log.lead()
    news = await log.read("one", 0, 0)
    return (("one", 2, None), numbered(1, 2), None) == (head[:3], list(news.records), news.progress)


class TestFence:
    @pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
    async def test_who_never_had_the_lease_writes_nothing(
        self, writer: SharedLog, follower: SharedLog, write: Write
    ) -> None:
        """A replica without the lease is told so, and nothing of what it wrote is there."""
        await writer.publish("one", 0, records(1, 2))
        with pytest.raises(Deposed):
            await write(follower)
        assert await is_untouched(follower)

    @pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
    async def test_who_lost_the_lease_writes_nothing(
        self, store: Store, writer: SharedLog, follower: SharedLog, write: Write
    ) -> None:
        """A replica that paused for longer than its lease is told so, although nothing else has changed."""
        await writer.publish("one", 0, records(1, 2))
        await store.end_lease()
        assert (await follower.lead()).is_writer
        with pytest.raises(Deposed):
            await write(writer)
        assert await is_untouched(follower)

    @pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
    async def test_a_lease_that_nobody_has_is_not_enough(
        self, store: Store, writer: SharedLog, write: Write
    ) -> None:
        """A replica whose lease ended writes nothing, even where no other replica has taken it."""
        await writer.publish("one", 0, records(1, 2))
        await store.end_lease()
        with pytest.raises(Deposed):
            await write(writer)
        assert await is_untouched(writer)

    @pytest.mark.parametrize("write", FENCED.values(), ids=FENCED)
    async def test_another_log_is_not_written(self, writer: SharedLog, write: Write) -> None:
        """Who has the lease, and an earlier epoch in mind, writes nothing into the log that is there."""
        await writer.begin("two")
        await writer.publish("two", 0, records(1, 2))
        with pytest.raises(Deposed):
            await write(writer)
        head = await writer.lead()
        news = await writer.read("two", 0, 0)
        assert (("two", 2, None), numbered(1, 2), None) == (head[:3], list(news.records), news.progress)

    @pytest.mark.parametrize("last", [0, 1, 3])
    async def test_another_end_is_not_written_behind(self, writer: SharedLog, last: int) -> None:
        """Who takes another record for the last one publishes nothing."""
        await writer.publish("one", 0, records(1, 2))
        with pytest.raises(Deposed):
            await writer.publish("one", last, [b"wrong"])
        assert await is_untouched(writer)

    async def test_two_replicas_never_share_a_number(self, store: Store) -> None:
        """However the lease goes from one replica to the other, each number is written once."""
        logs = [await store.replica() for _ in range(2)]
        assert (await logs[0].lead()).is_writer
        await logs[0].begin("one")
        for turn in range(1, 6):
            await store.end_lease()
            log, other = logs[turn % 2], logs[1 - turn % 2]
            assert (await log.lead()).is_writer
            for last in (turn - 1, turn):
                with pytest.raises(Deposed):
                    await other.publish("one", last, [b"late"])
            await log.publish("one", turn - 1, records(turn, turn))
        assert numbered(1, 5) == list((await logs[0].read("one", 0, 0)).records)
