"""How a replica ends: after SIGTERM /readyz answers 503 at once, while requests are still answered."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from service.http.server import SHUTDOWN_SECONDS
from tests.api.listening import EventReader
from tests.api.serving import API
from tests.deploy.balancer import until
from tests.deploy.files import ROOT
from tests.deploy.stub import held
from tests.fakes.mlflow import FakeMlflow
from tests.live.server import free_port

SLACK_SECONDS = 3.0  # what a busy machine may add
ANEW = {"Cache-Control": "no-cache"}


class Service:
    """A process of the service, and a client of it."""

    def __init__(self, process: asyncio.subprocess.Process, port: int, caller: aiohttp.ClientSession) -> None:
        self.process = process
        self.port = port
        self.caller = caller

    async def status(self, path: str) -> int:
        """The status of a GET on a new connection; 0 if nothing listens."""
        try:
            async with self.caller.get(path, headers={"Connection": "close"}) as answer:
                return answer.status
        except aiohttp.ClientConnectionError:
            return 0

    async def says(self, status: int, path: str, within: float = SLACK_SECONDS) -> None:
        """Wait until the status is this one."""

        async def holds() -> bool:
            return await self.status(path) == status

        await until(holds, f"{path} is {status}", within)

    async def ended(self, within: float) -> int:
        """The exit code of the process; TimeoutError if it does not end."""
        async with asyncio.timeout(within):
            return await self.process.wait()


@asynccontextmanager
async def running(directory: Path, mlflow: str, drain_seconds: float) -> AsyncIterator[Service]:
    """The service over this MLflow, once it listens."""
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "MLFLOW_TRACKING_URI": mlflow,
        "TRACKING_PORT": str(port),
        "TRACKING_DRAIN_SECONDS": f"{drain_seconds:g}",
    }
    with (directory / "service.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "service", cwd=ROOT, env=environment, stdout=log, stderr=log
        )
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as caller:
        service = Service(process, port, caller)
        try:
            await service.says(200, "/livez", within=15.0)
            yield service
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def test_requests_are_served_while_it_drains(tmp_path: Path, fake: FakeMlflow) -> None:
    """During the drain /readyz answers 503 and other requests are answered; then the process exits with 0."""
    fake.add_run("0", "abc123")
    async with running(tmp_path, fake.url, drain_seconds=2) as service:
        began = time.monotonic()
        service.process.send_signal(signal.SIGTERM)
        await service.says(503, "/readyz", within=1.0)
        async with service.caller.get(f"{API}/runs/abc123") as answer:
            assert (200, "abc123") == (answer.status, (await answer.json())["run_id"])
            assert "close" == answer.headers["Connection"]
        assert 200 == await service.status("/livez")
        assert 0 == await service.ended(2 + SLACK_SECONDS)
        assert time.monotonic() - began >= 2


async def test_a_request_in_flight_finishes_after_the_socket_has_closed(
    tmp_path: Path, fake: FakeMlflow
) -> None:
    """A request from before the drain's end is answered, while new connections are refused."""
    fake.add_run("0", "abc123")
    released, asked = asyncio.Event(), asyncio.Event()
    async with running(tmp_path, fake.url, drain_seconds=0.3) as service:
        fake.before = held(released, asked)
        asking = asyncio.create_task(service.caller.get(f"{API}/runs/abc123", headers=ANEW))
        await asked.wait()
        service.process.send_signal(signal.SIGTERM)
        await service.says(0, "/livez")
        released.set()
        async with await asking as answer:
            assert (200, "abc123") == (answer.status, (await answer.json())["run_id"])
        assert 0 == await service.ended(SLACK_SECONDS)


async def test_an_endless_request_does_not_delay_the_end(tmp_path: Path, fake: FakeMlflow) -> None:
    """A caller who never sends its body is given up, and the exit code is 0."""
    async with running(tmp_path, fake.url, drain_seconds=0) as service:
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
        head = f"POST {API}/runs/compare HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        writer.write(f"{head}Content-Length: 100\r\nExpect: 100-continue\r\n\r\n".encode())
        assert b"HTTP/1.1 100 Continue\r\n" == await reader.readline()
        service.process.send_signal(signal.SIGTERM)
        assert 0 == await service.ended(SHUTDOWN_SECONDS + SLACK_SECONDS)
        writer.close()


async def test_a_hanging_mlflow_does_not_delay_the_end(tmp_path: Path, fake: FakeMlflow) -> None:
    """An MLflow that never answers delays neither /readyz after SIGTERM nor the end."""
    fake.before = held(asyncio.Event(), asked := asyncio.Event())
    async with running(tmp_path, fake.url, drain_seconds=1) as service:
        await asked.wait()
        service.process.send_signal(signal.SIGTERM)
        await service.says(503, "/readyz", within=1.0)
        assert 0 == await service.ended(1 + SLACK_SECONDS)


async def test_a_second_signal_ends_the_drain(tmp_path: Path, fake: FakeMlflow) -> None:
    """A second signal ends the drain at once."""
    async with running(tmp_path, fake.url, drain_seconds=600) as service:
        service.process.send_signal(signal.SIGTERM)
        await service.says(503, "/readyz")
        service.process.send_signal(signal.SIGTERM)
        assert 0 == await service.ended(SLACK_SECONDS)


async def test_streams_end_within_the_drain(tmp_path: Path, fake: FakeMlflow) -> None:
    """After SIGTERM each stream ends with how long to wait, one by one, and the process ends in time."""
    fake.add_run()
    async with running(tmp_path, fake.url, drain_seconds=2) as service:
        streams = [await streaming(service) for _ in range(20)]
        began = time.monotonic()
        service.process.send_signal(signal.SIGTERM)
        ends = await asyncio.gather(*(end_of(stream, began) for stream in streams))
        assert 0 == await service.ended(2 + SLACK_SECONDS)
    assert max(ends) - min(ends) > 0.3
    assert max(ends) < 2 + SLACK_SECONDS


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
async def test_streams_do_not_delay_the_end(tmp_path: Path, fake: FakeMlflow, sign: signal.Signals) -> None:
    """Ctrl-C ends all streams at once, as SIGTERM does where there is no drain."""
    async with running(tmp_path, fake.url, drain_seconds=0) as service:
        stream = await streaming(service)
        began = time.monotonic()
        service.process.send_signal(sign)
        await end_of(stream, began)
        assert 0 == await service.ended(SLACK_SECONDS)


async def streaming(service: Service) -> aiohttp.ClientResponse:
    """A stream that has told how many runs there are."""
    async with asyncio.timeout(15):
        while True:
            answer = await service.caller.get(f"{API}/events")
            head = await answer.content.readuntil(b"event: ") + await answer.content.readline()
            if head.endswith(b"event: snapshot\n"):
                return answer
            await answer.read()  # the index reads


async def end_of(stream: aiohttp.ClientResponse, began: float) -> float:
    """How many seconds after that a stream ended, which told how long to wait."""
    reader = EventReader()
    reader.feed(await stream.read())
    assert reader.retry is not None
    return time.monotonic() - began
