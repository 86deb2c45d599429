"""The service over an index that a test fills, and over a fake MLflow for what the index does not answer."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from service import app
from service.answer import Answer, Origin
from service.index.engine import Engine
from service.index.table import RunTable
from service.service import Service
from service.settings.load import config_dir
from service.tracking.directions import load_directions
from service.tracking.runs import Run
from service.tracking.search.queries import (
    FieldPage,
    FieldSearch,
    Grouping,
    GroupPage,
    IndexStatus,
    RunIndex,
    RunSearch,
    SearchPage,
)
from service.tracking.search.searches import AnewSearches, RunSearches
from tests.api.serving import API, Client, make_settings
from tests.fakes.mlflow import FakeMlflow

SEARCH = f"{API}/runs/search"
GROUPS = f"{API}/runs/groups"
FIELDS = f"{API}/runs/fields"
DIRECTIONS = load_directions(config_dir() / "metrics.toml")
BEGIN = 1_764_201_600_000  # when the first of the runs started


class HeldIndex(RunIndex):
    """An index that holds what it is given.

    complete: the experiments of which it has every run. followed: those that it will have. age: in seconds.
    searches, refreshes: how many there were.
    """

    def __init__(self, runs: Iterable[Run] = (), complete: Iterable[str] = ("0",)) -> None:
        self._table = RunTable()
        self._engine = Engine(self._table)
        self._version: object = object()
        self.complete = set(complete)
        self.followed: set[str] = set()
        self.age = 1.5
        self.synced_ms = BEGIN
        self.share_read = 0.25
        self.searches = self.refreshes = 0
        self.too_large = False
        self.put(*runs)

    def put(self, *runs: Run) -> None:
        """Take runs as they are now."""
        for run in runs:
            self._table.put(run, 0.0)
        self._version = object()

    def covers(self, experiment_ids: tuple[str, ...]) -> bool:
        return not self.too_large and self.complete >= set(experiment_ids)

    def follows(self, experiment_ids: tuple[str, ...]) -> bool:
        return not self.too_large and self.complete | self.followed >= set(experiment_ids)

    def status(self, experiment_ids: tuple[str, ...]) -> IndexStatus:
        share = 1.0 if self.covers(experiment_ids) else self.share_read
        runs = self._table.count(experiment_ids)
        return IndexStatus(self.covers(experiment_ids), runs, self.synced_ms, BEGIN, share)

    def reading(self, experiment_ids: tuple[str, ...]) -> Answer[None]:  # noqa: ARG002
        return Answer(None, self.age, Origin.HIT)

    async def refresh(self, experiment_ids: tuple[str, ...]) -> Answer[None]:  # noqa: ARG002
        self.refreshes += 1
        return Answer(None, 0.0, Origin.FORCED, 0.01)

    @property
    def version(self) -> object:
        return self._version

    @property
    def is_too_large(self) -> bool:
        return self.too_large

    async def search(self, search: RunSearch) -> Answer[SearchPage]:
        self.searches += 1
        hits = await self._engine.search(search)
        return Answer(SearchPage(*hits, self.status(search.experiment_ids)), self.age, Origin.HIT)

    async def groups(self, grouping: Grouping) -> Answer[GroupPage]:
        self.searches += 1
        groups = await self._engine.groups(grouping)
        return Answer(GroupPage(*groups, self.status(grouping.experiment_ids)), self.age, Origin.HIT)

    async def fields(self, asked: FieldSearch) -> Answer[FieldPage]:
        self.searches += 1
        hits = await self._engine.fields(asked)
        return Answer(FieldPage(*hits, self.status(asked.experiment_ids)), self.age, Origin.HIT)


def make_run(number: int, **fields: Any) -> Run:
    """A run that started so many minutes after BEGIN, and ended a minute later."""
    start = BEGIN + number * 60_000
    run = Run(
        run_id=f"run{number:03}",
        run_name=f"name {number}",
        status="FINISHED",
        start_time=start,
        end_time=start + 60_000,
        artifact_uri=f"mlflow-artifacts:/0/run{number:03}/artifacts",
        params={"depth": str(number % 7), "method": "rolling" if number % 2 else "expanding"},
        metrics={"sharpe": number / 10, "max_drawdown": -1.0 / (number + 1)},
        tags={"run_type": ("training", "backtest", "cpcv")[number % 3], "strategy_id": f"s{number % 5}"},
        experiment_id="0",
        user_id="ada",
    )
    return msgspec.structs.replace(run, **fields)


RUNS = tuple(make_run(number) for number in range(60))


def over(index: RunIndex | None, mlflow: FakeMlflow, **settings: Any) -> Service:
    """The service whose index this is."""
    with pytest.MonkeyPatch.context() as patch:
        for kind in (RunSearches, AnewSearches):
            patch.setattr(app, kind.__name__, lambda _own, *rest, kind=kind: kind(index, *rest))
        return app.build(make_settings(mlflow_tracking_uri=mlflow.url, **settings), mlflow.url)


@asynccontextmanager
async def searching(index: RunIndex | None, mlflow: FakeMlflow) -> AsyncIterator[Client]:
    """A client of that service."""
    async with Client(over(index, mlflow)) as client:
        yield client


def as_query(body: Mapping[str, Any]) -> dict[str, str]:
    """A search in a body, as the parameters of a query."""
    return {name: ",".join(value) if isinstance(value, list) else str(value) for name, value in body.items()}
