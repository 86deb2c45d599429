"""Hot answers against MLflow asked directly, and against the façade that a team would write first."""

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import NamedTuple

from tests.bench import sides
from tests.bench.client import Client, client
from tests.bench.load import Load, Question, Spread, ask, put
from tests.bench.machine import Server
from tests.bench.report import Findings, Row, at_least
from tests.bench.rows import questions
from tests.bench.rows.bench import Bench
from tests.bench.rows.hot import in_json, summary
from tests.bench.runs import finished

_CALLERS = 8  # of the slow sides, more than keep them busy


class _Kind(NamedTuple):
    """How the service is asked and how MLflow is; how many times their rates the service's should be."""

    name: str
    question: Question
    directly: Question
    over_mlflow: float
    over_facade: float


class _Sides(NamedTuple):
    service: Server
    mlflow: Server
    facade: Server


def direct(bench: Bench) -> Findings:
    """Requests a second of the service, MLflow, the façade and FastTrackML, over the same runs."""
    upstream, run_ids = bench.mlflow
    rows: list[Row] = []
    with ExitStack() as stack:
        service = stack.enter_context(sides.service(bench.folder, upstream, "over-mlflow"))
        facade = stack.enter_context(sides.naive(bench.folder, upstream))
        for kind in _kinds(run_ids):
            rows += _rows(bench, kind, _Sides(service, upstream, facade))
    return Findings(rows)


def _kinds(run_ids: Sequence[str]) -> Sequence[_Kind]:
    ten = finished(10, run_ids)
    return (
        _Kind("detail", questions.detail(ten[0]), questions.direct_detail(ten[0]), 100, 100),
        _Kind("list of 50", questions.runs(50), questions.direct_runs(50), 100, 100),
        _Kind("compare of 10", questions.compare(ten), questions.direct_compare(ten), 100, 1_000),
    )


def _rows(bench: Bench, kind: _Kind, servers: _Sides) -> Iterator[Row]:
    answers = [
        json.loads(asyncio.run(ask(side, kind.question)).body) for side in (servers.service, servers.facade)
    ]
    if answers[0] != answers[1]:
        raise RuntimeError(f"the façade's {kind.name} has another content than the service's")
    plan = bench.plan(5, 1)
    service, mlflow, facade = list[Load](), list[Load](), list[Load]()
    for _ in range(plan.turns):
        service.append(asyncio.run(put(servers.service, kind.question, plan.seconds, plan.connections)))
        mlflow.append(asyncio.run(_slow(servers.mlflow, kind.directly, bench.pick(6, 2))))
        facade.append(asyncio.run(_slow(servers.facade, kind.question, bench.pick(6, 2))))
    yield _row(f"hot {kind.name}", service, "MLflow directly", mlflow, kind.over_mlflow)
    yield _row(f"hot {kind.name}", service, "the synchronous façade", facade, kind.over_facade)
    if bench.fasttrackml is not None:
        fast, run_ids = bench.fasttrackml
        directly = next(one.directly for one in _kinds(run_ids) if one.name == kind.name)
        load = asyncio.run(put(fast, directly, plan.seconds, plan.connections))
        yield _row(f"hot {kind.name}", service[:1], "FastTrackML directly", [load])


def _row(
    name: str, mine: Sequence[Load], whose: str, theirs: Sequence[Load], target: float | None = None
) -> Row:
    ratio = Spread.of(one.rate / other.rate for one, other in zip(mine, theirs, strict=True))
    wanted, shown, met = at_least(ratio, target or 0.0, " times")
    return Row(
        f"{name}, against {whose}",
        f"{summary(mine)}; they {summary(theirs)}",
        wanted if target else "",
        shown,
        met=met if target else None,
        figures={"service": in_json(mine), "they": in_json(theirs)},
    )


async def _slow(server: Server, question: Question, seconds: int) -> Load:
    """Load on a server so slow that what is under way at the end counts: nothing is cut off."""
    async with client(server) as caller:
        await asyncio.gather(*(caller.ask(question) for _ in range(_CALLERS)))
        before = server.cpu_seconds()
        parts = await asyncio.gather(*(_caller(caller, question, seconds) for _ in range(_CALLERS)))
        spent = server.cpu_seconds() - before
    taken = sorted(one * 1_000 for part in parts for one in part)
    # Each caller's own rate, to the end of its own last answer: the callers do not end together.
    rate = sum(len(part) / sum(part) for part in parts)
    return Load(
        requests=len(taken),
        seconds=len(taken) / rate,
        failed=0,
        p50_ms=taken[len(taken) // 2],
        p99_ms=taken[int(len(taken) * 0.99)],
        max_ms=taken[-1],
        cpu_us=spent / len(taken) * 1e6,
    )


async def _caller(caller: Client, question: Question, seconds: int) -> list[float]:
    until = time.perf_counter() + seconds
    taken: list[float] = []
    while time.perf_counter() < until:
        taken.append(await caller.timed(question))
    return taken
