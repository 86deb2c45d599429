"""What the promises are measured with."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")
_PATIENCE = 5.0  # seconds
_LOOK = 0.01
_TICK = 0.005


async def eventually(
    holds: Callable[[], bool], otherwise: Callable[[], str], patience: float = _PATIENCE
) -> None:
    """Look until a condition holds; AssertionError where it does not in time."""
    until = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < until, otherwise()
        await asyncio.sleep(_LOOK)


def descriptors(pid: int | str = "self") -> int:
    """Open files and sockets of a process."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def resident(pid: int | str = "self") -> int:
    """Bytes of memory that a process has."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE


def starved(*pids: int) -> float:
    """Seconds for which processes were ready to run, and others ran; 0 where the system does not say.

    What a busy machine takes from a measurement. https://docs.kernel.org/scheduler/sched-stats.html
    """
    return sum(_waited(Path(f"/proc/{pid}/schedstat")) for pid in pids) / 1e9


def _waited(file: Path) -> int:
    try:
        return int(file.read_text().split()[1])
    except OSError:
        return 0


def quantile(figures: Sequence[float], part: float) -> float:
    """The figure below which this part of all lies; there is at least one."""
    known = sorted(figures)
    return known[min(len(known) - 1, int(part * len(known)))]


@asynccontextmanager
async def loop_lag() -> AsyncIterator[list[float]]:
    """Seconds by which the event loop was late, looked at every few milliseconds while the context lasts.

    Without those in which the machine let others run.
    """
    lags: list[float] = []
    own = os.getpid()

    async def watch() -> None:
        while True:
            began = time.perf_counter() - starved(own)
            await asyncio.sleep(_TICK)
            lags.append(max(0.0, time.perf_counter() - starved(own) - began - _TICK))

    watching = asyncio.create_task(watch())
    try:
        yield lags
    finally:
        watching.cancel()
