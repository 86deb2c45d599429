"""Which experiments are indexed, and what happens when they come, go, or are renamed."""

from msgspec.structs import replace

from service.index.scope import Scope
from service.tracking.questions import GetExperiment, ListExperiments
from service.tracking.runs import Experiment
from tests.index.scripted import BASE_MS, RESEARCH, World

OTHER = Experiment("2", "other", "s3://2", "active", BASE_MS)


def with_runs(world: World) -> World:
    for each in range(100):
        for experiment_id in "12":
            world.mlflow.add(
                f"e{experiment_id}r{each}",
                experiment_id=experiment_id,
                status="FINISHED",
                start_time=BASE_MS - each,
                end_time=BASE_MS,
            )
    return world


async def test_one_name() -> None:
    """Of a single experiment the index has the runs of that one only."""
    world = with_runs(World())
    world.mlflow.experiments.append(OTHER)
    await world.read()
    assert 100 == len(world.runs.table)
    assert not world.index.follows(("2",))
    assert not world.index.covers(("1", "2"))


async def test_an_experiment_that_appears_later() -> None:
    """An experiment that did not exist is no error; once it does, all its runs are read."""
    world = with_runs(World(names=(RESEARCH, "other")))
    await world.read()
    await world.pass_time(10)
    assert 100 == len(world.runs.table)
    world.mlflow.experiments.append(OTHER)
    await world.until(lambda: world.index.covers(("1", "2")), 120)
    assert world.mlflow.visible() == world.indexed()


async def test_those_that_were_read_are_searched_meanwhile() -> None:
    """While a new experiment is read for the first time the others stay complete."""
    world = with_runs(World(names=("*",)))
    await world.read()
    world.mlflow.experiments.append(OTHER)
    await world.until(lambda: world.index.follows(("2",)), 120)
    assert world.index.covers(("1",))
    assert not world.index.covers(("2",))
    assert 100 == (await world.search()).value.total


async def test_a_deleted_experiment_leaves_with_its_runs() -> None:
    """Once an experiment is deleted, none of its runs is in the index; restored, it is read anew."""
    world = with_runs(World(names=("*",)))
    world.mlflow.experiments.append(OTHER)
    await world.read()
    world.mlflow.experiments[1] = replace(OTHER, lifecycle_stage="deleted")
    await world.until(lambda: not world.index.follows(("2",)), 120)
    assert world.mlflow.visible() == world.indexed()
    world.mlflow.experiments[1] = OTHER
    await world.until(lambda: world.index.covers(("2",)), 120)
    assert world.mlflow.visible() == world.indexed()


async def test_the_name_of_the_setting_counts() -> None:
    """An experiment that is renamed leaves, and another one that takes its name comes."""
    world = with_runs(World())
    await world.read()
    world.mlflow.experiments = [
        replace(world.mlflow.experiments[0], name="old"),
        replace(OTHER, name=RESEARCH),
    ]
    await world.until(lambda: world.index.covers(("2",)), 120)
    assert not world.index.follows(("1",))
    assert {"2"} == {run.experiment_id for run in world.indexed().values()}


async def test_an_experiment_that_is_deleted_while_it_is_read() -> None:
    """The first read of an experiment ends with the experiment, and others are read to their end."""
    world = with_runs(World(names=("*",)))
    await world.read()
    world.mlflow.experiments.append(OTHER)
    for each in range(2_000):
        world.mlflow.add(f"more{each}", experiment_id="2", status="FINISHED", end_time=BASE_MS)
    await world.until(lambda: world.index.follows(("2",)), 120)
    world.mlflow.experiments.pop()
    await world.until(lambda: "complete" == world.index.condition, 240)
    assert {"1"} == {run.experiment_id for run in world.indexed().values()}


async def test_an_mlflow_without_the_experiment() -> None:
    """Where no experiment exists the index is empty, complete, and asks for experiments only."""
    world = World(names=("nowhere",))
    await world.pass_time(300)
    assert "complete" == world.index.condition
    assert {GetExperiment("nowhere")} == {question for _, question, _ in world.mlflow.calls}


async def test_many_names_take_one_call() -> None:
    """Three names or more are looked up in the list of all experiments."""
    world = World()
    world.mlflow.experiments.append(OTHER)
    experiments, seconds = await Scope((RESEARCH, "other", "nowhere")).look(world.mlflow)
    assert (RESEARCH, "other") == tuple(one.name for one in experiments)
    assert seconds > 0
    assert [ListExperiments()] == [question for _, question, _ in world.mlflow.calls]
