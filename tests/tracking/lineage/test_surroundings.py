"""What is found around a run, what it costs MLflow, and what is said to be missing."""

from typing import Any

from service.answer import Answer
from service.tracking.lineage.questions import (
    UNSUPPORTED,
    LoggedModel,
    ModelVersion,
    ModelVersions,
    SearchModelVersions,
)
from service.tracking.lineage.report import lineage_of
from service.tracking.lineage.resolving import resolve
from service.tracking.lineage.surroundings import MOST_RUNS, Surroundings, surroundings_of
from service.tracking.questions import Question
from tests.api.searching import HeldIndex
from tests.tracking.lineage.registry import A_CALL, RegistryInMemory, asked_of, made_by, run_id_of
from tests.tracking.lineage.runs import WHOLE

TAGS = {"run_type": "backtest", **WHOLE}
MODEL_ID = f"m-{'a' * 32}"


class Registry(RegistryInMemory):
    """The same, and the versions of runs."""

    def _look(self, question: Question[Any]) -> Any:
        if isinstance(question, SearchModelVersions):
            return ModelVersions(
                tuple(one for one in self.versions.values() if one.run_id in question.run_ids)
            )
        return super()._look(question)


def registry_of(runs: int) -> Registry:
    """A registry with runs of one session, and a version whose run is known by its logged model only."""
    registry = Registry([made_by(number, tags=TAGS) for number in range(1, runs + 1)])
    registry.register(ModelVersion("forecast", "3", model_id=MODEL_ID), "champion")
    registry.models[MODEL_ID] = LoggedModel(MODEL_ID, source_run_id=run_id_of(1))
    return registry


async def around(registry: Registry, ref: str, index: HeldIndex | None = None) -> Answer[Surroundings]:
    asked = asked_of(registry, index)
    return await surroundings_of(asked, await resolve(asked, ref))


def codes(found: Surroundings) -> set[str]:
    return {one.code for one in found.warnings}


async def test_three_rounds_are_the_most() -> None:
    """After an alias, a logged model and a run nothing more is asked, and that is said."""
    registry = registry_of(3)
    answer = await around(registry, "models:/forecast@champion")
    assert {"session_not_read", "versions_not_read"} == codes(answer.value)
    assert 3 == len(registry.calls) == round(answer.waited / A_CALL)
    assert [run_id_of(1)] == [run.run_id for run in answer.value.runs]


async def test_an_index_costs_no_round() -> None:
    """The same with an index: the session is there, after three rounds."""
    registry = registry_of(3)
    index = HeldIndex(registry.runs.values())
    answer = await around(registry, "models:/forecast@champion", index)
    assert {"versions_not_read"} == codes(answer.value)
    assert 3 == len(registry.calls)
    assert 3 == len(answer.value.runs)


async def test_two_rounds_of_a_run() -> None:
    """A run is found in one round, and all around it in a second one."""
    registry = registry_of(3)
    registry.register(ModelVersion("forecast", "4", run_id=run_id_of(1)))
    answer = await around(registry, run_id_of(1))
    assert 2 == round(answer.waited / A_CALL)
    assert ["4"] == [one.version for one in answer.value.versions]
    assert {"session_partial"} == codes(answer.value)


async def test_a_session_that_is_too_large() -> None:
    """The newest runs are looked at, the run itself is there all the same, and the number is said."""
    registry = registry_of(MOST_RUNS + 50)
    unread = (await around(registry, run_id_of(1))).value
    found = (await around(registry, run_id_of(1), HeldIndex(registry.runs.values()))).value
    for one in (unread, found):
        assert {"session_cut", "dataset_cut"} <= codes(one)
        assert MOST_RUNS + 1 == len(one.runs)
    assert any("250 runs may be of the session" in one.text for one in found.warnings)


async def test_a_server_without_a_registry() -> None:
    """The session is there, and that no versions could be asked for is said."""
    registry = registry_of(2)
    registry.lacks[SearchModelVersions] = UNSUPPORTED
    found = (await around(registry, run_id_of(1))).value
    assert "versions_not_read" in codes(found)
    assert 2 == len(found.runs)


async def test_too_many_contradictions() -> None:
    """The first ones are shown, and that there are more is said."""
    metrics = {f"m{at}": 1.0 for at in range(60)}
    others = dict.fromkeys(metrics, 2.0)
    runs = [made_by(at, tags=TAGS, params={"p": "1"}, metrics=others if at else metrics) for at in range(2)]
    registry = Registry(runs)
    asked = asked_of(registry)
    resolved = await resolve(asked, run_id_of(0))
    found = await surroundings_of(asked, resolved)
    lineage = lineage_of(resolved.value, found.value)
    assert 50 == len(lineage.contradictions)
    assert "contradictions_cut" in {one.code for one in lineage.warnings}
