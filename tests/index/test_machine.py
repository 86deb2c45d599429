"""Whatever happens in MLflow, and however steps fall between it: in the end the index is as MLflow is."""

import asyncio
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from service.errors import UpstreamError, UpstreamNotAsked, UpstreamTimeout
from tests.index.scripted import World

AGES = st.sampled_from([0, 1, 1, 500, 60_000, 10**7, 10**9])  # milliseconds; many runs share one


class IndexBesideMlflow(RuleBasedStateMachine):
    """Random life in MLflow, with steps of the index, passing answers and failures between it."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.world = self.runner.run(self._world())
        self.count = 0

    async def _world(self) -> World:
        return World()

    @initialize(ages=st.lists(AGES, max_size=30))
    def begin(self, ages: list[int]) -> None:
        for age in ages:
            self.create(age, "FINISHED")

    @rule(age=AGES, status=st.sampled_from(["RUNNING", "FINISHED", "FAILED", "SCHEDULED"]))
    def create(self, age: int, status: str) -> None:
        self.count += 1
        start = self.world.mlflow.now_ms - age
        end = start if status in ("FINISHED", "FAILED") else None
        self.world.mlflow.add(f"r{self.count}", status=status, start_time=start, end_time=end)

    @precondition(lambda self: self.world.mlflow.stored)
    @rule(data=st.data(), what=st.sampled_from(["tag", "end", "resume", "delete", "restore", "purge"]))
    def change(self, data: Any, what: str) -> None:
        mlflow = self.world.mlflow
        run_id = data.draw(st.sampled_from(sorted(mlflow.stored)))
        match what:
            case "tag":
                mlflow.tag(run_id, str(len(mlflow.calls)))
            case "end":
                mlflow.end(run_id)
            case "resume":
                mlflow.change(run_id, status="RUNNING")
            case "purge":
                del mlflow.stored[run_id]
            case _:
                mlflow.change(run_id, is_deleted=what == "delete")

    @rule(seconds=st.sampled_from([0.5, 3.0, 20.0, 90.0]), in_use=st.booleans())
    def wait(self, seconds: float, in_use: bool) -> None:
        self.runner.run(self.world.pass_time(seconds, in_use=in_use))

    @precondition(lambda self: self.world.mlflow.stored)
    @rule(data=st.data())
    def answer_late(self, data: Any) -> None:
        """A run that somebody asked for, whose answer comes only after the next steps."""
        run_id = data.draw(st.sampled_from(sorted(self.world.mlflow.stored)))
        asked, run = self.world.clock.now, self.world.mlflow.stored[run_id]
        self.runner.run(self.world.pass_time(2.5))
        self.world.runs.put(run, asked)

    @precondition(lambda self: self.world.mlflow.stored)
    @rule(data=st.data())
    def change_meanwhile(self, data: Any) -> None:
        """A run changes while the answer to the next question is on its way."""
        run_id = data.draw(st.sampled_from(sorted(self.world.mlflow.stored)))
        mlflow = self.world.mlflow

        def purge() -> None:
            mlflow.stored.pop(run_id, None)

        mlflow.meanwhile = purge

    @rule(error=st.sampled_from([UpstreamError("x"), UpstreamTimeout("x"), UpstreamNotAsked("x")]))
    def fail(self, error: Any) -> None:
        mlflow = self.world.mlflow
        mlflow.fails = error
        self.runner.run(self.world.pass_time(10))
        mlflow.fails = None

    @precondition(lambda self: self.world.index.covers(("1",)))
    @rule()
    def search(self) -> None:
        self.runner.run(self.world.search())

    @invariant()
    def knows_nothing_that_never_was(self) -> None:
        assert len(self.world.runs.table) <= self.count

    def teardown(self) -> None:
        try:
            self.runner.run(self.world.pass_time(400))
            assert self.world.index.covers(("1",))
            assert self.world.mlflow.visible() == self.world.indexed()
        finally:
            self.runner.close()


IndexBesideMlflow.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestIndexBesideMlflow = IndexBesideMlflow.TestCase
