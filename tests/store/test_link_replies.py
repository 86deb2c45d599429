"""That no reply is another's: callers who leave, commands that are not sent, and replies that come late."""

import asyncio

import pytest

from service.errors import StoreFailed
from tests.store.scripted_server import ECHO, LONG, attached, bulk, kind_of, scripted, until


async def test_a_reply_never_goes_to_another_command() -> None:
    """However callers leave, each that stays gets the reply to what it asked, also over used connections."""
    async with scripted() as server, attached(server, LONG._replace(answer=5.0)) as link:
        await kind_of(link)
        for round_ in range(10):
            server.held.clear()
            leaving = [asyncio.create_task(kind_of(link, f"left {round_} {each}")) for each in range(6)]
            staying = [asyncio.create_task(kind_of(link, f"stays {round_} {each}")) for each in range(6)]
            await asyncio.sleep(0.001 * round_)
            for task in leaving:
                task.cancel()
            server.held.set()
            assert {"ok"} == set(await asyncio.gather(*staying))  # which compares the value
        assert 2 == server.opened


async def test_what_nobody_waits_for_is_not_sent_any_more() -> None:
    """A command that waits for a connection when its caller leaves is not run: it might take a lease."""
    async with scripted() as server, attached(server, LONG) as link:
        ran: list[bytes] = []

        def note(script: str, arguments: list[bytes]) -> bytes:
            ran.append(arguments[0])
            return server.run(script, arguments)

        await kind_of(link)
        server.answer = note
        server.held.clear()
        await asyncio.gather(*(kind_of(link, str(each)) for each in range(5)))
        server.held.set()
        await until(lambda: not link._session._tasks)  # type: ignore[union-attr]
        assert [b"0", b"1"] == sorted(ran)


async def test_a_late_reply_is_handed_to_whoever_undoes_it() -> None:
    """What ran although the caller had left is told, so that a lease can be given back."""
    async with scripted() as server, attached(server, LONG) as link:
        await kind_of(link)
        late: list[bytes] = []
        server.held.clear()
        with pytest.raises(StoreFailed, match="slow"):
            await link.run(ECHO, [], ["lease"], late=late.append)
        assert [] == late
        server.held.set()
        await until(lambda: bool(late))
        assert [b"lease"] == late


async def test_a_reply_that_is_too_large_is_a_miss(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more than so many bytes are read of one reply; its connection ends, the store is used further."""
    monkeypatch.setattr("service.store.connections.MOST_BYTES", 100_000)
    async with scripted() as server, attached(server, LONG) as link:
        await kind_of(link)
        server.answer = lambda *_: bulk(b"x" * 1_000_000)
        assert "too_large" == await kind_of(link)
        server.answer = server.run
        assert "ok" == await kind_of(link)
        assert {"too_large": 1} == link.failures
