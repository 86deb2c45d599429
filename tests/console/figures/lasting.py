"""What a page costs while it is left open: bytes of an idle tab, and memory after an hour of updates."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any, Final
from urllib.parse import urlsplit

from tests.bench.machine import Server
from tests.console.figures.measure import Bench, Figure, painted, watch
from tests.console.figures.tables import ROWS
from tests.console.many import all_read, service_over
from tests.fakes.mlflow import FakeMlflow

IDLE_SECONDS: Final = 60
UPDATES: Final = 3_600  # one a second, for an hour
_HIDE: Final = """() => {
  Object.defineProperty(document, "hidden", { get: () => true });
  Object.defineProperty(document, "visibilityState", { get: () => "hidden" });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
_MEBIBYTE: Final = 2**20


class Wire:
    """A TCP forwarder that counts what passes, in both directions."""

    def __init__(self, port: int) -> None:
        self.bytes = 0
        self._port = port

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[int]:
        """Listen; the port."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        async with server:
            yield server.sockets[0].getsockname()[1]

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner, outer = await asyncio.open_connection("127.0.0.1", self._port)
        await asyncio.gather(self._copy(reader, outer), self._copy(inner, writer))

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while part := await reader.read(65_536):
                self.bytes += len(part)
                writer.write(part)
                await writer.drain()
        writer.close()


async def idle(bench: Bench) -> Sequence[Figure]:
    """An hour of open tabs and of hidden ones, from a minute of each, while nothing changes."""
    async with FakeMlflow().serve() as mlflow, AsyncExitStack() as stack:
        for number in range(100):
            mlflow.add_run(metrics={"oos_sharpe": number / 10}, end_time=1_700_000_900_000)
        active = mlflow.add_run(status="RUNNING", metrics={"oos_sharpe": 1.0})
        service = service_over(bench.folder, Server("fake", mlflow.url, 0, 0.0), "idle")
        address = stack.enter_context(service)
        # In a thread, since the fake MLflow answers from this loop.
        await asyncio.to_thread(all_read, address)
        runs = await _left_open(bench, address, "runs", ROWS)
        run = await _left_open(bench, address, f"run?id={active}", ".run-facts")
    return [
        Figure("idle tab, an hour", runs[0], "kB", 20, note="both directions, with headers"),
        Figure("hidden tab, an hour", runs[1], "kB", 0),
        Figure("idle tab of a run that goes on, an hour", run[0], "kB", 20),
        Figure("hidden tab of a run that goes on, an hour", run[1], "kB", 0),
    ]


async def _left_open(bench: Bench, address: str, page: str, selector: str) -> tuple[float, float]:
    """Kilobytes of an hour of a page: shown, and hidden."""
    async with AsyncExitStack() as stack:
        wire = Wire(urlsplit(address).port or 0)
        port = await stack.enter_async_context(wire.serve())
        watched = await bench.page(stack, f"http://127.0.0.1:{port}/console/", watch("page", selector))
        await watched.go(page)
        await painted(watched, "page")
        shown = await _an_hour(wire)
        await watched.page.evaluate(_HIDE)
        return shown, await _an_hour(wire)


async def _an_hour(wire: Wire) -> float:
    await asyncio.sleep(5)  # what came with the change itself
    before = wire.bytes
    await asyncio.sleep(IDLE_SECONDS)
    return (wire.bytes - before) * 3_600 / IDLE_SECONDS / 1_000


async def memory(bench: Bench) -> Sequence[Figure]:
    """The heap with 10,000 runs, and what an update a second adds in an hour, told 50 times as fast."""
    async with FakeMlflow(pretty=False).serve() as mlflow, AsyncExitStack() as stack:
        dice = random.Random(0)
        running = [_add(mlflow, dice, number) for number in range(10_000)][-20:]
        settings = {"INDEX__TICK": "0.5"}
        service = service_over(bench.folder, Server("fake", mlflow.url, 0, 0.0), "memory", **settings)
        address = stack.enter_context(service)
        # In a thread, since the fake MLflow answers from this loop.
        await asyncio.to_thread(all_read, address)
        watched = await bench.page(stack, f"{address}console/", watch("table", ROWS))
        await watched.go("runs")
        await painted(watched, "table")
        await _scrolled(watched.page)
        tools = await watched.page.context.new_cdp_session(watched.page)
        before, first = await _heap(tools), await _first_row(watched.page)
        for number in range(UPDATES):
            mlflow.log(
                running[number % len(running)],
                "metric_0",
                [(number, 1_700_000_000_000 + number, dice.random())],
            )
            await asyncio.sleep(0.02)
        after, last = await _heap(tools), await _first_row(watched.page)
    grown = f"{after - before:+.1f} MB" if last != first else "the table shows none of the updates"
    return [Figure("heap with 10,000 runs, after an hour of updates", after, "MB", 80, note=grown)]


def _add(mlflow: FakeMlflow, dice: random.Random, number: int) -> str:
    is_running = number >= 9_980
    return mlflow.add_run(
        run_id=f"{number:032x}",
        name=f"training-{number}",
        status="RUNNING" if is_running else "FINISHED",
        end_time=None if is_running else 1_700_000_000_000 + number * 1_000 + 900_000,
        start_time=1_700_000_000_000 + number * 1_000,
        metrics={f"metric_{key}": dice.random() for key in range(12)},
        params={f"param_{key}": str(dice.randrange(9)) for key in range(10)},
        tags={"strategy_id": f"s{number % 40}", "run_type": "training"},
    )


async def _scrolled(page: Any) -> None:
    """All rows have been read."""
    await page.evaluate("""async () => {
      const region = document.querySelector(".runs-region");
      for (let top = 0; top < 10000 * 28; top += 400) {
        region.scrollTop = top;
        await new Promise(requestAnimationFrame);
      }
      region.scrollTop = 0;
    }""")
    await page.locator(ROWS).first.wait_for()


async def _first_row(page: Any) -> str:
    return str(await page.locator(ROWS).first.inner_text())


async def _heap(tools: Any) -> float:
    """Megabytes that are in use after a garbage collection."""
    await tools.send("HeapProfiler.enable")
    await tools.send("HeapProfiler.collectGarbage")
    return float((await tools.send("Runtime.getHeapUsage"))["usedSize"]) / _MEBIBYTE
