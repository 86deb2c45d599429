"""What the index costs others: callers of the six routes, and MLflow."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from typing import NamedTuple

from tests.bench import sides
from tests.bench.client import calls, client, forget_calls, seconds_worked
from tests.bench.load import Load, Question, Spread, cpu_ratio, put, rate_ratio
from tests.bench.machine import Server, free_port
from tests.bench.report import Findings, Row, at_least, at_most
from tests.bench.rows.bench import Bench
from tests.bench.rows.hot import hot_questions, in_json, summary
from tests.bench.rows.indexed import indexed, number_of_runs, wait_for_a_snapshot, wait_until_complete
from tests.bench.rows.search_questions import KINDS
from tests.bench.scale import runs_of

_OF_WITHOUT = 0.9
_RATE = 20  # searches a second
_SHARE = 0.1
_CALLS_A_TICK = 3
_TICK = 2.0  # seconds: TRACKING_INDEX__TICK by default
_IDLE_CALLS = 2  # a minute


def search_beside(bench: Bench) -> Findings:
    """What is hot, of a service whose index is kept in step and searched, against one without an index."""
    runs = number_of_runs(bench)
    with ExitStack() as stack:
        upstream = stack.enter_context(sides.scale_upstream(bench.folder, runs=runs, scale=0.0))
        without = stack.enter_context(
            sides.service(bench.folder, upstream, "without", INDEX__ENABLED="false")
        )
        service = stack.enter_context(indexed(bench, upstream))
        wait_until_complete(service)
        ended = [run.run_id for run in runs_of(runs) if run.is_terminal][-10:]
        rows = [
            _beside(bench, name, question, service, without)
            for name, question in hot_questions(service, ended).items()
        ]
    return Findings(rows)


def _beside(bench: Bench, name: str, question: Question, service: Server, without: Server) -> Row:
    mine, theirs = asyncio.run(_rounds(bench, question, service, without))
    wanted, shown, met = at_least(rate_ratio(mine, theirs), _OF_WITHOUT, " of without")
    return Row(
        f"{name}, beside {_RATE} searches a second",
        f"{summary(mine)}; without {summary(theirs)}",
        wanted,
        shown,
        f"{cpu_ratio(mine, theirs):.2f}",
        met,
        {"indexed": in_json(mine), "without": in_json(theirs)},
    )


async def _rounds(
    bench: Bench, question: Question, service: Server, without: Server
) -> tuple[list[Load], list[Load]]:
    """Load on each in turn; the one with an index is searched meanwhile."""
    plan = bench.plan(11, 3)
    mine, theirs = list[Load](), list[Load]()
    numbers = itertools.count()
    await put(without, question, 1, plan.connections)
    for _ in range(plan.turns):
        theirs.append(await put(without, question, plan.seconds, plan.connections))
        searching = asyncio.create_task(_search(service, numbers))
        mine.append(await put(service, question, plan.seconds, plan.connections))
        searching.cancel()
        with suppress(asyncio.CancelledError):
            await searching
    return mine, theirs


async def _search(service: Server, numbers: itertools.count[int], rate: float = _RATE) -> None:
    """Searches of all kinds, each another one, so many a second, until cancelled."""
    asking = set[asyncio.Task[bytes]]()
    async with client(service) as caller:
        try:
            for number in numbers:
                asking.add(asyncio.create_task(caller.ask(KINDS[number % len(KINDS)].question(number))))
                done = {task for task in asking if task.done()}
                asking -= done
                for task in done:
                    task.result()
                await asyncio.sleep(1 / rate)
        finally:
            await asyncio.gather(*asking)


def search_bill(bench: Bench) -> Findings:
    """What MLflow is asked while somebody searches and while nobody does, over one as slow as a real one."""
    runs, port = number_of_runs(bench), free_port()
    with ExitStack() as stack:
        with (
            sides.scale_upstream(bench.folder, "quick", runs=runs, scale=0.0, port=port) as quick,
            indexed(bench, quick, "first") as first,
        ):
            wait_for_a_snapshot(first)
        upstream = stack.enter_context(sides.scale_upstream(bench.folder, runs=runs, port=port))
        service = stack.enter_context(indexed(bench, upstream))
        wait_until_complete(service)
        busy = asyncio.run(_bill(service, upstream, bench.pick(120, 30), rate=1.0))
        asyncio.run(_bill(service, upstream, bench.pick(120, 60), rate=0.0))  # until it has noticed
        idle = asyncio.run(_bill(service, upstream, bench.pick(240, 60), rate=0.0))
    return Findings(_bill_rows(busy, idle))


class _Bill(NamedTuple):
    """Calls of MLflow by endpoint in so many seconds, and the seconds that MLflow took for them."""

    seconds: float
    calls: dict[str, int]
    worked: float

    @property
    def number(self) -> int:
        return sum(self.calls.values())


async def _bill(service: Server, upstream: Server, seconds: float, rate: float) -> _Bill:
    """What is asked while so many searches a second arrive."""
    await forget_calls(upstream)
    searching = asyncio.create_task(_search(service, itertools.count(50_000), rate)) if rate else None
    began = time.monotonic()
    await asyncio.sleep(seconds)
    bill = _Bill(time.monotonic() - began, await calls(upstream), await seconds_worked(upstream))
    if searching is not None:
        searching.cancel()
        with suppress(asyncio.CancelledError):
            await searching
    return bill


def _bill_rows(busy: _Bill, idle: _Bill) -> Sequence[Row]:
    a_tick = busy.number / (busy.seconds / _TICK)
    share = busy.worked / busy.seconds
    a_minute = idle.number / (idle.seconds / 60)
    return [
        _bill_row(
            "calls of MLflow a tick, the sweep among them, while somebody searches",
            a_tick,
            _CALLS_A_TICK,
            busy,
        ),
        _bill_row("share of the time of one MLflow worker meanwhile", share, _SHARE, busy),
        _bill_row("calls of MLflow a minute while nobody searches", a_minute, _IDLE_CALLS, idle),
    ]


def _bill_row(name: str, figure: float, target: float, bill: _Bill) -> Row:
    wanted, shown, met = at_most(Spread(*[figure] * 3), target)
    asked = ", ".join(f"{endpoint} {count}" for endpoint, count in bill.calls.items()) or "nothing"
    measured = f"in {bill.seconds:.0f} s: {asked}; MLflow worked {bill.worked:.1f} s"
    return Row(name, measured, wanted, shown, met=met, figures=bill._asdict())
