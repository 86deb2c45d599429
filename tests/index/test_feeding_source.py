"""Runs that pass to callers update the index."""

from typing import Any

import pytest

from service.index.feeding_source import FeedingSource
from service.tracking.questions import GetExperiment, GetRun, ListRuns, Question, SearchRuns
from service.tracking.runs import Run
from tests.index.scripted import RESEARCH, World

QUESTIONS: list[Question[Any]] = [GetRun("a"), ListRuns("1", None, None, 10), SearchRuns(("1",))]


class Feed:
    """A source that is fed, with what it fed."""

    def __init__(self) -> None:
        self.world = World()
        self.world.mlflow.add("a")
        self.put: list[tuple[Run, float]] = []
        self.source = FeedingSource(
            self.world.mlflow, lambda run, asked: self.put.append((run, asked)), self.world.clock
        )


@pytest.mark.parametrize("question", QUESTIONS)
async def test_each_run_that_passes_is_told_of(question: Question[Any]) -> None:
    """A run, a list and a page give their runs to the index, with the time before the question was asked."""
    feed = Feed()
    asked = feed.world.clock.now
    await feed.source.answer(question)
    assert [(feed.world.mlflow.stored["a"], asked)] == feed.put


async def test_several_runs_at_once() -> None:
    """Of several questions each run is told of, and one that does not exist is not."""
    feed = Feed()
    asked = feed.world.clock.now
    answers = await feed.source.answer_many([GetRun("a"), GetRun("missing")])
    assert ["a", None] == [answer.value and answer.value.run_id for answer in answers]
    assert [(feed.world.mlflow.stored["a"], asked)] == feed.put


@pytest.mark.parametrize("question", [GetRun("missing"), GetExperiment(RESEARCH)])
async def test_what_is_no_run_is_left_alone(question: Question[Any]) -> None:
    """Other answers pass as they are."""
    feed = Feed()
    answer = await feed.source.answer(question)
    assert answer.value == feed.world.mlflow._look(question)
    assert [] == feed.put


async def test_the_answer_is_the_same_object() -> None:
    """Nothing is copied or changed on the way."""
    feed = Feed()
    answer = await feed.source.answer(GetRun("a"))
    assert answer.value is feed.world.mlflow.stored["a"]


async def test_a_run_of_another_experiment_stays_out_of_the_index() -> None:
    """The index takes from passing answers only what it follows."""
    world = World()
    await world.read()
    world.runs.put(world.mlflow.add("other", experiment_id="9"), world.clock.now)
    world.runs.put(world.mlflow.add("own"), world.clock.now)
    assert {"own"} == world.indexed().keys()


async def test_an_older_answer_changes_nothing() -> None:
    """A run that was asked for before the one that is known does not replace it, nor bring it back."""
    world = World()
    await world.read()
    old = world.mlflow.add("a")
    world.runs.put(old, world.clock.now)
    world.mlflow.tag("a", "new")
    world.runs.put(world.mlflow.stored["a"], world.clock.now + 2)
    world.runs.put(old, world.clock.now + 1)
    assert world.has("a")
    world.runs.drop("a", world.clock.now + 3)
    world.runs.put(old, world.clock.now + 1)
    assert world.runs.table.run("a") is None
