"""A store over TLS: its certificate is verified, and what replicas share passes as it does without."""

import asyncio
import signal
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from service.errors import StoreFailed
from service.store.connections import Server
from service.store.index_log import RedisIndexLog
from service.store.link import RedisLink
from tests.certificates import write_certificate
from tests.live.server import free_port
from tests.store import rights
from tests.store.failing import PATIENCE
from tests.store.servers import StoreServer, running

pytestmark = pytest.mark.fleet

LOGIN = (rights.NAME, rights.PASSWORD)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """The server's certificate, which signs itself, with its key."""
    return write_certificate(tmp_path / "store.pem")


@pytest.fixture
def port() -> int:
    """Where it listens with TLS."""
    return free_port()


@pytest.fixture
async def server(tmp_path: Path, certificate: Path, port: int) -> AsyncIterator[StoreServer]:
    """A redis-server with TLS; the Valkey of PyPI is built without it."""
    options = ["--tls-port", str(port), "--tls-auth-clients", "no", *rights.options()]
    for name in ("cert", "key", "ca-cert"):
        options += [f"--tls-{name}-file", str(certificate)]
    async with running(tmp_path, "redis-server", *options) as server:
        yield server


@pytest.mark.usefixtures("server")
async def test_replicas_share_a_log_over_tls(port: int, certificate: Path) -> None:
    """With the certificate of its authority a replica is attached, on each of its connections."""
    tls = ssl.create_default_context(cafile=certificate)
    link = RedisLink(Server(f"rediss://127.0.0.1:{port}", lambda: LOGIN, tls), PATIENCE)
    log = RedisIndexLog(link, rights.PREFIX, "shared")
    async with link.open(), log.open():
        async with asyncio.timeout(20):
            while not link.is_attached:
                await asyncio.sleep(0.01)
        assert (await log.lead()).is_writer
        await log.begin("one")
        await log.publish("one", 0, [b"1"])
        assert [b"1"] == [record.data for record in (await log.read("one", 0, 0)).records]
        data = bytes(3_000_000)
        await log.put_snapshot("one", 1, data)
        assert ("one", 1, data) == await log.snapshot()


async def test_a_server_that_hangs_is_left_in_peace(
    server: StoreServer, port: int, certificate: Path
) -> None:
    """A replica whose store does not even take leave of its connections ends as it should."""
    tls = ssl.create_default_context(cafile=certificate)
    link = RedisLink(Server(f"rediss://127.0.0.1:{port}", lambda: LOGIN, tls), PATIENCE)
    async with link.open():
        async with asyncio.timeout(20):
            while not link.is_attached:
                await asyncio.sleep(0.01)
        server.send(signal.SIGSTOP)
    assert not link.is_attached


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_certificate_of_nobody_is_refused(
    port: int, certificate: Path, host: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A certificate of an unknown authority, or of another name, is refused, and the log says so."""
    known = ssl.create_default_context(cafile=certificate if host == "localhost" else None)
    link = RedisLink(Server(f"rediss://{host}:{port}", lambda: LOGIN, known), PATIENCE)
    async with link.open():
        assert not link.is_attached
        with pytest.raises(StoreFailed):
            await RedisIndexLog(link, rights.PREFIX, "shared").lead()
    assert {"unreachable"} == set(link.failures)
    assert "certificate" in caplog.text
    assert rights.PASSWORD not in caplog.text
