"""What a tracking server remembers: experiments and runs, in memory."""

import heapq
import math
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

RUN_NAME_TAG = "mlflow.runName"


class Metric(NamedTuple):
    """A logged value; the times are milliseconds since 1970."""

    value: float
    timestamp: int
    step: int

    @property
    def rank(self) -> tuple[int, int, float]:
        """What makes one value later than another. The SQL store keeps NaN as 0 and a flag."""
        return self.step, self.timestamp, 0.0 if math.isnan(self.value) else self.value


@dataclass(slots=True)
class Experiment:
    experiment_id: str
    name: str
    creation_time: int
    last_update_time: int
    lifecycle_stage: str = "active"
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def artifact_location(self) -> str:
        return f"mlflow-artifacts:/{self.experiment_id}"


@dataclass(slots=True)
class Run:
    run_id: str
    experiment_id: str
    name: str
    start_time: int
    user_id: str = ""
    status: str = "RUNNING"
    end_time: int | None = None
    lifecycle_stage: str = "active"
    metrics: dict[str, Metric] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    inputs: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    rendered: str | None = None

    @property
    def artifact_uri(self) -> str:
        return f"mlflow-artifacts:/{self.experiment_id}/{self.run_id}/artifacts"

    def log_metric(self, key: str, metric: Metric) -> None:
        latest = self.metrics.get(key)
        if latest is None or metric.rank > latest.rank:
            self.metrics[key] = metric
            self.rendered = None

    def log_param(self, key: str, value: str) -> None:
        self.params[key] = value
        self.rendered = None

    def set_tag(self, key: str, value: str) -> None:
        self.tags[key] = value
        if key == RUN_NAME_TAG:
            self.name = value
        self.rendered = None

    def update(self, *, status: str = "", end_time: int | None = None, name: str = "") -> None:
        self.status = status or self.status
        self.end_time = self.end_time if end_time is None else end_time
        if name:
            self.set_tag(RUN_NAME_TAG, name)
        self.rendered = None

    def move_to(self, lifecycle_stage: str) -> None:
        self.lifecycle_stage = lifecycle_stage
        self.rendered = None


def newest_first(run: Run) -> tuple[int, str]:
    """The order that MLflow appends to every other."""
    return -run.start_time, run.run_id


class Store:
    """Experiments and runs by id. Experiment 0, "Default", is there from the start, as on a real server."""

    def __init__(self) -> None:
        self.experiments: dict[str, Experiment] = {}
        self.runs: dict[str, Run] = {}
        self._by_experiment: defaultdict[str, list[Run]] = defaultdict(list)
        self._unsorted: set[str] = set()
        self._clock = 1_700_000_000_000
        self.create_experiment("Default")

    def now(self) -> int:
        """Milliseconds of a clock that moves a second with each question: every test sees the same times."""
        self._clock += 1000
        return self._clock

    def create_experiment(self, name: str, tags: Mapping[str, str] | None = None) -> Experiment:
        experiment_id, now = str(len(self.experiments)), self.now()
        self.experiments[experiment_id] = Experiment(experiment_id, name, now, now, tags=dict(tags or {}))
        return self.experiments[experiment_id]

    def experiment_named(self, name: str) -> Experiment | None:
        return next((one for one in self.experiments.values() if one.name == name), None)

    def move_experiment(self, experiment: Experiment, lifecycle_stage: str) -> None:
        """Delete or restore an experiment, and with it all its runs."""
        experiment.lifecycle_stage = lifecycle_stage
        experiment.last_update_time = self.now()
        for run in self._by_experiment[experiment.experiment_id]:
            run.move_to(lifecycle_stage)

    def create_run(
        self,
        experiment_id: str,
        *,
        start_time: int,
        name: str = "",
        user_id: str = "",
        tags: Mapping[str, str] | None = None,
        run_id: str | None = None,
    ) -> Run:
        tags = dict(tags or {})
        name = name or tags.get(RUN_NAME_TAG) or f"unnamed-{len(self.runs)}"
        tags.setdefault(RUN_NAME_TAG, name)
        run = Run(run_id or uuid.uuid4().hex, experiment_id, name, start_time, user_id, tags=tags)
        self.runs[run.run_id] = run
        self._by_experiment[experiment_id].append(run)
        self._unsorted.add(experiment_id)
        return run

    def newest_first(self, experiment_ids: Iterable[str]) -> Iterator[Run]:
        """The runs of several experiments, in MLflow's natural order, one by one."""
        wanted = set(experiment_ids)
        for experiment_id in wanted & self._unsorted:
            self._by_experiment[experiment_id].sort(key=newest_first)
            self._unsorted.discard(experiment_id)
        return heapq.merge(*(self._by_experiment.get(one, ()) for one in wanted), key=newest_first)

    def search(
        self, experiment_ids: Iterable[str], lifecycle_stages: frozenset[str], matches: Callable[[Run], bool]
    ) -> Iterator[Run]:
        return (
            run
            for run in self.newest_first(experiment_ids)
            if run.lifecycle_stage in lifecycle_stages and matches(run)
        )
