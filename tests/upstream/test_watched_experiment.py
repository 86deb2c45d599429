"""What became of the default experiment is kept, and said when it changes."""

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest

from service.errors import UpstreamFailure, UpstreamForbidden
from service.tracking.questions import GetExperiment
from service.upstream.client import MlflowClient
from service.upstream.experiment import ensure_experiment
from service.upstream.experiment_state import ExperimentState
from service.upstream.transport import Limits, MlflowTransport
from service.upstream.watched_experiment import WatchedExperiment
from tests.api.serving import API, serving
from tests.fakes.faults import answering, only
from tests.fakes.mlflow import FakeMlflow


@pytest.fixture
async def client(fake: FakeMlflow) -> AsyncIterator[MlflowClient]:
    async with MlflowTransport(fake.url, Limits(attempts=1)) as transport:
        yield MlflowClient(transport)


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The warnings since the last time."""
    found = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    caplog.clear()
    return found


async def test_it_is_there(client: MlflowClient, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is said of an experiment that is good."""
    state = ExperimentState()
    assert "unknown" == state.state
    await WatchedExperiment(client, "Default", state).answer(GetExperiment("Default"))
    assert ("ok", []) == (state.state, [record.getMessage() for record in caplog.records])


async def test_it_is_missing(
    client: MlflowClient, fake: FakeMlflow, caplog: pytest.LogCaptureFixture
) -> None:
    """One that nobody creates is a warning, once, that says what to do; then it may come."""
    state = ExperimentState()
    watched = WatchedExperiment(client, "alpha", state)
    for _ in range(3):
        await watched.answer(GetExperiment("alpha"))
    [warning] = said(caplog)
    assert "'alpha' does not exist: set MLFLOW_EXPERIMENT_NAME" in warning
    assert "missing" == state.state
    fake.add_experiment("alpha")
    await watched.answer(GetExperiment("alpha"))
    assert ("ok", []) == (state.state, said(caplog))


async def test_it_is_deleted_while_the_service_runs(
    client: MlflowClient, fake: FakeMlflow, caplog: pytest.LogCaptureFixture
) -> None:
    """The next look finds it, and says how to restore it."""
    state = ExperimentState()
    watched = WatchedExperiment(client, "Default", state)
    await watched.answer(GetExperiment("Default"))
    fake.store.experiments["0"].lifecycle_stage = "deleted"
    await watched.answer(GetExperiment("Default"))
    [warning] = said(caplog)
    assert "mlflow experiments restore" in warning
    assert "deleted" == state.state


async def test_it_is_forbidden(
    client: MlflowClient, fake: FakeMlflow, caplog: pytest.LogCaptureFixture
) -> None:
    """A 403 of this experiment alone is told as such, and fails."""
    state = ExperimentState()
    watched = WatchedExperiment(client, "Default", state)
    fake.before = only("experiments/get-by-name", answering(403, "Permission denied"))
    for _ in range(2):
        with pytest.raises(UpstreamForbidden):
            await watched.answer(GetExperiment("Default"))
    [warning] = said(caplog)
    assert "forbids the experiment 'Default'" in warning
    assert "forbidden" == state.state


@pytest.mark.parametrize("status", [401, 403, 500, 503])
async def test_an_outage_is_no_news_of_it(client: MlflowClient, fake: FakeMlflow, status: int) -> None:
    """While MLflow does not answer, the last word stands."""
    state = ExperimentState()
    watched = WatchedExperiment(client, "Default", state)
    await watched.answer(GetExperiment("Default"))
    fake.before = answering(status)
    with pytest.raises(UpstreamFailure):
        await watched.answer(GetExperiment("Default"))
    assert "ok" == state.state


async def test_other_experiments(client: MlflowClient, caplog: pytest.LogCaptureFixture) -> None:
    """What becomes of others is nobody's business."""
    state = ExperimentState()
    await WatchedExperiment(client, "Default", state).answer(GetExperiment("other"))
    assert ("unknown", []) == (state.state, said(caplog))


async def test_it_is_about_to_be_created(
    client: MlflowClient, fake: FakeMlflow, caplog: pytest.LogCaptureFixture
) -> None:
    """That it is missing before it is created is no warning; that it is later, is one."""
    state = ExperimentState()
    watched = WatchedExperiment(client, "alpha", state, to_be_created=True)
    await watched.answer(GetExperiment("alpha"))
    await ensure_experiment(watched, "alpha")
    assert ("ok", []) == (state.state, said(caplog))
    fake.store.experiments.popitem()
    await watched.answer(GetExperiment("alpha"))
    assert ("missing", 1) == (state.state, len(said(caplog)))


async def test_it_may_not_be_created(
    client: MlflowClient, fake: FakeMlflow, caplog: pytest.LogCaptureFixture
) -> None:
    """Where MLflow refuses to create it, that is said, and it is missing."""
    state = ExperimentState()
    watched = WatchedExperiment(client, "alpha", state, to_be_created=True)
    refusal = '{"error_code": "INVALID_PARAMETER_VALUE", "message": "no"}'
    fake.before = only("experiments/create", answering(400, refusal, content_type="application/json"))
    await ensure_experiment(watched, "alpha")
    assert ("missing", 1) == (state.state, len(said(caplog)))


@pytest.mark.parametrize("identifier", ["", "0"])
async def test_an_id_that_fits(
    client: MlflowClient, caplog: pytest.LogCaptureFixture, identifier: str
) -> None:
    """MLFLOW_EXPERIMENT_ID beside the name is good where both mean the same."""
    await WatchedExperiment(client, "Default", ExperimentState(), identifier=identifier).answer(
        GetExperiment("Default")
    )
    assert [] == said(caplog)


async def test_an_id_that_contradicts(client: MlflowClient, caplog: pytest.LogCaptureFixture) -> None:
    """Where they do not, that is a warning, once."""
    watched = WatchedExperiment(client, "Default", ExperimentState(), identifier="5")
    await asyncio.gather(watched.answer(GetExperiment("Default")), watched.answer(GetExperiment("Default")))
    [warning] = said(caplog)
    assert warning.startswith("MLFLOW_EXPERIMENT_ID is 5, and the experiment 'Default' is 0")


async def test_the_services_own_lists(fake: FakeMlflow, caplog: pytest.LogCaptureFixture) -> None:
    """Each list that asks MLflow is a look: a deleted experiment is a 200 without runs, and a warning."""
    fake.store.experiments["0"].lifecycle_stage = "deleted"
    async with serving(fake.url) as api:
        response = await api.get(f"{API}/runs")
        assert (200, 0) == (response.status, (await response.json())["total"])
        assert "deleted" == api.service.experiment.state
    assert 1 == len([one for one in said(caplog) if "is deleted" in one])
