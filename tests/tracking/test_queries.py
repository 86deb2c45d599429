"""The use cases over an honest source in memory."""

from typing import Any, TypeVar

import msgspec
import pytest

from service.answer import Answer, Origin
from service.errors import RunsNotFound, UpstreamError
from service.tracking.directions import Direction, Directions, Rule
from service.tracking.queries import TrackingQueries
from service.tracking.questions import GetExperiment, GetRun, ListRuns, Question
from service.tracking.runs import Experiment, Place
from tests.tracking.values import RunsInMemory, make_experiment, make_run

T = TypeVar("T")


def queries(source: RunsInMemory, name: str = "Default") -> TrackingQueries:
    return TrackingQueries(source, name, Directions([Rule("mse", Direction.MIN)]))


async def test_runs_of_the_default_experiment_are_listed() -> None:
    """The experiment is looked up by its name, and searched by its id, for one run more than the limit."""
    source = RunsInMemory([make_run("r")], [make_experiment("7", "research")])
    answer = await queries(source, "research").runs(run_type=None, strategy_id=None, limit=5)
    assert (make_run("r"),) == answer.value
    assert [GetExperiment("research"), ListRuns("7", None, None, 6)] == source.calls


@pytest.mark.parametrize("experiments", [[make_experiment(name="other")], [make_experiment(stage="deleted")]])
async def test_without_the_experiment_nothing_is_searched(experiments: list[Experiment]) -> None:
    """An experiment that is missing or deleted has no runs."""
    source = RunsInMemory([make_run()], experiments)
    assert Answer(()) == await queries(source).runs(run_type=None, strategy_id=None, limit=5)
    assert [GetExperiment("Default")] == source.calls


async def test_filters_are_passed_on() -> None:
    """Both filters reach the source as they were given."""
    source = RunsInMemory([make_run("a", tags={"run_type": "x", "strategy_id": "s"}), make_run("b")])
    answer = await queries(source).runs(run_type="x", strategy_id="s", limit=5)
    assert ["a"] == [run.run_id for run in answer.value]


async def test_another_experiment_is_not_looked_up() -> None:
    """An experiment that is named by its id is searched at once, from the place that is given."""
    source = RunsInMemory()
    place = Place(7, "r")
    await queries(source).runs(run_type=None, strategy_id=None, limit=5, experiment_id="12", after=place)
    assert [ListRuns("12", None, None, 6, place)] == source.calls


@pytest.mark.parametrize("text", ["x", "-1", "01", "1.0", " 1", "١", "9" * 19, "1" * 400])
async def test_what_is_no_experiment_has_no_runs(text: str) -> None:
    """Of an id that no experiment of MLflow's can have, nobody is asked."""
    source = RunsInMemory([make_run()])
    answer = await queries(source).runs(run_type=None, strategy_id=None, limit=5, experiment_id=text)
    assert Answer(()) == answer
    assert [] == source.calls


async def test_several_runs_come_in_the_order_asked_for() -> None:
    """together answers the runs as asked, not as stored."""
    source = RunsInMemory([make_run("a"), make_run("b"), make_run("c")])
    answer = await queries(source).together([GetRun("c"), GetRun("a")])
    assert ["c", "a"] == [run.run_id for run in answer.value]


async def test_all_missing_runs_are_named() -> None:
    """RunsNotFound names every run that is missing, in the order asked for."""
    source = RunsInMemory([make_run("a")])
    with pytest.raises(RunsNotFound) as caught:
        await queries(source).together([GetRun("z"), GetRun("a"), GetRun("y")])
    assert ("z", "y") == caught.value.run_ids
    assert "The runs 'z', 'y' do not exist, or may not be read." == caught.value.detail


async def test_a_run_and_what_is_none() -> None:
    """run answers the run, or None where the source says that there is none."""
    source = RunsInMemory([make_run("a")])
    assert make_run("a") == (await queries(source).run("a")).value
    assert (await queries(source).run("b")).value is None


async def test_experiments_are_passed_on() -> None:
    """experiments answers what the source lists."""
    experiments = [make_experiment("0"), make_experiment("1", "gone", "deleted"), make_experiment("2", "x")]
    answer = await queries(RunsInMemory(experiments=experiments)).experiments()
    assert ["0", "2"] == [one.experiment_id for one in answer.value]


def test_compare_uses_the_directions() -> None:
    """The best is decided by the rules that the queries were given."""
    runs = [make_run("a", metrics={"mse": 1.0}), make_run("b", metrics={"mse": 2.0})]
    assert "a" == queries(RunsInMemory()).compare(runs).metric_diff["mse"].best_run_id


async def test_a_failure_is_passed_on() -> None:
    """What the source cannot say, no query makes up."""
    source = RunsInMemory([make_run("a")])
    source.fails = True
    asked = queries(source)
    for query in (
        asked.run("a"),
        asked.together([GetRun("a"), GetRun("b")]),
        asked.experiments(),
        asked.runs(run_type=None, strategy_id=None, limit=1),
    ):
        with pytest.raises(UpstreamError):
            await query


class SlowSource(RunsInMemory):
    """A source whose answers took a while, and have an age."""

    def __init__(self, **answers: Answer[Any]) -> None:
        super().__init__([make_run("r")])
        self._answers = answers

    async def answer(self, question: Question[T]) -> Answer[T]:
        like = self._answers[type(question).__name__]
        return msgspec.structs.replace(like, value=(await super().answer(question)).value)


async def test_a_list_waited_for_its_experiment_too() -> None:
    """A list waits for two answers, one after the other; it is as old as its runs are."""
    slow = SlowSource(
        GetExperiment=Answer(None, 9.0, Origin.COLLAPSED, 0.5), ListRuns=Answer(None, 1.0, Origin.MISS, 2.0)
    )
    answer = await queries(slow).runs(run_type=None, strategy_id=None, limit=5)
    assert Answer((make_run("r"),), 1.0, Origin.MISS, 2.5) == answer


async def test_an_empty_list_is_as_old_as_the_word_on_its_experiment() -> None:
    """Where the experiment is missing, the list has the age, the origin and the wait of that answer."""
    slow = SlowSource(GetExperiment=Answer(None, 3.0, Origin.STALE, 0.5, -1.0))
    slow.listed = []
    answer = await queries(slow).runs(run_type=None, strategy_id=None, limit=5)
    assert Answer((), 3.0, Origin.STALE, 0.5, -1.0) == answer


async def test_any_question_is_answered_as_the_source_answers_it() -> None:
    """What needs no more than one question is asked as it is."""
    assert Answer(make_run("a")) == await queries(RunsInMemory([make_run("a")])).answer(GetRun("a"))


async def test_several_runs_are_one_answer() -> None:
    """A comparison waited as long as the slowest of its runs, and has one age and one origin."""
    slow = SlowSource(GetRun=Answer(None, 3.0, Origin.HIT, 0.0, 5.0))
    slow.stored = [make_run("a"), make_run("b")]
    assert Answer((make_run("b"), make_run("a")), 3.0, Origin.HIT, 0.0, 5.0) == await queries(slow).together(
        [GetRun("b"), GetRun("a")]
    )
