"""What a researcher decides by, over 100,000 runs in memory: selection, drivers and lineage, through HTTP."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Final

from tests.bench import sides
from tests.bench.client import client
from tests.bench.load import Question, Spread
from tests.bench.machine import Server
from tests.bench.report import Findings, Row, at_most
from tests.bench.rows.bench import Bench
from tests.bench.rows.indexed import indexed, number_of_runs, wait_until_complete
from tests.bench.rows.questions import TRACKING
from tests.bench.scraped import loop_lag_p99_ms, scrape
from tests.bench.trials import SESSION, STRATEGY

_LAG_MS: Final = 10.0
_OF_STRATEGY: Final = f"{TRACKING}/strategies/{STRATEGY}"
# The question of a number, which is another one each time, and the milliseconds that it may take.
_ASKED: Final[Mapping[str, tuple[str, float]]] = {
    "selection of 2,000 trials with 50 params": (
        f"{_OF_STRATEGY}/selection?metric=oos_sharpe&alpha=0.05{{:04}}",
        300.0,
    ),
    "drivers of 2,000 trials with 50 params": (
        f"{_OF_STRATEGY}/drivers?metric=oos_sharpe&filter=start_time%20%3E%20{{}}",
        300.0,
    ),
    "lineage of a session of 200 runs": (f"{TRACKING}/lineage?ref={SESSION[:-3]}{{:03}}", 50.0),
}


def analysis(bench: Bench) -> Findings:
    """Each by itself, and how long others waited meanwhile."""
    with ExitStack() as stack:
        upstream = stack.enter_context(
            sides.scale_upstream(bench.folder, "trials", runs=number_of_runs(bench), scale=0.0, trials=1)
        )
        service = stack.enter_context(indexed(bench, upstream))
        wait_until_complete(service)
        return Findings([*_rows(service, bench.pick(20, 5))])


def _rows(service: Server, times: int) -> Iterator[Row]:
    for name, (path, most) in _ASKED.items():
        before = scrape(service)
        taken = asyncio.run(_timed(service, path, times))
        lag = loop_lag_p99_ms(before, scrape(service))
        wanted, shown, met = at_most(Spread.of(taken), most, " ms")
        yield Row(
            name, f"p50 {statistics.median(taken):.0f} ms", wanted, shown, met=met, figures={"ms": taken}
        )
        wanted, shown, met = at_most(Spread(*[lag] * 3), _LAG_MS, " ms")
        yield Row(f"lag of the event loop meanwhile, p99: {name}", f"{lag:.1f} ms", wanted, shown, met=met)


async def _timed(service: Server, path: str, times: int) -> list[float]:
    """Milliseconds of each; what is asked first is not counted."""
    async with client(service) as caller:
        await caller.ask(Question(path.format(0)))
        return [await caller.timed(Question(path.format(number))) * 1_000 for number in range(1, times + 1)]
