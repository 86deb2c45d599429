"""A thousand streams of events: how late they hear, what they take, and what they cost hot routes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import ExitStack

from tests.bench import sides
from tests.bench.listeners import listening
from tests.bench.load import Question, Spread, cpu_ratio, rate_ratio, rounds
from tests.bench.machine import Server
from tests.bench.report import Findings, Row, at_least, at_most
from tests.bench.rows.bench import Bench
from tests.bench.rows.hot import RUNS, hot_questions, in_json, summary
from tests.bench.rows.indexed import wait_until_complete

_STREAMS, _FEW = 1_000, 100
_PATIENCE = 300.0  # seconds; a look each two seconds takes far less
_HEARD = 6.0  # seconds in which each stream is sent events, and a comment
_LATE_MS = 300.0
_KB_A_STREAM = 60.0
_OF_WITHOUT = 0.9
_ACTIVE = 5  # runs that change with each look of the index, two seconds apart


def events(bench: Bench) -> Findings:
    """All streams are of one replica, and have no filter."""
    with ExitStack() as stack:
        upstream = stack.enter_context(sides.fake(bench.folder, runs=RUNS, active=_ACTIVE))
        service = stack.enter_context(sides.service(bench.folder, upstream, INDEX__SHARE="1"))
        without = stack.enter_context(sides.service(bench.folder, upstream, "without", INDEX__SHARE="1"))
        wait_until_complete(service)
        questions = hot_questions(service)
        hot = {name: questions[name] for name in ("hot detail", "hot list of 50")}
        rows = [asyncio.run(_memory(service)), asyncio.run(_heard(bench, service))]
        rows += asyncio.run(_beside(bench, service, without, hot))
    return Findings(rows)


async def _heard(bench: Bench, service: Server) -> Row:
    async with listening(service, _STREAMS) as listeners:
        async with asyncio.timeout(_PATIENCE):
            while len(listeners.latencies) < _STREAMS * _ACTIVE * bench.pick(15, 3):
                await asyncio.sleep(0.1)
        late = sorted(1_000 * seconds for seconds in listeners.latencies)
        ended = listeners.ended
    p50, p99 = late[len(late) // 2], late[len(late) * 99 // 100]
    wanted, shown, met = at_most(Spread(p99, p50, late[-1]), _LATE_MS, " ms")
    return Row(
        f"{_STREAMS:,} streams: from MLflow's answer to the index to the event, p99",
        f"{len(late):,} events; p50 {p50:.0f} ms, p99 {p99:.0f} ms, latest {late[-1]:.0f} ms",
        wanted,
        shown,
        met=met and not ended,
        figures={"events": len(late), "p50_ms": p50, "p99_ms": p99, "max_ms": late[-1], "ended": ended},
    )


async def _beside(
    bench: Bench, service: Server, without: Server, questions: Mapping[str, Question]
) -> Sequence[Row]:
    rows = list[Row]()
    async with listening(service, _STREAMS):
        for name, question in questions.items():
            loads = await rounds([service, without], question, bench.plan(11, 3))
            mine, theirs = loads[service.name], loads[without.name]
            wanted, shown, met = at_least(rate_ratio(mine, theirs), _OF_WITHOUT, " of without")
            rows.append(
                Row(
                    f"{name}, beside {_STREAMS:,} streams",
                    f"{summary(mine)}; without {summary(theirs)}",
                    wanted,
                    shown,
                    f"{cpu_ratio(mine, theirs):.2f}",
                    met,
                    {"with": in_json(mine), "without": in_json(theirs)},
                )
            )
    return rows


async def _memory(service: Server) -> Row:
    """To be measured before all else: memory that other streams have left behind is used again."""
    async with listening(service, _FEW):
        await asyncio.sleep(_HEARD)
        before = service.rss_bytes()
        async with listening(service, _STREAMS - _FEW):
            await asyncio.sleep(_HEARD)
            after = service.rss_bytes()
    size = (after - before) / (_STREAMS - _FEW) / 1_000
    wanted, shown, met = at_most(Spread(size, size, size), _KB_A_STREAM, " kB")
    return Row(
        "memory of a stream",
        f"RSS {before / 2**20:.0f} MiB with {_FEW} streams, {after / 2**20:.0f} MiB with {_STREAMS:,}",
        wanted,
        shown,
        met=met,
        figures={"before": before, "after": after},
    )
