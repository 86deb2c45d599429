"""Hot answers against a bare handler that gives the same bytes."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import NamedTuple

from tests.bench import sides
from tests.bench.load import Answer, Load, Question, ask, cpu_ratio, rate_ratio, rounds
from tests.bench.machine import Server
from tests.bench.report import Findings, Row, at_least
from tests.bench.rows import questions
from tests.bench.rows.bench import Bench
from tests.bench.runs import finished, run_id_of

RUNS = 1_000
# How much of the bare handler's rate is wanted without request log and metrics, and in production.
_TARGETS = {
    "hot detail": (0.85, 0.85),
    "hot list of 50": (0.78, 0.78),
    "hot list of 100": (0.75, 0.75),
    "hot compare of 10": (0.78, 0.78),
    "304": (0.85, 0.80),
}
_NOT_MODIFIED = 304


class Hot(NamedTuple):
    """A row: what is asked, and how much of the bare handler's rate is wanted, as in _TARGETS."""

    name: str
    question: Question
    quiet: float
    production: float


def hot(bench: Bench) -> Findings:
    """Detail, lists, comparison and 304, each without request log and metrics and with both."""
    with ExitStack() as stack:
        upstream = stack.enter_context(sides.fake(bench.folder, runs=RUNS, latency=0.02))
        quiet = stack.enter_context(sides.service(bench.folder, upstream, "quiet", quiet=True))
        production = stack.enter_context(sides.service(bench.folder, upstream, "production"))
        rows = [
            row
            for name, question in hot_questions(production).items()
            for row in _against_bare(bench, Hot(name, question, *_TARGETS[name]), quiet, production)
        ]
    return Findings(rows)


def hot_questions(service: Server, run_ids: Sequence[str] = ()) -> dict[str, Question]:
    """What is asked again and again, by the name of its row. run_ids: ten, or none for the usual runs'."""
    run_ids = run_ids or finished(10, [run_id_of(number) for number in range(RUNS)])
    detail = questions.detail(run_ids[-1])
    etag = asyncio.run(ask(service, detail)).etag
    return {
        "hot detail": detail,
        "hot list of 50": questions.runs(50),
        "hot list of 100": questions.runs(100),
        "hot compare of 10": questions.compare(run_ids),
        "304": detail._replace(headers={"If-None-Match": etag}),
    }


def same_answer(servers: Sequence[Server], question: Question) -> Answer:
    """The one answer that all the servers give. RuntimeError where they differ."""
    answers = [asyncio.run(ask(server, question)) for server in servers]
    if any(answer != answers[0] for answer in answers):
        raise RuntimeError(f"not the same answer to {question.path}: {answers!r:.500}")
    return answers[0]


def _against_bare(bench: Bench, row: Hot, quiet: Server, production: Server) -> Iterator[Row]:
    answer = same_answer([quiet, production], row.question)
    with sides.bare(bench.folder, row.question, answer) as bare:
        if answer.status != _NOT_MODIFIED and asyncio.run(ask(bare, row.question)).body != answer.body:
            raise RuntimeError(f"the bare handler answers {row.question.path} with other bytes")
        servers = [bare, quiet, production]
        loads = asyncio.run(rounds(servers, row.question, bench.plan(21, 3)))
    for server, target in ((quiet, row.quiet), (production, row.production)):
        mine, theirs = loads[server.name], loads[bare.name]
        wanted, shown, met = at_least(rate_ratio(mine, theirs), target, " of bare")
        yield Row(
            f"{row.name}, {'logs and metrics off' if server is quiet else 'production settings'}",
            f"{summary(mine)}; bare {summary(theirs)}",
            wanted,
            shown,
            f"{cpu_ratio(mine, theirs):.2f}",
            met,
            {"bytes": len(answer.body), "service": in_json(mine), "bare": in_json(theirs)},
        )


def summary(loads: Sequence[Load]) -> str:
    """Requests a second, CPU time a request, and what failed, if anything did."""
    ordered = sorted(loads, key=lambda load: load.rate)
    middle = ordered[len(ordered) // 2]
    failed = sum(load.failed for load in loads)
    text = (
        f"{middle.rate:,.0f}/s, {middle.cpu_us:,.0f} µs"
        if middle.rate >= 100
        else (f"{middle.rate:,.1f}/s, {middle.cpu_us / 1_000:,.1f} ms")
    )
    return text + (f", {failed} FAILED" if failed else "")


def in_json(loads: Sequence[Load]) -> list[dict[str, float]]:
    """The loads as they stand in the JSON."""
    return [{**load._asdict(), "rate": load.rate} for load in loads]
