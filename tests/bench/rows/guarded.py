"""What it costs to tell callers apart: hot answers with all of it on, against without."""

import asyncio
from contextlib import ExitStack

from service.auth.api_keys import new_key
from tests.bench import sides
from tests.bench.load import Question, cpu_ratio, rate_ratio, rounds
from tests.bench.report import Findings, Row
from tests.bench.rows.bench import Bench
from tests.bench.rows.hot import RUNS, hot_questions, in_json, summary

_ORIGIN = "https://research.example.com"


def guarded(bench: Bench) -> Findings:
    """API keys, CORS and trusted proxies, asked with a key as a page behind a proxy asks, against none."""
    key, line = new_key("bench")
    settings = {
        "AUTH__MODE": "api_key",
        "AUTH__API_KEYS": line,
        "CORS__ALLOWED_ORIGINS": _ORIGIN,
        "TRUSTED_PROXIES": "127.0.0.0/8",
    }
    borne = {"Authorization": f"Bearer {key}", "Origin": _ORIGIN, "X-Forwarded-For": "192.0.2.7"}
    with ExitStack() as stack:
        upstream = stack.enter_context(sides.fake(bench.folder, runs=RUNS, latency=0.02))
        without = stack.enter_context(sides.service(bench.folder, upstream, "without"))
        everything = stack.enter_context(
            sides.service(bench.folder, upstream, "everything", quiet=False, **settings)
        )
        rows = []
        for name, question in hot_questions(without).items():
            asked: Question = question._replace(headers={**question.headers, **borne})
            loads = asyncio.run(rounds([without, everything], asked, bench.plan(15, 3)))
            mine, theirs = loads["everything"], loads["without"]
            rows.append(
                Row(
                    f"{name}, callers told apart",
                    f"{summary(mine)}; without {summary(theirs)}",
                    shown=f"{rate_ratio(mine, theirs):.2f} of without",
                    by_cpu=f"{cpu_ratio(mine, theirs):.2f}",
                    figures={"everything": in_json(mine), "without": in_json(theirs)},
                )
            )
    return Findings(rows)
