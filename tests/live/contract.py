"""The service over whichever MLflow a test is about, listing an experiment of the test's own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from service.api import schemas
from tests.api.serving import API, Client, answered, serving
from tests.live.logbook import Logbook, unique

FRESH = {"Cache-Control": "no-cache"}


@dataclass(frozen=True, slots=True)
class Page:
    """A fresh experiment in MLflow, and the service that lists it."""

    mlflow: Logbook
    api: Client
    experiment: str
    name: str

    async def ask(self, path: str, model: type[BaseModel], **query: str) -> dict[str, Any]:
        """A good answer, as MLflow has it now."""
        return await answered(await self.api.get(API + path, params=query, headers=FRESH), model)

    async def listed(self, **query: str) -> list[dict[str, Any]]:
        return list((await self.ask("/runs", schemas.RunList, **query))["runs"])

    async def ids(self, **query: str) -> list[str]:
        return [run["run_id"] for run in await self.listed(**query)]

    async def detail(self, run_id: str) -> dict[str, Any]:
        return await self.ask(f"/runs/{run_id}", schemas.RunDetail)

    async def compare(self, *run_ids: str) -> dict[str, Any]:
        body = {"run_ids": run_ids}
        return await answered(await self.api.post(f"{API}/runs/compare", json=body), schemas.Comparison)


@asynccontextmanager
async def page_of(mlflow: Logbook, **fields: Any) -> AsyncIterator[Page]:
    """A page over a new experiment. fields: more of MLflow's experiments/create."""
    name = unique("contract")
    created = await mlflow.write("experiments/create", name=name, **fields)
    async with serving(mlflow.url, mlflow_experiment_name=name, **mlflow.access) as api:
        yield Page(mlflow, api, str(created["experiment_id"]), name)
