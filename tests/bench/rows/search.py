"""Searches over 100,000 runs in memory: how long each kind takes, and what it costs."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from urllib.parse import urlencode

from tests.bench import sides
from tests.bench.client import calls, client, forget_calls
from tests.bench.load import Load, Question, Spread, put, put_many
from tests.bench.machine import Server
from tests.bench.report import Findings, Row, at_least, at_most
from tests.bench.rows import search_questions
from tests.bench.rows.bench import CONNECTIONS, Bench
from tests.bench.rows.hot import in_json, summary
from tests.bench.rows.indexed import (
    indexed,
    number_of_runs,
    total_of,
    wait_for_a_snapshot,
    wait_until_complete,
)
from tests.bench.rows.questions import TRACKING
from tests.bench.rows.search_questions import KINDS, ROWS, Ask
from tests.bench.scraped import loop_lag_p99_ms, scrape

_P50_MS = 3.0
_P99_MS = 15.0
_FIELDS_P99_MS = 40.0
_LAG_MS = 10.0
_MEMORY = 100 * 2**20  # bytes
_COLD_RATE = 400
_HOT_RATE = 5_000
_RESTART_SECONDS = 3.0
_MOST_COLD = 4_000  # a second; so many questions are at hand
_DEPTH = 50  # pages of 1,000 rows before the deep pages begin


def search(bench: Bench) -> Findings:
    """The first read, a restart with the snapshot, memory, and each kind of question, through HTTP."""
    runs = number_of_runs(bench)
    with ExitStack() as stack:
        upstream = stack.enter_context(sides.scale_upstream(bench.folder, runs=runs, scale=0.0))
        with sides.service(bench.folder, upstream, "without", INDEX__ENABLED="false") as without:
            asyncio.run(_open_connections(without))
            idle = without.rss_bytes()
        with indexed(bench, upstream, "first") as first:
            rows = [_first_read(first, upstream, runs)]
            wait_for_a_snapshot(first)
        asyncio.run(forget_calls(upstream))
        service = stack.enter_context(indexed(bench, upstream))
        rows.append(_restart(service, upstream, runs))
        rows.append(_memory(service, idle, runs))
        rows += _kinds(bench, service)
        rows += _throughput(bench, service)
    return Findings(rows)


async def _open_connections(service: Server) -> None:
    async with client(service) as caller:
        await caller.ask(Question("livez"))


def _first_read(service: Server, upstream: Server, runs: int) -> Row:
    seconds = wait_until_complete(service)
    asked = asyncio.run(calls(upstream))
    _check_total(service, runs)
    return Row(
        f"first read of {runs:,} runs, from an upstream that takes no time",
        f"{seconds:.1f} s; {sum(asked.values())} calls",
        figures={"seconds": seconds, "calls": asked},
    )


def _restart(service: Server, upstream: Server, runs: int) -> Row:
    seconds = wait_until_complete(service)
    asked = asyncio.run(calls(upstream))
    _check_total(service, runs)
    wanted, shown, met = at_most(Spread(*[seconds] * 3), _RESTART_SECONDS, " s")
    return Row(
        f"restart with a snapshot of {runs:,} runs, to the first search",
        f"{seconds:.2f} s; calls: {', '.join(f'{name} {count}' for name, count in asked.items()) or 'none'}",
        wanted,
        shown,
        met=met,
        figures={"seconds": seconds, "calls": asked},
    )


def _check_total(service: Server, runs: int) -> None:
    if (total := total_of(service)) != runs:
        raise RuntimeError(f"{service.name} finds {total} runs and not {runs}")


def _memory(service: Server, idle: int, runs: int) -> Row:
    """After each kind was asked once, so that what is kept for an order or a text is there."""
    asyncio.run(_ask_each(service))
    over = (service.rss_bytes() - idle) / 2**20
    wanted, shown, met = at_most(Spread(*[over] * 3), _MEMORY / 2**20, " MiB")
    return Row(
        f"memory with {runs:,} runs in the index, above the service without",
        f"{over:.0f} MiB, {over * 2**20 / runs:.0f} bytes a run; without {idle / 2**20:.0f} MiB",
        wanted,
        shown,
        met=met,
        figures={"over_mib": over, "idle": idle},
    )


async def _ask_each(service: Server) -> None:
    async with client(service) as caller:
        for question in [*(kind.question(9_000) for kind in KINDS), search_questions.grouping(9_000)]:
            await caller.ask(question)


def _kinds(bench: Bench, service: Server) -> Iterator[Row]:
    """One caller, one question after the other; the loop's lag is the service's own figure meanwhile."""
    number = bench.pick(300, 50)
    before = scrape(service)
    for kind in KINDS:
        taken = asyncio.run(_timed(service, [kind.question(one) for one in range(number)]))
        yield _kind_row(kind.name, taken, kind.p99_ms)
    yield _kind_row("deep page", asyncio.run(_deep_pages(service, number)), _P99_MS)
    grouped = [search_questions.grouping(one) for one in range(number)]
    yield _kind_row("groups of 200 strategies, three metrics", asyncio.run(_timed(service, grouped)), _P99_MS)
    listed = [search_questions.listing(one) for one in range(number)]
    yield _kind_row("the fields of all runs", asyncio.run(_timed(service, listed)), _FIELDS_P99_MS)
    lag = loop_lag_p99_ms(before, scrape(service))
    wanted, shown, met = at_most(Spread(*[lag] * 3), _LAG_MS, " ms")
    yield Row("lag of the event loop meanwhile, p99", f"{lag:.1f} ms", wanted, shown, met=met)


def _kind_row(name: str, taken: Sequence[float], most: float) -> Row:
    p50, p99 = statistics.median(taken), statistics.quantiles(taken, n=100)[-1]
    return Row(
        f"search, {name}",
        f"p50 {p50:.2f} ms, p99 {p99:.2f} ms",
        f"p50 ≤ {_P50_MS:g} ms, p99 ≤ {most:g} ms" if most <= _P99_MS else f"p99 ≤ {most:g} ms",
        f"{p50:.2f}, {p99:.2f}",
        met=(p50 <= _P50_MS or most > _P99_MS) and p99 <= most,
        figures={"ms": list(taken)},
    )


async def _timed(service: Server, asked: Sequence[Question]) -> list[float]:
    """Milliseconds of each."""
    async with client(service) as caller:
        await caller.ask(Question("livez"))
        return [await caller.timed(question) * 1_000 for question in asked]


async def _deep_pages(service: Server, number: int) -> list[float]:
    """One page after the other, from the middle of all runs on."""
    asked = Ask(order_by="metrics.oos_sharpe DESC")
    taken = list[float]()
    async with client(service) as caller:
        token = ""
        for _ in range(_DEPTH):
            large = _page(asked, token, page_size="1000")
            token = json.loads(await caller.ask(large))["next_page_token"] or token
        for _ in range(number):
            began = time.perf_counter()
            body = await caller.ask(_page(asked, token))
            taken.append((time.perf_counter() - began) * 1_000)
            token = json.loads(body)["next_page_token"] or token
    return taken


def _page(asked: Ask, token: str, page_size: str = str(ROWS)) -> Question:
    query = {"order_by": asked.order_by, "page_size": page_size} | ({"page_token": token} if token else {})
    return Question(f"{TRACKING}/runs/search?{urlencode(query)}")


def _throughput(bench: Bench, service: Server) -> Iterator[Row]:
    seconds, turns = bench.pick(5, 2), bench.pick(3, 1)
    several = search_questions.cold(_MOST_COLD * seconds * turns)
    size = _MOST_COLD * seconds
    loads = [
        asyncio.run(put_many(service, several[turn * size : (turn + 1) * size], seconds, CONNECTIONS))
        for turn in range(turns)
    ]
    yield _rate_row("searches of all kinds, each another one", loads, _COLD_RATE)
    hot = KINDS[0].question(0)
    loads = [asyncio.run(put(service, hot, seconds, CONNECTIONS)) for _ in range(turns)]
    yield _rate_row("the same search again and again", loads, _HOT_RATE)


def _rate_row(name: str, loads: Sequence[Load], target: float) -> Row:
    wanted, shown, met = at_least(Spread.of(load.rate for load in loads), target, "/s")
    return Row(name, summary(loads), wanted, shown, met=met, figures={"loads": in_json(loads)})
