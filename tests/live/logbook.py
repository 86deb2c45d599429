"""What a test writes into an MLflow before it asks about it: the same calls for the fake and a real one."""

import base64
import json
import math
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

API = "api/2.0/mlflow/"
# As what the SQL store keeps infinity.
LARGEST = 1.7976931348623157e308


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    content_type: str
    text: str
    headers: Mapping[str, str]

    @property
    def body(self) -> Any:
        return json.loads(self.text)


def unique(name: str) -> str:
    """A name that no other test on the same server uses; MLflow keeps even deleted experiments' names."""
    return f"{name}-{uuid.uuid4().hex[:8]}"


def pairs(values: Mapping[str, str] | None) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in (values or {}).items()]


class Logbook:
    """Writes experiments and runs through MLflow's REST API. The session's base URL is the server's.

    artifacts: where the server keeps them, with a slash at its end. access: the settings with which the
    service is let in, where the server tells users apart.
    """

    def __init__(
        self, session: aiohttp.ClientSession, artifacts: str = "mlflow-artifacts:/", **access: str
    ) -> None:
        self._session = session
        self.url = str(session._base_url)
        self.artifacts = artifacts
        self.access = access

    async def ask(self, method: str, path: str, **arguments: Any) -> Reply:
        """One request, whatever the answer."""
        async with self._session.request(method, path, **arguments) as response:
            return Reply(
                response.status, response.content_type, await response.text(), response.headers.copy()
            )

    async def get(self, endpoint: str, **params: Any) -> Reply:
        return await self.ask("GET", API + endpoint, params=params)

    async def post(self, endpoint: str, **body: Any) -> Reply:
        return await self.ask("POST", API + endpoint, json=body)

    async def write(self, endpoint: str, **body: Any) -> Any:
        """One request that has to succeed."""
        reply = await self.post(endpoint, **body)
        if reply.status != 200:
            raise AssertionError(f"{endpoint}: {reply.status} {reply.text}")
        return reply.body

    async def create_experiment(self, name: str, tags: Mapping[str, str] | None = None) -> str:
        created = await self.write("experiments/create", name=name, tags=pairs(tags))
        return str(created["experiment_id"])

    async def delete_experiment(self, experiment_id: str) -> None:
        await self.write("experiments/delete", experiment_id=experiment_id)

    async def restore_experiment(self, experiment_id: str) -> None:
        await self.write("experiments/restore", experiment_id=experiment_id)

    async def create_run(
        self,
        experiment_id: str,
        run_name: str = "",
        *,
        tags: Mapping[str, str] | None = None,
        start_time: int = 0,
        user_id: str = "",
    ) -> str:
        created = await self.write(
            "runs/create",
            experiment_id=experiment_id,
            run_name=run_name,
            tags=pairs(tags),
            start_time=start_time,
            user_id=user_id,
        )
        return str(created["run"]["info"]["run_id"])

    async def log(
        self,
        run_id: str,
        *,
        params: Mapping[str, str] | None = None,
        metrics: Mapping[str, float] | None = None,
        tags: Mapping[str, str] | None = None,
        timestamp: int = 1,  # FastTrackML takes no 0
        step: int = 0,
    ) -> None:
        written = [
            {"key": key, "value": number(value), "timestamp": timestamp, "step": step}
            for key, value in (metrics or {}).items()
        ]
        await self.write(
            "runs/log-batch", run_id=run_id, metrics=written, params=pairs(params), tags=pairs(tags)
        )

    async def finish(self, run_id: str, status: str = "FINISHED", end_time: int = 1) -> None:
        await self.write("runs/update", run_id=run_id, status=status, end_time=end_time)

    async def delete_run(self, run_id: str) -> None:
        await self.write("runs/delete", run_id=run_id)

    async def restore_run(self, run_id: str) -> None:
        await self.write("runs/restore", run_id=run_id)


def number(value: float) -> float | str:
    """A metric value as MLflow's clients send it: what JSON has no word for as protobuf's strings."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def problem(reply: Reply) -> tuple[int, str, str]:
    """What a caller can tell from an error: status, code, message."""
    assert reply.content_type == "application/json"
    assert set(reply.body) == {"error_code", "message", "sqlstate", "error_class"}
    return reply.status, reply.body["error_code"], reply.body["message"]


def names(reply: Reply) -> list[str]:
    """The names of the runs found, in order."""
    assert reply.status == 200, reply.text
    return [run["info"]["run_name"] for run in reply.body.get("runs", [])]


def token(offset: object) -> str:
    return base64.b64encode(json.dumps(offset).encode()).decode()
