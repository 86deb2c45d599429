"""The service creates its default experiment where MLflow lacks it."""

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest

from service.upstream.client import MlflowClient
from service.upstream.experiment import ensure_experiment, resembling
from service.upstream.transport import Limits, MlflowTransport
from tests.api.serving import Client, serving
from tests.fakes.faults import answering, only
from tests.fakes.mlflow import FakeMlflow


@pytest.fixture
async def client(fake: FakeMlflow) -> AsyncIterator[MlflowClient]:
    async with MlflowTransport(fake.url, Limits(attempts=1)) as transport:
        yield MlflowClient(transport)


async def never(_: float) -> None:
    raise AssertionError("nothing to wait for")


def named(fake: FakeMlflow, name: str) -> int:
    return sum(one.name == name for one in fake.store.experiments.values())


async def test_creates_an_absent_experiment(client: MlflowClient, fake: FakeMlflow) -> None:
    """The experiment that MLflow lacks is created once."""
    await ensure_experiment(client, "new", never)
    await ensure_experiment(client, "new", never)
    assert 1 == named(fake, "new")
    assert 1 == fake.count("experiments/create")


@pytest.mark.parametrize("stage", ["active", "deleted"])
async def test_leaves_an_existing_experiment_alone(
    client: MlflowClient, fake: FakeMlflow, stage: str
) -> None:
    """An experiment that exists stays as it is, even if it is deleted."""
    fake.add_experiment("there", lifecycle_stage=stage)
    await ensure_experiment(client, "there", never)
    assert 0 == fake.count("experiments/create")
    assert (
        stage == next(one for one in fake.store.experiments.values() if one.name == "there").lifecycle_stage
    )


async def test_ten_replicas_create_one_experiment(
    client: MlflowClient, fake: FakeMlflow, caplog: pytest.LogCaptureFixture
) -> None:
    """Where ten replicas create the experiment at once, one succeeds, and none logs a warning."""
    looked, all_looked = 0, asyncio.Event()

    async def together(_: object) -> None:
        nonlocal looked
        looked += 1
        if looked == 10:
            all_looked.set()
        await all_looked.wait()

    fake.before = only("experiments/get-by-name", together)
    await asyncio.gather(*(ensure_experiment(client, "new", never) for _ in range(10)))
    assert 10 == fake.count("experiments/create")
    assert 1 == named(fake, "new")
    assert [] == [record for record in caplog.records if record.levelno >= logging.WARNING]


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize("status", [400, 404])
@pytest.mark.parametrize("endpoint", ["experiments/get-by-name", "experiments/create"])
async def test_a_refusal_is_one_warning(
    client: MlflowClient, fake: FakeMlflow, caplog: pytest.LogCaptureFixture, status: int, endpoint: str
) -> None:
    """Where MLflow itself refuses, the service logs one warning and does not try again."""
    refusal = '{"error_code": "INVALID_PARAMETER_VALUE", "message": "no"}'
    fake.before = only(endpoint, answering(status, refusal, content_type="application/json"))
    await ensure_experiment(client, "new", never)
    [warning] = warnings(caplog)
    assert "new" in warning
    assert str(status) in warning
    assert 1 == fake.count(endpoint)


@pytest.mark.parametrize(
    ("status", "text", "content_type"),
    [
        (404, "404 page not found", "text/plain"),
        (404, "<html>Not Found</html>", "text/html"),
        (401, "<html>Sign in</html>", "text/html"),
        (401, "You are not authenticated.", "text/plain"),
        (403, "Permission denied", "text/plain"),
        (403, '{"error_code": "PERMISSION_DENIED"}', "application/json"),
    ],
)
@pytest.mark.parametrize("endpoint", ["experiments/get-by-name", "experiments/create"])
async def test_tries_again_after_answers_that_are_not_final(
    client: MlflowClient,
    fake: FakeMlflow,
    caplog: pytest.LogCaptureFixture,
    status: int,
    text: str,
    content_type: str,
    endpoint: str,
) -> None:
    """A proxy's page, or a user without rights, is one warning, and the service tries until it succeeds."""
    fake.before = only(endpoint, answering(status, text, content_type=content_type))
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 4:
            fake.before = None

    await ensure_experiment(client, "new", sleep)
    assert [0.5, 1, 2, 4] == pauses
    assert 1 == named(fake, "new")
    [warning] = warnings(caplog)
    assert str(status) in warning


async def test_each_cause_is_one_warning(
    client: MlflowClient, fake: FakeMlflow, caplog: pytest.LogCaptureFixture
) -> None:
    """Each different answer in MLflow's place is one warning, however often it is repeated."""
    faults = [answering(status) for status in (404, 401, 404, 403, 401)]
    fake.before = faults.pop(0)

    async def sleep(_: float) -> None:
        fake.before = faults.pop(0) if faults else None

    await ensure_experiment(client, "new", sleep)
    assert ["404", "401", "403"] == [one.split("status ")[1][:3] for one in warnings(caplog)]


@pytest.mark.parametrize(
    ("name", "names", "expected"),
    [
        ("hedge-fund-reserch", ["Default", "hedge-fund-research"], "hedge-fund-research"),
        ("Hedge-Fund", ["hedge-fund"], "hedge-fund"),
        ("hedge_fund", ["hedge-fund"], "hedge-fund"),
        ("hedge fund", ["hedge-fund"], "hedge-fund"),
        ("hedge-fund", ["hedge-fund"], None),
        ("momentum-2", ["momentum-1", "momentum-3"], None),
        ("2024-01", ["2024-02"], None),
        ("alpha", ["beta", "gamma"], None),
        ("alpha", [], None),
    ],
)
def test_finds_a_similar_name(name: str, names: list[str], expected: str | None) -> None:
    """A misspelt name resembles the right one, and names that differ by a number do not."""
    assert expected == resembling(name, names)


async def test_warns_of_a_similar_name(
    client: MlflowClient, fake: FakeMlflow, caplog: pytest.LogCaptureFixture
) -> None:
    """A new experiment with nearly the name of another is a warning that names both."""
    fake.add_experiment("hedge-fund-research")
    await ensure_experiment(client, "hedge-fund-reserch", never)
    await ensure_experiment(client, "hedge-fund-reserch", never)
    [warning] = warnings(caplog)
    assert "'hedge-fund-research'" in warning
    assert "'hedge-fund-reserch'" in warning


async def test_tries_again_after_longer_and_longer_pauses(
    client: MlflowClient, fake: FakeMlflow, caplog: pytest.LogCaptureFixture
) -> None:
    """While MLflow does not answer, the pauses between attempts grow up to a limit."""
    await fake.stop()
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 9:
            await fake.start()

    async with MlflowTransport(fake.url, Limits(attempts=1, breaker_failures=100)) as transport:
        await ensure_experiment(MlflowClient(transport), "new", sleep)
    assert [0.5, 1, 2, 4, 8, 16, 30, 30, 30] == pauses
    assert 1 == named(fake, "new")
    assert [] == [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_a_failed_creation_starts_over(client: MlflowClient, fake: FakeMlflow) -> None:
    """After a creation that fails, the service looks for the experiment again before it creates it."""
    fake.before = only("experiments/create", answering(503))

    async def heal(_: float) -> None:
        fake.before = None

    await ensure_experiment(client, "new", heal)
    assert 1 == named(fake, "new")
    assert 2 == fake.count("experiments/get-by-name")


async def until_created(fake: FakeMlflow, name: str) -> None:
    """Wait, for as long as a test may, until the fake was asked to create something."""
    created = asyncio.Event()
    create = fake.store.create_experiment

    def noticed(*arguments: object, **named: object) -> object:
        created.set()
        return create(*arguments, **named)  # type: ignore[arg-type]

    fake.store.create_experiment = noticed  # type: ignore[method-assign, assignment]
    if not any(one.name == name for one in fake.store.experiments.values()):
        async with asyncio.timeout(5):
            await created.wait()


async def listed(api: Client) -> list[str]:
    response = await api.get("/api/v1/tracking/experiments", headers={"Cache-Control": "no-cache"})
    return [one["name"] for one in (await response.json())["experiments"]]


async def test_the_service_creates_it_at_the_start(fake: FakeMlflow) -> None:
    """A service that starts creates MLFLOW_EXPERIMENT_NAME in the background."""
    async with serving(fake.url, mlflow_experiment_name="research", create_experiment=True) as api:
        await until_created(fake, "research")
        assert ["Default", "research"] == await listed(api)


async def test_an_absent_mlflow_delays_no_start_and_no_stop(fake: FakeMlflow) -> None:
    """The service starts, answers and stops while it still waits for MLflow to create the experiment."""
    await fake.stop()
    async with serving(fake.url, mlflow_experiment_name="research", create_experiment=True) as api:
        assert 200 == (await api.get("/livez")).status


async def test_creates_nothing_where_that_is_turned_off(fake: FakeMlflow) -> None:
    """With TRACKING_CREATE_EXPERIMENT=false the service creates no experiment."""
    async with serving(fake.url, mlflow_experiment_name="research", create_experiment=False) as api:
        assert ["Default"] == await listed(api)
    assert {"experiments/search"} == {call.endpoint for call in fake.calls}
