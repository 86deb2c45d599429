"""What the log asks of a server, and what it makes of the replies, whatever they are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from hashlib import blake2b
from typing import Any

import msgspec
import pytest

from service.errors import StoreFailed
from service.index.shared.log import Deposed, Head, LogGap, Record
from service.store import index_scripts as scripts
from service.store.index_log import RedisIndexLog
from service.store.link import RedisLink
from tests.store.index_log.log_server import LogServer, entry
from tests.store.scripted_server import QUICK

LONG = QUICK._replace(probe=60.0, socket=5.0, block=0.05)


@pytest.fixture
async def server() -> AsyncIterator[LogServer]:
    """A server of a test's own."""
    server = LogServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def log(server: LogServer) -> AsyncIterator[RedisIndexLog]:
    """The log there, as a replica uses it."""
    async with AsyncExitStack() as stack:
        link = RedisLink(server.url, LONG, connections=1)
        await stack.enter_async_context(link.open())
        log = RedisIndexLog(link, "tracking", "shared")
        await stack.enter_async_context(log.open())
        assert log.is_attached
        yield log


class TestReplies:
    async def test_how_the_log_ends(self, server: LogServer, log: RedisIndexLog) -> None:
        """What the server says becomes the end of the log; how many replicas there are the link knows."""
        server.says[scripts.LEAD] = [b"one", 7, 5, 1]
        assert Head("one", 7, 5, is_writer=True, replicas=1) == await log.lead()
        server.says[scripts.LEAD] = [b"", 0, -1, 0]
        assert Head("", 0, None, is_writer=False, replicas=1) == await log.lead()

    @pytest.mark.parametrize("reply", [None, 5, [], [b"one"], [1, 2, 3, 4], [b"one", 1, 2, b"x"]])
    async def test_what_no_script_says(self, server: LogServer, log: RedisIndexLog, reply: Any) -> None:
        """A reply that is none of the script's is a failure of the store."""
        server.says[scripts.LEAD] = reply
        with pytest.raises(StoreFailed, match="rubbish"):
            await log.lead()

    @pytest.mark.parametrize(
        ("script", "write"),
        [
            (scripts.BEGIN, lambda log: log.begin("one")),
            (scripts.PUBLISH, lambda log: log.publish("one", 0, [b"x"])),
            (scripts.TELL, lambda log: log.tell("one", b"x")),
            (scripts.PUT_CHUNK, lambda log: log.put_snapshot("one", 0, b"x")),
        ],
    )
    async def test_nothing_is_a_refusal(
        self, server: LogServer, log: RedisIndexLog, script: str, write: Callable[[RedisIndexLog], Any]
    ) -> None:
        """Where a script that is fenced says nothing, another replica writes."""
        server.says[script] = None
        with pytest.raises(Deposed):
            await write(log)

    async def test_an_error_has_its_kind(self, server: LogServer, log: RedisIndexLog) -> None:
        """What the server says of a key is a failure of that kind, and the link stays attached."""
        server.says["HMGET"] = server.says["XREAD"] = b"-WRONGTYPE Operation against a key\r\n"
        with pytest.raises(StoreFailed, match="wrongtype"):
            await log.read("one", 0, 0)
        assert log.is_attached


class TestPublishing:
    async def test_many_records_are_several_entries(self, server: LogServer, log: RedisIndexLog) -> None:
        """Records that are many bytes together become entries that are read one after another."""
        server.says[scripts.PUBLISH] = 12
        records = [bytes([number]) * 100_000 for number in range(5)]
        assert 12 == await log.publish("one", 7, records)
        [(_, (_, epoch, last, _, _, *entries))] = server.asked
        assert (b"one", b"7") == (epoch, last)
        assert [b"2", b"2", b"1"] == entries[::2]
        assert records == [one for data in entries[1::2] for one in msgspec.msgpack.decode(data)]


class TestReading:
    async def test_records_have_their_numbers(self, server: LogServer, log: RedisIndexLog) -> None:
        """An entry has the records up to its number; what the reader has already is left out."""
        server.head(b"one", 5)
        server.entries("log", entry(3, b"1", b"2", b"3"), entry(5, b"4", b"5"))
        news = await log.read("one", 2, 0)
        assert [Record(3, b"3"), Record(4, b"4"), Record(5, b"5")] == list(news.records)

    @pytest.mark.parametrize(
        "entries",
        [
            [entry(4, b"4")],  # 3 is missing
            [entry(3, b"3"), entry(5, b"5")],
            [entry(3, b"3", epoch=b"two")],
            [entry(3)],
            [(b"3-1", entry(3, b"3")[1])],
            [(b"x-0", entry(3, b"3")[1])],
            [(b"3-0", [b"e", b"one"])],
            [(b"3-0", [b"e", b"one", b"d", b"rubbish"])],
            [],
        ],
    )
    async def test_what_does_not_follow_is_a_gap(
        self, server: LogServer, log: RedisIndexLog, entries: list[tuple[bytes, list[bytes]]]
    ) -> None:
        """Records that are missing, of another log, or no records are a gap."""
        server.head(b"one", 5)
        server.entries("log", *entries)
        with pytest.raises(LogGap):
            await log.read("one", 2, 0)

    @pytest.mark.parametrize("head", [(None, None), (b"two", 2), (b"one", 1), (b"\xff", 2)])
    async def test_another_end_is_a_gap(
        self, server: LogServer, log: RedisIndexLog, head: tuple[bytes | None, int | None]
    ) -> None:
        """A log that is gone, another one, or shorter than what the reader has is a gap."""
        server.head(*head)
        with pytest.raises(LogGap):
            await log.read("one", 2, 0)

    async def test_what_was_read_is_not_asked_for_again(self, server: LogServer, log: RedisIndexLog) -> None:
        """The next read begins behind the last word and the last wish; after a gap it begins anew."""
        server.head(b"one", 2)
        server.entries("progress", (b"9-0", [b"e", b"one", b"d", b"a word"]))
        assert b"a word" == (await log.read("one", 2, 0)).progress
        server.entries("wishes", (b"8-0", [b"d", b"a wish"]), (b"8-1", [b"x", b"y"]))
        assert [b"a wish"] == list((await log.read("one", 2, 0)).wishes)
        server.head(b"one", 2)
        await log.read("one", 2, 0.01)
        assert [b"BLOCK", b"10", b"STREAMS"] == server.asked[-1][1][2:5]
        assert [b"2-0", b"9-0", b"8-1"] == server.asked[-1][1][-3:]
        server.entries("progress", (b"10-0", [b"e", b"two"]))
        with pytest.raises(LogGap):
            await log.read("one", 2, 0)
        server.head(b"two", 0)
        await log.read("two", 0, 0)
        assert [b"0-0", b"0-0"] == server.asked[-1][1][-3:-1]

    async def test_who_leaves_takes_no_reply_of_others(self, server: LogServer, log: RedisIndexLog) -> None:
        """A read that is cancelled ends its connection; the next one has its own reply."""
        server.head(b"one", 0)
        server.speaks.clear()
        task = asyncio.create_task(log.read("one", 0, 0.01))
        while not server.asked:
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        server.speaks.set()
        server.head(b"one", 1)
        server.entries("log", entry(1, b"1"))
        assert [Record(1, b"1")] == list((await log.read("one", 0, 0)).records)

    async def test_a_server_that_came_back_is_read(self, server: LogServer, log: RedisIndexLog) -> None:
        """A connection that ended while nobody read is no failure of the server that is there now."""
        server.head(b"one", 0)
        await log.read("one", 0, 0)
        before = server.opened
        for writer in list(server.connections):
            writer.close()
        own = log._reader._connection
        assert own is not None
        while not await own.can_read():  # the end has not come yet
            await asyncio.sleep(0)
        await log.read("one", 0, 0)
        assert before + 1 == server.opened
        assert log.is_attached


class TestSnapshot:
    DATA = b"x" * (2**20 + 5)

    def kept(self, server: LogServer, **changes: bytes) -> None:
        """The server has a snapshot, of one chunk, with these fields of another one."""
        digest = blake2b(self.DATA[: 2**20], digest_size=32).digest()
        fields = {
            "epoch": b"one",
            "number": b"7",
            "token": b"t",
            "bytes": b"%d" % 2**20,
            "digest": digest,
            "chunks": b"1",
        }
        server.says["HMGET"] = list({**fields, **changes}.values())
        server.says["GETRANGE"] = self.DATA[: 2**20]
        server.says[scripts.DROP_SNAPSHOT] = 1

    async def test_it_is_read_in_chunks(self, server: LogServer, log: RedisIndexLog) -> None:
        """Each chunk is asked for by its key, and no more than one byte beyond it is read."""
        self.kept(server)
        assert ("one", 7, self.DATA[: 2**20]) == await log.snapshot()
        assert ("GETRANGE", [b"tracking:shared:snapshot:t:0", b"0", b"%d" % 2**20]) == server.asked[-1]

    async def test_it_is_written_in_chunks(self, server: LogServer, log: RedisIndexLog) -> None:
        """Chunks of at most 1 MB come first, and the head with their digest last."""
        server.says[scripts.PUT_CHUNK] = server.says[scripts.PUT_SNAPSHOT] = 1
        await log.put_snapshot("one", 7, self.DATA)
        assert [scripts.PUT_CHUNK, scripts.PUT_CHUNK, scripts.PUT_SNAPSHOT] == [
            one for one, _ in server.asked
        ]
        assert self.DATA == b"".join(arguments[2] for _, arguments in server.asked[:2])
        digest = blake2b(self.DATA, digest_size=32).digest()
        assert [b"7", b"%d" % len(self.DATA), digest, b"2"] == [server.asked[2][1][at] for at in (2, 4, 5, 6)]

    async def test_chunks_that_went_away_are_a_failure(self, server: LogServer, log: RedisIndexLog) -> None:
        """Where a chunk expired before the last one came, the snapshot is not put."""
        server.says[scripts.PUT_CHUNK], server.says[scripts.PUT_SNAPSHOT] = 1, 0
        with pytest.raises(StoreFailed):
            await log.put_snapshot("one", 7, self.DATA)

    @pytest.mark.parametrize(
        "changes",
        [
            {"epoch": b"\xff"},
            {"number": b"x"},
            {"bytes": b"-1"},
            {"bytes": b"9" * 20},
            {"chunks": b"2"},
            {"chunks": b"x"},
        ],
    )
    async def test_no_head_is_no_snapshot(
        self, server: LogServer, log: RedisIndexLog, changes: dict[str, bytes]
    ) -> None:
        """A head that is none of ours is no snapshot, and no chunk is asked for."""
        self.kept(server, **changes)
        assert await log.snapshot() is None
        assert ["HMGET"] == [one for one, _ in server.asked]

    @pytest.mark.parametrize("changes", [{"digest": b"x"}, {"bytes": b"5"}, {"bytes": b"%d" % (2**20 - 1)}])
    async def test_a_damaged_one_is_removed(
        self, server: LogServer, log: RedisIndexLog, changes: dict[str, bytes]
    ) -> None:
        """Data of another digest or another length are no snapshot, and are removed by their token."""
        self.kept(server, **changes)
        assert await log.snapshot() is None
        assert (scripts.DROP_SNAPSHOT, [b"t"]) == server.asked[-1]

    async def test_nobody_is_asked_while_detached(self, server: LogServer, log: RedisIndexLog) -> None:
        """Once the store is of no use, nothing is tried."""
        await server.stop()
        with pytest.raises(StoreFailed):
            await log.lead()
        assert not log.is_attached
        with pytest.raises(StoreFailed, match="detached"):
            await log.snapshot()
