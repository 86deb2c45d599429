"""GET /experiments over a fake MLflow."""

from typing import Any

from service.api import schemas
from tests.api.serving import API, Client, answered, serving
from tests.fakes.mlflow import FakeMlflow


async def listed(api: Client) -> list[dict[str, Any]]:
    body = await answered(await api.get(f"{API}/experiments"), schemas.ExperimentList)
    return list(body["experiments"])


async def test_an_experiment_has_the_four_fields_of_the_reference(api: Client) -> None:
    """A fresh MLflow has one experiment, and it is told with exactly four fields."""
    assert [
        {
            "experiment_id": "0",
            "name": "Default",
            "artifact_location": "mlflow-artifacts:/0",
            "lifecycle_stage": "active",
        }
    ] == await listed(api)


async def test_active_experiments_come_oldest_first(api: Client, fake: FakeMlflow) -> None:
    """Deleted experiments are left out, and the others stand in the order of their creation."""
    fake.add_experiment("b")
    fake.add_experiment("gone", lifecycle_stage="deleted")
    fake.add_experiment("a")
    assert ["Default", "b", "a"] == [one["name"] for one in await listed(api)]


async def test_every_page_is_read(api: Client, fake: FakeMlflow) -> None:
    """All experiments are told, however many pages MLflow needs."""
    names = [fake.store.create_experiment(f"e{number}").name for number in range(2_500)]
    assert ["Default", *names] == [one["name"] for one in await listed(api)]
    assert fake.count("experiments/search") == 3


async def test_an_mlflow_without_experiments(fake: FakeMlflow) -> None:
    """Where all experiments are deleted the list is empty."""
    fake.store.experiments["0"].lifecycle_stage = "deleted"
    async with serving(fake.url) as api:
        assert [] == await listed(api)
