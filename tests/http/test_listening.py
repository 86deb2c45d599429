"""The sockets that the service listens with."""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import ClientSession

from service.app import build
from service.hosts import at
from service.http.listening import ListenError, distinct, listening
from service.http.server import _openable, serve
from tests.api.serving import make_settings
from tests.loopback import loopbacks

HERE = loopbacks()
LOOPBACKS = [("127.0.0.1", 0), ("::1", 0)]


@asynccontextmanager
async def opened(hosts: Sequence[str], port: int = 0, **options: Any) -> AsyncIterator[list[Any]]:
    """What the sockets are bound to."""
    sockets = await listening(hosts, port, **options)
    try:
        yield [one.getsockname()[:2] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def knowing(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Let every name have these addresses."""

    def found(host: str, *_: Any, **__: Any) -> list[Any]:
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        given = [host] if host[0].isdigit() else addresses
        return [(0, 0, 0, "", (one, 0, 0, 0) if ":" in one else (one, 0)) for one in given]

    monkeypatch.setattr("socket.getaddrinfo", found)


class TestSockets:
    async def test_several_hosts_share_a_port(self) -> None:
        """A free port is taken once, for all of them."""
        for hosts in (HERE, HERE[::-1], [*HERE, "localhost"]):
            async with opened(hosts) as bound:
                assert 1 == len({port for _, port in bound})
                assert sorted(HERE) == sorted(host for host, _ in bound)

    async def test_localhost(self) -> None:
        """It is both loopbacks, whatever a resolver makes of it."""
        async with opened(["localhost"]) as bound:
            assert HERE == [host for host, _ in bound]

    async def test_all_addresses(self) -> None:
        """`::` is one socket, which takes connections of both families."""
        [listener] = await listening(["::", "0.0.0.0", "127.0.0.1"], 0)  # noqa: S104 - for a moment
        with listener:
            listener.listen()
            for host in HERE:
                with socket.create_connection((host, listener.getsockname()[1]), timeout=5):
                    pass

    async def test_a_machine_without_ipv6(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """There `::` is all of IPv4, which the log says."""
        monkeypatch.setattr("socket.has_dualstack_ipv6", lambda: False)
        async with opened(["::"]) as bound:
            assert ["0.0.0.0"] == [host for host, _ in bound]  # noqa: S104 - compared
        assert ["TRACKING_HOST: this machine has no IPv6, so :: is 0.0.0.0"] == caplog.messages

    async def test_several_processes(self) -> None:
        """With reuse_port others may listen there, too; without they may not."""
        async with opened(HERE, reuse_port=True) as bound:
            port = bound[0][1]
            async with opened(["localhost"], port, reuse_port=True) as others:
                assert set(bound) == set(others)

    async def test_a_name(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A name is all of its addresses that this machine has."""
        knowing(monkeypatch, "192.0.2.1", *HERE, "127.0.0.1")
        async with opened(["tracking.example"]) as bound:
            assert HERE == [host for host, _ in bound]

    @pytest.mark.parametrize(
        ("addresses", "expected"),
        [
            ([("::", 0), *LOOPBACKS, ("0.0.0.0", 0)], [("::", 0)]),  # noqa: S104 - compared
            ([*LOOPBACKS, ("0.0.0.0", 0)], [("::1", 0), ("0.0.0.0", 0)]),  # noqa: S104 - compared
            ([*LOOPBACKS, *LOOPBACKS], LOOPBACKS),
            ([("fe80::1", 2), ("fe80::1", 3)], [("fe80::1", 2), ("fe80::1", 3)]),
        ],
    )
    def test_what_stands_for_others(self, addresses: list[Any], expected: list[Any]) -> None:
        """All addresses of a family, or of both, leave none of theirs to be bound beside them."""
        assert expected == distinct(addresses)


class TestFailures:
    async def refused(self, *hosts: str, port: int = 0) -> str:
        """Why nothing listens, in one line."""
        with pytest.raises(ListenError) as caught:
            await listening(hosts, port)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    async def test_a_name_without_an_address(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The setting and the name are named."""
        knowing(monkeypatch)
        expected = "TRACKING_HOST: no address of nope.example is known: Name or service not known"
        assert expected == await self.refused("nope.example")

    async def test_somebody_elses_address(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """An address that this machine lacks is named, alone, among others, and of a name."""
        expected = "TRACKING_HOST: 192.0.2.1 is not an address of this machine"
        assert expected == await self.refused("192.0.2.1")
        assert expected == await self.refused("127.0.0.1", "192.0.2.1")
        knowing(monkeypatch, "192.0.2.1")
        assert expected == await self.refused("tracking.example")

    async def test_a_port_that_is_taken(self) -> None:
        """The port's setting is named, and no socket is left open."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            said = await self.refused(*HERE[::-1], port=port)
            assert said.startswith(f"TRACKING_PORT: {port} on 127.0.0.1 is taken by another process")
        async with opened(HERE, port) as bound:
            assert len(HERE) == len(bound)

    @pytest.mark.parametrize(
        ("number", "said"),
        [
            (errno.EACCES, "TRACKING_PORT: this user may not listen on 80; ports from 1024 on"),
            (errno.EINVAL, "TRACKING_HOST: nothing can listen on 127.0.0.1: Invalid argument"),
            (errno.EMFILE, "TRACKING_HOST: nothing can listen on 127.0.0.1: Too many open files"),
        ],
    )
    async def test_what_else_the_system_says(
        self, monkeypatch: pytest.MonkeyPatch, number: int, said: str
    ) -> None:
        """It is one line, too, that names the setting at fault."""

        def fails(*_: Any) -> None:
            raise OSError(number, "x")

        monkeypatch.setattr("socket.socket.bind", fails)
        assert said in await self.refused("127.0.0.1", port=80)


async def test_the_service_on_several_hosts() -> None:
    """It answers on each of them, and says the first."""
    service = build(make_settings(), "http://127.0.0.1:9")
    address: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def ready(url: str) -> None:
        address.set_result(url)

    serving = asyncio.create_task(serve(service.handler, service.unreadable, HERE, 0, ready))
    try:
        url = await asyncio.wait_for(address, 20)
        assert url.startswith("http://127.0.0.1:")
        port = int(url.rpartition(":")[2])
        async with ClientSession() as session:
            for host in HERE:
                async with session.get(f"http://{at(host, port)}/livez") as answer:
                    assert 200 == answer.status
    finally:
        serving.cancel()
        await asyncio.wait([serving])


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("example.com", "example.com"),
        ("0.0.0.0", "127.0.0.1"),  # noqa: S104 - shown, not bound
        ("::", "127.0.0.1"),
        ("::1", "::1"),
    ],
)
def test_the_address_that_is_said_can_be_opened(host: str, expected: str) -> None:
    """All addresses are shown as this machine."""
    assert expected == _openable(host)
