"""Clients that common generators make from the served OpenAPI document, compiled and used on the served API.

The generators stand in `.clients`, where `make clients` installs them.
"""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from service.auth.api_keys import new_key
from tests.api.serving import Client, serving
from tests.fakes.mlflow import FakeMlflow

HERE = Path(__file__).parent
TOOLS = HERE.parents[1] / ".clients"
NODE_TOOLS = TOOLS / "typescript" / "node_modules"
KEY, LINE = new_key("ada")
KEYS = {"mode": "api_key", "api_keys": LINE}
ISSUER = "https://issuer.example"
TOKENS = {"mode": "jwt", "issuer": ISSUER, "audience": "tracking", "jwks_url": f"{ISSUER}/keys"}

pytestmark = pytest.mark.clients

# What both clients read from the runs below.
EXPECTED = {
    "list": {"total": 2, "first": "abc123def456"},
    "detail": {
        "started": 1_699_900_800_000,
        "ended": None,
        "active": True,
        "tags": {"run_type": "training", "mlflow.runName": "first"},
    },
    "metrics": {"sharpe": 1.42, "drawdown": None},
    "params": {"depth": "6"},
    "comparison": {"differences": ["depth"], "best": "abc123def456"},
    "experiments": ["Default"],
    "ready": "ready",
    "missing": ["nowhere"],
    "invalid": "query.limit",
    "unknown": "query.cursor",
    "stranger": "unauthenticated",
}


@pytest.fixture
async def api(fake: FakeMlflow) -> AsyncIterator[Client]:
    """The service over an MLflow with two runs, for callers with a key."""
    fake.add_run(
        run_id="def456ghi789",
        name="second",
        start_time=1_699_900_700_000,
        metrics={"sharpe": 1.18},
        params={"depth": "8"},
        tags={"run_type": "training"},
    )
    fake.add_run(
        run_id="abc123def456",
        name="first",
        status="RUNNING",
        start_time=1_699_900_800_000,
        metrics={"sharpe": 1.42, "drawdown": float("nan")},
        params={"depth": "6"},
        tags={"run_type": "training"},
    )
    async with serving(fake.url, auth=KEYS) as client:
        yield client


async def run(*command: str | Path, cwd: Path) -> str:
    """What a command prints, if it succeeds and complains of nothing."""
    environment = {**os.environ, "REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=cwd,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, complaints = await process.communicate()
    assert 0 == process.returncode, printed.decode() + complaints.decode()
    return printed.decode()


async def write_document(api: Client, folder: Path) -> Path:
    """The served document, as a file."""
    file = folder / "openapi.json"
    file.write_bytes(await (await api.get("/openapi.json", headers={"X-API-Key": KEY})).read())
    return file


@pytest.mark.parametrize("auth", [{"mode": "none"}, KEYS, TOKENS], ids=lambda auth: auth["mode"])
async def test_the_linter_finds_nothing(fake: FakeMlflow, tmp_path: Path, auth: dict[str, Any]) -> None:
    """Redocly's strict rules find neither an error nor a warning, in any mode of authentication."""
    async with serving(fake.url, auth={**auth, "open_docs": True}) as api:
        await write_document(api, tmp_path)
    shutil.copy(HERE / "typescript" / "redocly.yaml", tmp_path)
    report = await run(NODE_TOOLS / ".bin" / "redocly", "lint", "openapi.json", "--format=json", cwd=tmp_path)
    assert [] == json.loads(report)["problems"]


async def test_a_typescript_client(api: Client, tmp_path: Path) -> None:
    """Types by openapi-typescript compile under --strict, and a program over them reads the six routes."""
    document = await write_document(api, tmp_path)
    for name in ("package.json", "tsconfig.json", "use.ts"):
        shutil.copy(HERE / "typescript" / name, tmp_path)
    (tmp_path / "node_modules").symlink_to(NODE_TOOLS)
    await run(NODE_TOOLS / ".bin" / "openapi-typescript", document, "-o", "api.ts", cwd=tmp_path)
    await run(NODE_TOOLS / ".bin" / "tsc", cwd=tmp_path)
    program = (
        "import { use } from './use.js'; console.log(JSON.stringify(await use(...process.argv.slice(1))))"
    )
    url = str(api.make_url("")).rstrip("/")
    printed = await run("node", "--input-type=module", "-e", program, url, KEY, cwd=tmp_path)
    assert {**EXPECTED, "again": {"status": 304, "id": "typescript-1"}} == json.loads(printed)


async def test_a_python_client(api: Client, tmp_path: Path) -> None:
    """A client by openapi-python-client passes mypy --strict with its use, which reads the six routes."""
    document = await write_document(api, tmp_path)
    programs = TOOLS / "python" / "bin"
    (tmp_path / "config.yaml").write_text("post_hooks: []\n", "utf-8")
    await run(
        programs / "openapi-python-client",
        *("generate", "--path", document, "--config", "config.yaml", "--fail-on-warning"),
        *("--meta", "none", "--output-path", "tracking_client"),
        cwd=tmp_path,
    )
    shutil.copy(HERE / "python" / "use.py", tmp_path)
    await run(programs / "mypy", "--strict", "use.py", cwd=tmp_path)
    url = str(api.make_url("")).rstrip("/")
    printed = await run(programs / "python", "use.py", url, KEY, cwd=tmp_path)
    assert {**EXPECTED, "again": {"status": 304, "id": "python-1"}} == json.loads(printed)
