"""Replicas that share a store: what they cost MLflow together, and what the store costs a caller."""

import asyncio
import itertools
import statistics
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack

from tests.bench import sides
from tests.bench.client import calls, client, forget_calls, interleaved
from tests.bench.load import Load, Question, Spread, cpu_ratio, rate_ratio, rounds
from tests.bench.machine import Server
from tests.bench.report import Findings, Row, at_least, at_most
from tests.bench.rows import questions
from tests.bench.rows.bench import Bench
from tests.bench.rows.browsing import browse
from tests.bench.rows.hot import hot_questions, in_json, same_answer, summary
from tests.bench.runs import finished, run_id_of

_RUNS = 1_000
_REPLICAS = 3
_LATENCY = 0.05  # seconds
_MOST_CALLS = 1.1  # times those of one replica
_OF_WITHOUT = 0.97
_OVER_MS = 1.5
_CONNECTIONS = 100
_NO = "false"  # no index: nothing but callers asks MLflow


def fleet(bench: Bench) -> Findings:
    """One bill for three replicas, hot answers with a store and without, and answers only the store has."""
    with ExitStack() as stack:
        store = stack.enter_context(sides.store(bench.folder))
        upstream = stack.enter_context(sides.fake(bench.folder, runs=_RUNS, latency=_LATENCY))
        replicas = [
            stack.enter_context(
                sides.service(
                    bench.folder, upstream, f"replica-{number}", STORE__URL=store, INDEX__ENABLED=_NO
                )
            )
            for number in range(_REPLICAS)
        ]
        without = stack.enter_context(sides.service(bench.folder, upstream, "without", INDEX__ENABLED=_NO))
        rows = [_bill(bench, upstream, replicas, without)]
        rows += _hot(bench, replicas[0], without)
        rows.append(_remembered(bench, replicas))
    return Findings(rows)


def _bill(bench: Bench, upstream: Server, replicas: Sequence[Server], one: Server) -> Row:
    users, polls = bench.pick(300, 60), bench.pick(6, 1)
    answers, alone = asyncio.run(_browsed(upstream, [one], users, polls))
    _, together = asyncio.run(_browsed(upstream, replicas, users, polls))
    ratio = together / alone
    wanted, shown, met = at_most(Spread(ratio, ratio, ratio), _MOST_CALLS, " times")
    return Row(
        f"browsing trace, {users} users over {len(replicas)} replicas that share a store",
        f"{answers:,} requests; calls of MLflow: {together:,}, of one replica {alone:,}",
        wanted,
        shown.partition(" (")[0],
        met=met,
        figures={"requests": answers, "together": together, "one": alone},
    )


async def _browsed(upstream: Server, replicas: Sequence[Server], users: int, polls: int) -> tuple[int, int]:
    """How many answers users had who ask one replica after the other, and the calls that it took."""
    await forget_calls(upstream)
    async with AsyncExitStack() as stack:
        callers = [
            await stack.enter_async_context(client(replica, connections=users)) for replica in replicas
        ]
        turns = itertools.cycle(callers)
        times = await browse(lambda question: next(turns).ask(question), users, polls)
    return len(times), sum((await calls(upstream)).values())


def _hot(bench: Bench, replica: Server, without: Server) -> Iterator[Row]:
    """Each question for itself, and all of them together.

    On a shared host a round of one second tells two equal servers apart by a tenth, and the median of one
    question's rounds by some hundredths. Only the rounds of all questions can tell 0.97 from 1.
    """
    all_mine, all_theirs = list[Load](), list[Load]()
    for name, question in hot_questions(replica).items():
        same_answer([replica, without], question)
        loads = asyncio.run(rounds([replica, without], question, bench.plan(21, 3)))
        mine, theirs = loads[replica.name], loads[without.name]
        all_mine += mine
        all_theirs += theirs
        yield Row(
            f"{name}, with a store",
            f"{summary(mine)}; without {summary(theirs)}",
            shown=f"{rate_ratio(mine, theirs):.2f}",
            by_cpu=f"{cpu_ratio(mine, theirs):.2f}",
            figures={"with": in_json(mine), "without": in_json(theirs)},
        )
    wanted, shown, met = at_least(rate_ratio(all_mine, all_theirs), _OF_WITHOUT, " of without")
    by_cpu = f"{cpu_ratio(all_mine, all_theirs):.2f}"
    yield Row("all hot answers, with a store", f"{len(all_mine)} rounds", wanted, shown, by_cpu, met)


def _remembered(bench: Bench, replicas: Sequence[Server]) -> Row:
    """One replica asks for all, another gets them from the store, in turn with what it remembers.

    They are of the older runs, which no list of the users' has brought.
    """
    known = finished(bench.pick(450, 100), [run_id_of(number) for number in range(_RUNS // 2)])
    asked = [questions.detail(run_id) for run_id in known]
    stored, hot = asyncio.run(_timed(replicas[0], replicas[1], asked))
    p50, p50_hot = (1_000 * statistics.median(seconds) for seconds in (stored, hot))
    wanted, shown, met = at_most(Spread(*[p50 - p50_hot] * 3), _OVER_MS, " ms more")
    return Row(
        "detail that only the store remembers",
        f"p50 {p50:.2f} ms; hot {p50_hot:.2f} ms",
        wanted,
        shown.partition(" (")[0],
        met=met,
        figures={"stored": stored, "hot": hot},
    )


async def _timed(first: Server, second: Server, asked: Sequence[Question]) -> tuple[list[float], list[float]]:
    hot = asked[0]
    async with client(first) as one, client(second, _CONNECTIONS) as other:
        for question in asked:
            await one.ask(question)
        await other.ask(hot)
        return await interleaved((other, asked[1:]), (other, [hot] * (len(asked) - 1)))
