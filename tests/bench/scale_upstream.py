"""An MLflow with the scale runs in it, as a process, which answers a search about as slowly as MLflow does.

    python -m tests.bench.scale_upstream --port 9000 --runs 100000

It is the fake MLflow, but that it looks for the runs of a window of time without a look at each other run:
the fake must not take the processor from what is measured.
"""

import argparse
import asyncio
import bisect
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from aiohttp import web

from service.tracking import runs as tracking
from tests.bench.scale import runs_of
from tests.bench.serving import serve
from tests.bench.trials import strategy_runs
from tests.fakes.endpoints import ENDPOINTS
from tests.fakes.fields import read_request
from tests.fakes.filters import Clause, clauses
from tests.fakes.handlers import search_runs
from tests.fakes.mlflow import FakeMlflow, json_reply
from tests.fakes.store import Run, Store, newest_first
from tests.fakes.wire import MlflowError

# Seconds, of MLflow 3.17 over 100,000 runs in SQLite: a search without hits, and each hit.
A_SEARCH = 0.05
A_RUN = 0.004
_SEARCH = "runs/search"
_NEWEST_FIRST = ["attributes.start_time DESC"]


class _Some(Store):
    """Of a store, the runs among which a search has to look."""

    def __init__(self, runs: Sequence[Run]) -> None:
        super().__init__()
        self._some = runs

    def newest_first(self, experiment_ids: Iterable[str]) -> Iterator[Run]:  # noqa: ARG002
        return iter(self._some)


class ScaleUpstream(FakeMlflow):
    """FakeMlflow with these runs. scale: how many times as long as MLflow a search takes."""

    def __init__(self, runs: Iterable[tracking.Run], scale: float = 1.0) -> None:
        super().__init__(pretty=False)  # which costs the fake a tenth
        self.before = self._narrowed
        self._scale = scale
        self._seconds = 0.0
        for run in runs:
            self.add_run(
                run_id=run.run_id,
                name=run.run_name,
                status=run.status,
                start_time=run.start_time,
                end_time=run.end_time,
                params=run.params,
                metrics={key: float("nan") if value is None else value for key, value in run.metrics.items()},
                tags=run.tags,
                user_id=run.tags["mlflow.user"],
            )
        self._newest = sorted(self.store.runs.values(), key=newest_first)
        self._starts = [-run.start_time for run in self._newest]

    def app(self) -> web.Application:
        app = super().app()
        app.router.add_get("/bench/calls", self._calls)
        app.router.add_delete("/bench/calls", self._forget)
        app.router.add_get("/bench/seconds", self._worked)
        return app

    async def _calls(self, _request: web.Request) -> web.Response:
        endpoints = Counter(call.endpoint for call in self.calls)
        return web.json_response({name: count for name, count in endpoints.items() if name[:5] != "bench"})

    async def _forget(self, _request: web.Request) -> web.Response:
        self.calls.clear()
        self._seconds = 0.0
        return web.json_response({})

    async def _worked(self, _request: web.Request) -> web.Response:
        return web.json_response(self._seconds)

    async def _narrowed(self, request: web.Request) -> web.StreamResponse | None:
        if not request.path.endswith(_SEARCH):
            return None
        try:
            asked = read_request(await request.json(), ENDPOINTS[_SEARCH].fields)
            some = _Some(self._among(clauses(asked["filter"])))
            if asked["order_by"] == _NEWEST_FIRST:
                asked["order_by"] = []  # they are so already, and only those of the page are looked at
            text = search_runs(some, asked, self._dialect)
        except MlflowError as error:
            return json_reply(error.body, error.status)
        seconds = self._scale * (A_SEARCH + A_RUN * text.count('"run_uuid"'))
        self._seconds += seconds
        await asyncio.sleep(seconds)
        return json_reply(text)

    def _among(self, conditions: Sequence[Clause]) -> Sequence[Run]:
        """The runs that start in the window which the conditions leave, or have their ids, newest first."""
        low, high = 0, len(self._newest)
        for clause in conditions:
            if clause.value is None:
                continue
            if clause.key == "run_id" and clause.comparator == "IN":
                ids = [text.strip(" '\"") for text in clause.value.text.strip("()").split(",")]
                some = [self.store.runs[one] for one in ids if one in self.store.runs]
                return sorted(some, key=newest_first)
            if clause.key == "start_time" and clause.comparator[0] == ">":
                high = min(high, bisect.bisect_right(self._starts, -int(clause.value.text)))
            if clause.key == "start_time" and clause.comparator[0] == "<":
                low = max(low, bisect.bisect_left(self._starts, -int(clause.value.text)))
            if clause.key == "status" and clause.value.text.strip("'\"") == "RUNNING":
                return [run for run in self._newest if run.status == "RUNNING"]
        return self._newest[low:high]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.scale_upstream")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--trials", type=int, default=0)
    given = parser.parse_args()
    runs = chain(runs_of(given.runs), strategy_runs() if given.trials else ())
    serve(ScaleUpstream(runs, given.scale).app(), given.port)


if __name__ == "__main__":
    main()
