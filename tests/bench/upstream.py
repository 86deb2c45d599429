"""The fake MLflow as a process: every API call takes as long as it is told, and is counted.

    python -m tests.bench.upstream --port 9000 --runs 1000 --latency 0.02

GET /bench/calls has the calls by endpoint since DELETE /bench/calls. Besides the runs that it holds it makes
up as many as one asks for: a search for the strategy that `unseen(7)` names finds what no other search finds.
"""

import argparse
import re
import time
from collections import Counter
from typing import Any

from aiohttp import web

from tests.bench.runs import Shape, bench_run, run_id_of
from tests.bench.serving import serve
from tests.fakes import wire
from tests.fakes.mlflow import FakeMlflow, json_reply
from tests.fakes.store import Metric, Run

_UNSEEN = re.compile(r"tags\.strategy_id = ['\"]unseen-([0-9a-f]{16})['\"]")
_MOST = 100
# In the ids and the strategy of the runs made up, in the place of the number asked for.
_PLACE = "0123456789abcdef"


def unseen(number: int) -> str:
    """A strategy whose runs are made up when asked for, at most 100 of them."""
    return f"unseen-{number:016x}"


class BenchUpstream(FakeMlflow):
    """FakeMlflow with a count of its calls that other processes can read, and runs without end.

    active: how many runs are active; each has a metric `answered`, when MLflow last answered a search, in
    Unix epoch seconds.
    """

    def __init__(self, runs: int, shape: Shape, active: int = 0) -> None:
        super().__init__()
        self.before = self._made_up
        self._active = [self.add_run(status="RUNNING") for _ in range(active)]
        self._shape = shape
        self._pages: dict[int, str] = {}
        for number in range(runs):
            run = bench_run(number, shape)
            self.add_run(run_id=run_id_of(number), end_time=run.end_time, user_id="ada", **run._asdict())
        for run_held in self.store.runs.values():
            wire.run_text(run_held, self._dialect, "")  # encoded now, not while somebody measures

    def app(self) -> web.Application:
        app = super().app()
        app.router.add_get("/bench/calls", self._calls)
        app.router.add_delete("/bench/calls", self._forget)
        return app

    async def _calls(self, _request: web.Request) -> web.Response:
        endpoints = Counter(call.endpoint for call in self.calls)
        return web.json_response({name: count for name, count in endpoints.items() if name[:5] != "bench"})

    async def _forget(self, _request: web.Request) -> web.Response:
        self.calls.clear()
        return web.json_response({})

    async def _made_up(self, request: web.Request) -> web.StreamResponse | None:
        if not request.path.endswith("/runs/search"):
            return None
        now = time.time()
        for run_id in self._active:
            self.log(run_id, "answered", [(int(now), int(now * 1_000), now)])
        asked: dict[str, Any] = await request.json()
        wanted = _UNSEEN.search(asked.get("filter") or "")
        if wanted is None:
            return None
        page = self.page(min(int(asked.get("max_results", _MOST)), _MOST))
        return json_reply(page.replace(_PLACE, wanted[1]))

    def page(self, length: int) -> str:
        """MLflow's reply with so many runs that are made up, but for their number."""
        page = self._pages.get(length)
        if page is None:
            runs = [self._unseen(number) for number in range(length)]
            page = self._pages[length] = wire.runs_page(runs, None, self._dialect)
        return page

    def _unseen(self, number: int) -> Run:
        made = bench_run(number, self._shape, strategy=f"unseen-{_PLACE}")
        return Run(
            run_id=f"{_PLACE}{number:016x}",
            experiment_id="0",
            name=made.name,
            start_time=made.start_time,
            user_id="ada",
            status=made.status,
            end_time=made.end_time,
            metrics={name: Metric(value, made.start_time, 0) for name, value in made.metrics.items()},
            params=made.params,
            tags={**made.tags, "mlflow.runName": made.name},
        )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.upstream")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--runs", type=int, default=1_000)
    parser.add_argument("--metrics", type=int, default=Shape().metrics)
    parser.add_argument("--params", type=int, default=Shape().params)
    parser.add_argument("--active", type=int, default=0, help="runs that change with each search")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds")
    given = parser.parse_args()
    upstream = BenchUpstream(given.runs, Shape(given.metrics, given.params), given.active)
    upstream.latency = given.latency
    serve(upstream.app(), given.port)


if __name__ == "__main__":
    main()
