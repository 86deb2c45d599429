"""What the rows share: where files go, how long to measure, the upstreams that take long to fill."""

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from tests.bench import sides
from tests.bench.load import Plan
from tests.bench.machine import Server
from tests.bench.runs import write_runs

CONNECTIONS = 32  # enough to keep a server busy, few enough to wait for little


class Seeded(NamedTuple):
    """A real upstream with runs in it; their ids, oldest first."""

    server: Server
    run_ids: list[str]


class Bench:
    """quick: fewer rounds, fewer runs; the figures are rougher. stack: ends what was started."""

    def __init__(self, folder: Path, stack: ExitStack, *, quick: bool) -> None:
        self.folder = folder
        self.quick = quick
        self._stack = stack

    def pick(self, full: int, quick: int) -> int:
        """A number for a full run or a quick one."""
        return quick if self.quick else full

    def some(self, *numbers: int) -> Sequence[int]:
        """The points of a growth table: all of them, or the first and the last for a quick run."""
        return (numbers[0], numbers[-1]) if self.quick else numbers

    def plan(self, turns: int, quick_turns: int, connections: int = CONNECTIONS) -> Plan:
        """How to put load on the sides of a row: in many short turns.

        What else a shared host does comes and goes by the second, and should meet all sides alike.
        """
        if self.quick:
            return Plan(quick_turns, 1, connections, warm_up=False)
        return Plan(turns, 1, connections)

    @cached_property
    def mlflow(self) -> Seeded:
        """A real MLflow, 1,000 runs in it."""
        server = self._stack.enter_context(sides.mlflow(self.folder))
        return Seeded(server, asyncio.run(write_runs(server.url, self.pick(1_000, 100))))

    @cached_property
    def fasttrackml(self) -> Seeded | None:
        """FastTrackML with as many, where it is installed."""
        server = self._stack.enter_context(sides.fasttrackml(self.folder))
        if server is None:
            return None
        return Seeded(server, asyncio.run(write_runs(server.url, self.pick(1_000, 100))))
