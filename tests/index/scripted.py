"""An MLflow in memory whose calls take the time of a clock, and an index over it that takes its steps."""

import operator
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from msgspec.structs import replace

from service.answer import Answer
from service.errors import UpstreamFailure, UpstreamTooLarge
from service.index.indexed_runs import IndexedRuns
from service.index.run_index import SyncedIndex
from service.index.schedule import Pace
from service.index.windows import END
from service.tracking.questions import (
    GetExperiment,
    GetRun,
    ListExperiments,
    ListRuns,
    Question,
    RunPage,
    SearchRuns,
)
from service.tracking.runs import Experiment, Run
from service.tracking.search.expressions import Comparison, Operator
from service.tracking.search.queries import RunSearch, SearchPage
from service.tracking.source import Source
from tests.cache.scripted import Clock
from tests.tracking.search.plainly import matches
from tests.tracking.values import make_run

T = TypeVar("T")

BASE_MS = 1_800_000_000_000  # of the clock's 0
RESEARCH = "research"
A_CALL, A_RUN = 0.045, 0.004  # seconds that MLflow takes
IS_SO: dict[Operator, Callable[[float, float], bool]] = {Operator.LE: operator.le, Operator.GT: operator.gt}


class ScriptedMlflow(Source):
    """An MLflow over `stored`, deleted runs among it. clock: is turned by the time that a call takes.

    calls: when each was made, what was asked, and the seconds that it took. fails: calls raise this, of which
    each takes failing_seconds. unreadable: ids of runs that cannot be read. meanwhile: called once between a
    look and its answer. is_oldest_first: it sorts as MLflow does not. most_runs: that an answer may have.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.stored: dict[str, Run] = {}
        self.experiments = [Experiment("1", RESEARCH, "s3://1", "active", BASE_MS)]
        self.calls: list[tuple[float, Question[Any], float]] = []
        self.fails: UpstreamFailure | None = None
        self.failing_seconds = 0.0
        self.unreadable: set[str] = set()
        self.is_oldest_first = False
        self.most_runs = 100_000
        self.meanwhile: Callable[[], None] | None = None

    @property
    def now_ms(self) -> int:
        """Unix epoch milliseconds."""
        return BASE_MS + round(self.clock.now * 1000)

    def add(self, run_id: str, **fields: Any) -> Run:
        """Log a run, active and started now where it is not told otherwise."""
        experiment_id = fields.pop("experiment_id", "1")
        told: dict[str, Any] = {"status": "RUNNING", "start_time": self.now_ms, "end_time": None} | fields
        run = replace(make_run(run_id, **told), experiment_id=experiment_id)
        self.stored[run_id] = run
        return run

    def change(self, run_id: str, **fields: Any) -> None:
        """Change fields of a run."""
        self.stored[run_id] = replace(self.stored[run_id], **fields)

    def tag(self, run_id: str, value: str) -> None:
        """Set a tag."""
        self.change(run_id, tags={**self.stored[run_id].tags, "verdict": value})

    def end(self, run_id: str, end_time: int | None = None) -> None:
        """End a run now."""
        self.change(run_id, status="FINISHED", end_time=self.now_ms if end_time is None else end_time)

    def visible(self) -> dict[str, Run]:
        """The runs that the index should have."""
        active = {one.experiment_id for one in self.experiments if one.is_active}
        return {
            key: run
            for key, run in self.stored.items()
            if not run.is_deleted and key not in self.unreadable and run.experiment_id in active
        }

    def seconds(self, since: float = 0.0) -> float:
        """What all calls since then took."""
        return sum(seconds for at, _, seconds in self.calls if at >= since)

    async def answer(self, question: Question[T]) -> Answer[T]:
        began = self.clock.now
        if self.fails is not None:
            self.clock.tick(self.failing_seconds)
            self.calls.append((began, question, self.failing_seconds))
            raise self.fails
        value = self._look(question)
        if self.meanwhile is not None:
            meanwhile, self.meanwhile = self.meanwhile, None
            meanwhile()
        seconds = A_CALL + A_RUN * len(value.runs) if isinstance(value, RunPage) else A_CALL
        self.clock.tick(seconds)
        self.calls.append((began, question, seconds))
        if isinstance(value, RunPage) and len(value.runs) > self.most_runs:
            raise UpstreamTooLarge("the answer has too many bytes")
        return Answer(value, waited=seconds)

    def _look(self, question: Question[Any]) -> Any:
        match question:
            case SearchRuns():
                return self._page(question)
            case GetRun(run_id):
                return self.stored.get(run_id)
            case ListRuns():
                runs = filter(question.asks_for, self.stored.values())
                return tuple(sorted(runs, key=newest_first))[: question.limit]
            case GetExperiment(name):
                return next((one for one in self.experiments if one.name == name), None)
            case ListExperiments():
                return tuple(one for one in self.experiments if one.is_active)
            case _:
                raise TypeError(question)

    def _page(self, question: SearchRuns) -> RunPage:
        runs = [
            run
            for run in self.stored.values()
            if run.experiment_id in question.experiment_ids
            and not run.is_deleted
            and all(meets(run, condition) for condition in question.conditions)
        ]
        runs.sort(key=newest_first, reverse=self.is_oldest_first)
        for field, descending in reversed(question.order):
            name = field.removeprefix("attributes.")
            present = [run for run in runs if getattr(run, name) is not None]
            present.sort(key=lambda run: getattr(run, name), reverse=descending)
            runs = present + [run for run in runs if getattr(run, name) is None]
        offset = int(question.page_token or 0)
        end = offset + question.limit
        page = runs[offset:end]
        readable = tuple(run for run in page if run.run_id not in self.unreadable)
        return RunPage(readable, str(end) if end < len(runs) else "", len(page) - len(readable))


def meets(run: Run, condition: Comparison) -> bool:
    """Whether a run meets a condition: MLflow compares times as whole numbers, not as the index's doubles."""
    if not isinstance(condition.value, int | float):
        return matches(run, condition)
    time = run.end_time if condition.operand == END else run.start_time
    return time is not None and IS_SO[condition.operator](time, condition.value)


def newest_first(run: Run) -> tuple[bool, int, str]:
    """MLflow's own order."""
    return run.start_time is None, -(run.start_time or 0), run.run_id


class World:
    """An index over a scripted MLflow, at a pace, and the time that passes for both."""

    def __init__(
        self,
        names: Iterable[str] = (RESEARCH,),
        pace: Pace = Pace(),  # noqa: B008 - it is frozen
        max_bytes: int = 2**30,
    ) -> None:
        self.clock = Clock()
        self.mlflow = ScriptedMlflow(self.clock)
        self.runs = IndexedRuns(max_bytes)
        self.index = SyncedIndex(
            self.runs, self.mlflow, self.mlflow, tuple(names), pace, self.clock, lambda: self.mlflow.now_ms
        )

    async def pass_time(self, seconds: float, *, in_use: bool = True) -> None:
        """Take the steps of so many seconds. in_use: somebody searches all the time."""
        until = self.clock.now + seconds
        while self.clock.now < until:
            if in_use:
                self.index.reading(("1",))
            pause = await self.index.sync.step()
            assert pause >= 0
            self.clock.tick(min(pause, max(until - self.clock.now, 0.0)))

    async def until(self, is_so: Callable[[], bool], seconds: float) -> float:
        """Take steps until something is so, and say after how many seconds; at most for so long."""
        began = self.clock.now
        while not is_so():
            assert self.clock.now - began < seconds, "it takes too long"
            await self.pass_time(0.05)
        return self.clock.now - began

    async def read(self) -> None:
        """Take steps until every run has been read once."""
        await self.until(lambda: self.index.condition == "complete", 100_000)

    def has(self, run_id: str) -> bool:
        """Whether the index has a run as MLflow has it: not at all, where it is deleted."""
        return self.mlflow.visible().get(run_id) == self.runs.table.run(run_id)

    def indexed(self) -> dict[str, Run]:
        """The runs of the index."""
        found = {run_id: self.runs.table.run(run_id) for run_id in self.runs.table.run_ids()}
        return {run_id: run for run_id, run in found.items() if run is not None}

    async def search(self) -> Answer[SearchPage]:
        """The newest 50 runs."""
        return await self.index.search(RunSearch(("1",)))
