"""Bodies are read within a bound for each, and another for all together."""

import asyncio
from typing import cast

import aiohttp
import pytest
from aiohttp.streams import EMPTY_PAYLOAD

from service.upstream.body import BodyReader, NoRoomError, TooLargeError

LARGEST = 3_200
PATIENCE = 60.0  # seconds


class Response:
    """A response whose body comes when the test says so. announced: its Content-Length, if it has one."""

    def __init__(self, *chunks: bytes, announced: int | None = None) -> None:
        self.content_length = announced
        self.content = self
        self.taken = 0
        self._has_ended = False
        self._chunks: asyncio.Queue[bytes] = asyncio.Queue()
        for chunk in chunks:
            self._chunks.put_nowait(chunk)

    def send(self, chunk: bytes) -> None:
        """The next part of the body; an empty one ends it."""
        self._chunks.put_nowait(chunk)

    async def readchunk(self) -> tuple[bytes, bool]:
        chunk = await self._chunks.get()
        self.taken += bool(chunk)
        self._has_ended = not chunk
        return chunk, False

    def at_eof(self) -> bool:
        return self._has_ended


def reading(intake: BodyReader, response: Response) -> asyncio.Task[bytearray]:
    """A body that is being read."""
    return asyncio.create_task(intake.read(cast("aiohttp.ClientResponse", response)))


async def settled() -> None:
    """Everything that can go on has gone on."""
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.mark.parametrize("chunks", [(), (b"abc",), (b"a", b"bc" * 10, b"d"), (b"x" * LARGEST,)])
async def test_reads_a_body_up_to_the_largest(chunks: tuple[bytes, ...]) -> None:
    """A body that is as large as allowed is the sum of its chunks."""
    assert b"".join(chunks) == await reading(BodyReader(LARGEST, PATIENCE), Response(*chunks, b""))


async def test_stops_at_a_body_that_is_too_large() -> None:
    """A body that is a byte too large is refused, and not read any further."""
    response = Response(b"x" * LARGEST, b"x", b"x", b"")
    with pytest.raises(TooLargeError, match="more than 3200 bytes"):
        await reading(BodyReader(LARGEST, PATIENCE), response)
    assert 2 == response.taken


async def test_reads_nothing_of_a_body_that_is_announced_as_too_large() -> None:
    """A body whose Content-Length is too large is refused before any of it is read."""
    response = Response(b"x", b"", announced=LARGEST + 1)
    with pytest.raises(TooLargeError, match="3201"):
        await reading(BodyReader(LARGEST, PATIENCE), response)
    assert 0 == response.taken


async def test_a_body_waits_where_the_memory_is_used_up() -> None:
    """Where bodies together take twice the largest, a later one waits for room, but a small one does not."""
    intake = BodyReader(LARGEST, PATIENCE)
    large = [Response(b"x" * (LARGEST - 10)) for _ in range(2)]
    small = Response(b"s" * 19)
    tasks = [reading(intake, one) for one in (*large, small)]
    await settled()
    small.send(b"s" * 40)
    small.send(b"")
    assert b"s" * 59 == await tasks[2]
    late = Response(b"y" * 200, b"y" * 200, b"")
    waiting = reading(intake, late)
    await settled()
    assert (1, False) == (late.taken, waiting.done())
    large[1].send(b"")
    assert b"y" * 400 == await waiting
    large[0].send(b"")
    await asyncio.gather(*tasks[:2])


async def test_bodies_never_wait_for_each_other() -> None:
    """However many bodies are half read, all of them are read to the end."""
    intake = BodyReader(LARGEST, PATIENCE)
    half = b"x" * (LARGEST // 2)
    responses = [Response(half, half, b"") for _ in range(10)]
    tasks = [reading(intake, one) for one in responses]
    assert [LARGEST] * 10 == [len(body) for body in await asyncio.gather(*tasks)]


async def test_a_body_without_room_in_time_fails() -> None:
    """A body for which there is no room in time fails, and the others do not."""
    intake = BodyReader(LARGEST, 0.01)
    large = [Response(b"x" * (LARGEST - 10)) for _ in range(2)]
    tasks = [reading(intake, one) for one in large]
    await settled()
    with pytest.raises(NoRoomError, match="at once"):
        await reading(intake, Response(b"y" * 200, b""))
    for one in large:
        one.send(b"")
    assert [LARGEST - 10] * 2 == [len(body) for body in await asyncio.gather(*tasks)]


async def test_a_failed_reader_frees_its_memory() -> None:
    """A reader that is cancelled, or whose connection fails, leaves its share to the others."""
    intake = BodyReader(LARGEST, PATIENCE)
    given_up = [reading(intake, Response(b"x" * (LARGEST - 10))) for _ in range(2)]
    await settled()
    for task in given_up:
        task.cancel()
    await asyncio.gather(*given_up, return_exceptions=True)
    assert b"y" * LARGEST == await reading(intake, Response(b"y" * LARGEST, b""))


async def test_reads_empty_bodies() -> None:
    """An answer without a body reads as empty each time, though aiohttp shares one empty body among all."""
    response = Response(announced=0)
    cast("aiohttp.ClientResponse", response).content = EMPTY_PAYLOAD
    for _ in range(2):
        assert b"" == await reading(BodyReader(LARGEST, PATIENCE), response)
