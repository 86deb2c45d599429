"""The service as an operator starts it: a process of its own, told by MLflow's variables where MLflow is."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.api.serving import API
from tests.bench.machine import free_port, running
from tests.live.contract import FRESH
from tests.live.logbook import Logbook, unique
from tests.matrix.servers import Tracked

ROOT = Path(__file__).parents[3]

pytestmark = pytest.mark.asyncio(loop_scope="module")


def variables_for(tracked: Tracked, experiment: str) -> dict[str, str]:
    variables = {"MLFLOW_TRACKING_URI": tracked.url.rstrip("/"), "MLFLOW_EXPERIMENT_NAME": experiment}
    if tracked.login:
        variables["MLFLOW_TRACKING_USERNAME"] = tracked.login.username
        variables["MLFLOW_TRACKING_PASSWORD"] = tracked.login.password
    return variables


async def test_the_command_line(tracked: Tracked, mlflow: Logbook, tmp_path: Path) -> None:
    """`python -m service` creates its experiment and answers all six routes; `check` finds no fault."""
    name, port = unique("process"), free_port()
    variables = {**variables_for(tracked, name), "TRACKING_PORT": str(port), "TRACKING_DRAIN_SECONDS": "0"}
    service = [sys.executable, "-m", "service"]
    url = f"http://127.0.0.1:{port}"
    with running("service", service, f"{url}/", tmp_path, health="livez", variables=variables, cwd=ROOT):
        async with aiohttp.ClientSession(f"{url}{API}/") as api:
            experiment = await created(api, name)
            ids = [await mlflow.create_run(experiment, "n", start_time=-number) for number in range(2)]
            for path in (f"runs/{ids[0]}", f"runs/{ids[0]}/metrics", f"runs/{ids[0]}/params"):
                assert ids[0] == (await answer(api, path))["run_id"]
            assert ids == [run["run_id"] for run in (await answer(api, "runs", FRESH))["runs"]]
            async with api.post("runs/compare", json={"run_ids": ids}) as response:
                assert ids == [run["run_id"] for run in (await response.json())["runs"]]
        checked = subprocess.run(  # noqa: ASYNC221 - nothing else goes on
            [*service, "check"],
            env=variables,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert checked.returncode == 0, checked.stdout + checked.stderr


async def created(api: aiohttp.ClientSession, name: str) -> str:
    """The id of the experiment that the service creates beside its first answers."""
    for _ in range(100):
        for one in (await answer(api, "experiments", FRESH))["experiments"]:
            if one["name"] == name:
                return str(one["experiment_id"])
    raise AssertionError(f"no experiment {name} was created")


async def answer(
    api: aiohttp.ClientSession, path: str, headers: dict[str, str] | None = None
) -> dict[str, Any]:
    async with api.get(path, headers=headers) as response:
        assert response.status == 200, await response.text()
        return dict(await response.json())
