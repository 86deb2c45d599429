"""Whether those who ask for what is hot feel those who ask for what is cold."""

import asyncio
import itertools
import statistics
from contextlib import ExitStack, suppress
from typing import NamedTuple

from tests.bench import paced, sides
from tests.bench.client import client
from tests.bench.load import Load, Question, Spread, put
from tests.bench.machine import Server
from tests.bench.report import Findings, Row, at_most
from tests.bench.rows import questions
from tests.bench.rows.bench import Bench
from tests.bench.runs import finished, run_id_of
from tests.bench.upstream import unseen

_RUNS = 1_000
_CONNECTIONS = 8
_RATE = 500  # requests a second, one behind the other whether or not the ones before were answered
_TARGET = 3.0


class _Turns(NamedTuple):
    """p99 of the hot requests in milliseconds, turn by turn, and cold lists a second meanwhile."""

    alone: list[float]
    beside: list[float]
    cold_rate: list[float]


def tail(bench: Bench) -> Findings:
    """p99 of hot detail alone and while one cold list of 100 after the other arrives.

    Once with wrk, which asks again as soon as it is answered and so asks less while the service is busy, and
    once at a constant rate, where every wait is seen.
    """
    with ExitStack() as stack:
        upstream = stack.enter_context(sides.fake(bench.folder, runs=_RUNS, latency=0.02))
        service = stack.enter_context(sides.service(bench.folder, upstream))
        hot = questions.detail(finished(1, [run_id_of(number) for number in range(_RUNS)])[0])
        wrk = asyncio.run(_with_wrk(bench, service, hot))
        rate = asyncio.run(_at_a_rate(bench, service, hot))
    return Findings(
        [
            _row(f"p99 of hot detail beside cold lists, wrk with {_CONNECTIONS} connections", wrk),
            _row(f"p99 of hot detail beside cold lists, {_RATE} a second", rate),
        ]
    )


def _row(name: str, turns: _Turns) -> Row:
    ratio = Spread.of(one / other for one, other in zip(turns.beside, turns.alone, strict=True))
    wanted, shown, met = at_most(ratio, _TARGET)
    return Row(
        name,
        f"{statistics.median(turns.beside):.2f} ms; alone {statistics.median(turns.alone):.2f} ms; "
        f"{statistics.median(turns.cold_rate):.0f} cold lists/s",
        f"{wanted} times alone",
        shown,
        met=met,
        figures=turns._asdict(),
    )


async def _with_wrk(bench: Bench, service: Server, hot: Question) -> _Turns:
    turns = _Turns([], [], [])
    seconds = bench.pick(4, 3)
    await put(service, hot, 1, _CONNECTIONS)
    for turn in range(bench.pick(5, 1)):
        turns.alone.append((await put(service, hot, seconds, _CONNECTIONS)).p99_ms)
        cold = asyncio.create_task(_cold_lists(service, turn))
        load: Load = await put(service, hot, seconds, _CONNECTIONS)
        turns.beside.append(load.p99_ms)
        turns.cold_rate.append(await _stopped(cold) / seconds)
    return turns


async def _at_a_rate(bench: Bench, service: Server, hot: Question) -> _Turns:
    turns = _Turns([], [], [])
    seconds = bench.pick(4, 3)
    for turn in range(bench.pick(5, 1)):
        turns.alone.append(await paced.p99_ms(service, hot, _RATE, seconds))
        cold = asyncio.create_task(_cold_lists(service, turn + 100))
        turns.beside.append(await paced.p99_ms(service, hot, _RATE, seconds))
        turns.cold_rate.append(await _stopped(cold) / seconds)
    return turns


async def _cold_lists(service: Server, turn: int) -> int:
    """Lists that nobody asked for before, one after the other, until cancelled."""
    number = 0
    async with client(service) as caller:
        with suppress(asyncio.CancelledError):
            for number in itertools.count(turn * 100_000):
                await caller.ask(questions.runs(100, strategy_id=unseen(number)))
    return number - turn * 100_000


async def _stopped(task: asyncio.Task[int]) -> int:
    task.cancel()
    return await task
