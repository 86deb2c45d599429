"""References to runs, model versions, logged models and artifacts, followed to the runs that made them."""

from typing import Any

import pytest

from service.errors import LineageNotFound, UpstreamError
from service.tracking.lineage.questions import (
    FORBIDDEN,
    UNSUPPORTED,
    GetLoggedModel,
    GetModelByAlias,
    GetModelVersion,
    LoggedModel,
    ModelVersion,
)
from service.tracking.lineage.refs import RefKind
from service.tracking.lineage.resolved import Resolved
from service.tracking.lineage.resolving import resolve
from service.tracking.questions import GetRun, Question
from tests.tracking.lineage.registry import A_CALL, RegistryInMemory, asked_of, made_by, run_id_of

RUN = run_id_of(1)
MODEL = f"m-{run_id_of(2)}"
MODEL_ROOT = f"s3://bucket/0/models/{MODEL}/artifacts"


@pytest.fixture
def mlflow() -> RegistryInMemory:
    """An MLflow with one run, one logged model of it and no registered model."""
    source = RegistryInMemory([made_by(1)])
    source.models[MODEL] = LoggedModel(MODEL, source_run_id=RUN, artifact_uri=MODEL_ROOT)
    return source


async def found(mlflow: RegistryInMemory, ref: str) -> Resolved:
    """What a reference is resolved to."""
    return (await resolve(asked_of(mlflow), ref)).value


def told(resolved: Resolved) -> list[tuple[str, str, str]]:
    """The id of each run, the evidence for it and what says so."""
    return [(maker.run.run_id, str(maker.evidence), maker.by) for maker in resolved.makers]


async def tried(mlflow: RegistryInMemory, ref: str) -> list[tuple[str, str]]:
    """What was looked for in vain, and what came of it."""
    with pytest.raises(LineageNotFound) as caught:
        await resolve(asked_of(mlflow), ref)
    assert ref == caught.value.ref
    return [(what, str(outcome)) for what, outcome in caught.value.tried]


@pytest.mark.parametrize("ref", [RUN, f"runs:/{RUN}/model", f"http://h/#/experiments/0/runs/{RUN}"])
async def test_a_run_that_is_named(mlflow: RegistryInMemory, ref: str) -> None:
    """A run by its id is one question, and on record."""
    resolved = await found(mlflow, ref)
    assert [(RUN, "recorded", "run_id")] == told(resolved)
    assert (ref, RefKind.RUN, True) == (resolved.ref, resolved.kind, resolved.is_complete)
    assert [GetRun(RUN)] == mlflow.calls


async def test_a_version_leads_to_its_run(mlflow: RegistryInMemory) -> None:
    """A version that records its run needs two rounds, and is answered beside the run."""
    version = ModelVersion("the model", "3", run_id=RUN)
    mlflow.register(version)
    resolved = await found(mlflow, "models:/the model/3")
    assert [(RUN, "recorded", "model_version.run_id")] == told(resolved)
    assert version == resolved.model_version
    assert [GetModelVersion("the model", "3"), GetRun(RUN)] == mlflow.calls


async def test_an_alias_that_has_moved(mlflow: RegistryInMemory) -> None:
    """An alias leads to the run of the version that it stands for now."""
    mlflow.runs |= {run_id_of(5): made_by(5)}
    mlflow.register(ModelVersion("m", "1", run_id=RUN), "champion")
    assert [RUN] == [run.run_id for run in (await found(mlflow, "models:/m@champion")).runs]
    mlflow.register(ModelVersion("m", "2", run_id=run_id_of(5)), "champion")
    assert [run_id_of(5)] == [run.run_id for run in (await found(mlflow, "models:/m@champion")).runs]


@pytest.mark.parametrize(
    ("fields", "by", "calls"),
    [
        ({"model_id": MODEL}, "logged_model.source_run_id", [GetLoggedModel(MODEL), GetRun(RUN)]),
        ({"source": f"models:/{MODEL}"}, "logged_model.source_run_id", [GetLoggedModel(MODEL), GetRun(RUN)]),
        ({"source": MODEL_ROOT}, "logged_model.source_run_id", [GetLoggedModel(MODEL), GetRun(RUN)]),
        ({"source": f"runs:/{RUN}/model"}, "model_version.source", [GetRun(RUN)]),
        ({"source": f"s3://bucket/0/{RUN}/artifacts/model"}, "model_version.source", [GetRun(RUN)]),
        (
            {"source": "models:/origin/1"},
            "model_version.run_id",
            [GetModelVersion("origin", "1"), GetRun(RUN)],
        ),
    ],
)
async def test_a_version_without_a_run_id(
    mlflow: RegistryInMemory, fields: dict[str, Any], by: str, calls: list[Question[Any]]
) -> None:
    """A version that records no run is followed through its logged model or its source: three rounds."""
    mlflow.register(ModelVersion("origin", "1", run_id=RUN))
    mlflow.register(ModelVersion("m", "3", **fields))
    resolved = await found(mlflow, "models:/m/3")
    assert [(RUN, by)] == [(run_id, by) for run_id, _, by in told(resolved)]
    assert [GetModelVersion("m", "3"), *calls] == mlflow.calls
    assert ("model version 'm/3'", "found") == (resolved.tried[0].what, resolved.tried[0].outcome)
    assert "no_run" == resolved.tried[1].outcome


async def test_a_version_copied_again_and_again(mlflow: RegistryInMemory) -> None:
    """The way is given up after three rounds, also where it leads round in a circle."""
    mlflow.register(ModelVersion("m", "1", source="models:/m/2"))
    mlflow.register(ModelVersion("m", "2", source="models:/m/1"))
    assert ("model version 'm/1'", "found") == (await tried(mlflow, "models:/m/1"))[0]
    assert 3 == len(mlflow.calls)


@pytest.mark.parametrize(
    ("ref", "evidence"),
    [(MODEL, "recorded"), (f"models:/{MODEL}", "recorded"), (f"{MODEL_ROOT}/MLmodel", "derived")],
)
async def test_a_logged_model_leads_to_its_run(mlflow: RegistryInMemory, ref: str, evidence: str) -> None:
    """A logged model, by its id or by where it is kept, leads to the run that made it."""
    resolved = await found(mlflow, ref)
    assert [(RUN, evidence, "logged_model.source_run_id")] == told(resolved)
    assert mlflow.models[MODEL] == resolved.logged_model


async def test_an_artifact_of_a_run(mlflow: RegistryInMemory) -> None:
    """A run whose root holds the artifact has made it, which is derived and not on record."""
    resolved = await found(mlflow, f"s3a://bucket/0/{RUN}/artifacts/plots/a%20b.png")
    assert [(RUN, "derived", "artifact_uri")] == told(resolved)


@pytest.mark.parametrize(
    ("ref", "expected"),
    [
        (f"s3://other/0/{RUN}/artifacts/x", [(f"run '{RUN}'", "elsewhere")]),
        (
            f"s3://other/0/models/{MODEL}/artifacts",
            [(f"logged model '{MODEL}'", "elsewhere")],
        ),
        (f"s3://bucket/0/{run_id_of(9)}/artifacts", [(f"run '{run_id_of(9)}'", "missing")]),
        (
            "s3://bucket/models/a.pkl",
            [("a run id or a logged model's id in 's3://bucket/models/a.pkl'", "missing")],
        ),
        (run_id_of(9), [(f"run '{run_id_of(9)}'", "missing")]),
        ("models:/m/7", [("model version 'm/7'", "missing")]),
        ("models:/m@best", [("model alias 'm@best'", "missing")]),
        (f"m-{run_id_of(9)}", [(f"logged model 'm-{run_id_of(9)}'", "missing")]),
    ],
)
async def test_what_is_not_found_is_said(
    mlflow: RegistryInMemory, ref: str, expected: list[tuple[str, str]]
) -> None:
    """The error tells what was looked for, and whether it is missing or somewhere else."""
    assert expected == await tried(mlflow, ref)


async def test_a_version_and_a_model_that_no_run_made(mlflow: RegistryInMemory) -> None:
    """What is there and names no run is not taken for missing."""
    mlflow.models[MODEL] = LoggedModel(MODEL)
    mlflow.register(ModelVersion("m", "1", source="https://hub.example.com/model"))
    mlflow.register(ModelVersion("m", "2", model_id=MODEL))
    assert [
        ("model version 'm/1'", "found"),
        ("the run of model version 'm/1'", "no_run"),
    ] == await tried(mlflow, "models:/m/1")
    assert ("the run of logged model " + repr(MODEL), "no_run") == (await tried(mlflow, "models:/m/2"))[-1]


async def test_a_run_that_is_deleted_or_gone(mlflow: RegistryInMemory) -> None:
    """A deleted run is answered as one; where even that is gone, the version is said to be there."""
    mlflow.register(ModelVersion("m", "1", run_id=RUN))
    mlflow.runs[RUN] = made_by(1, is_deleted=True)
    assert [True] == [run.is_deleted for run in (await found(mlflow, "models:/m/1")).runs]
    del mlflow.runs[RUN]
    assert [("model version 'm/1'", "found"), (f"run '{RUN}'", "missing")] == await tried(
        mlflow, "models:/m/1"
    )


@pytest.mark.parametrize("reason", [UNSUPPORTED, FORBIDDEN])
@pytest.mark.parametrize(
    ("ref", "kind"),
    [("models:/m/1", GetModelVersion), ("models:/m@a", GetModelByAlias), (MODEL, GetLoggedModel)],
)
async def test_what_the_server_does_not_serve_is_said(
    mlflow: RegistryInMemory, ref: str, kind: type[Question[Any]], reason: str
) -> None:
    """A server without a registry, or one that keeps it to itself, is not one where nothing exists."""
    mlflow.lacks[kind] = reason
    ((_, outcome),) = await tried(mlflow, ref)
    assert reason == outcome


async def test_a_registry_that_fails_is_an_error(mlflow: RegistryInMemory) -> None:
    """A failing server is a failure, and never a reference that nothing made."""
    mlflow.fails[GetModelVersion] = UpstreamError("down")
    with pytest.raises(UpstreamError):
        await resolve(asked_of(mlflow), "models:/m/1")


async def test_an_answer_waited_for_each_of_its_rounds(mlflow: RegistryInMemory) -> None:
    """An answer of three rounds waited for their sum."""
    mlflow.register(ModelVersion("m", "3", model_id=MODEL))
    answer = await resolve(asked_of(mlflow), "models:/m/3")
    assert pytest.approx(3 * A_CALL) == answer.waited
