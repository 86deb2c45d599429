"""Runs what a page tells its reader to run, block by block, in one shell over one served service."""

from __future__ import annotations

import asyncio
import os
import shlex
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from service.auth.api_keys import new_key
from service.local.sample.provenance import SOURCE_TYPE
from service.local.sample.runs import SampleRun
from service.local.sample.session import session
from tests.api.serving import Client, serving
from tests.docs.answers import Answers
from tests.docs.markdown import ROOT, Block, blocks
from tests.fakes.mlflow import FakeMlflow
from tests.fakes.store import Metric

ADDRESS = "127.0.0.1:8080"  # what a page calls the service's address
MLFLOW = "http://127.0.0.1:5000"  # and MLflow's
COMMANDS = {"sh", "python"}
ANSWERS = {"json", "http", "text"}
SECONDS = 60.0


class Command(NamedTuple):
    """A block to be run, the block with its answer if the page shows one, and how the service is served."""

    block: Block
    answer: Block | None
    served_with: str


def commands(page: Path) -> list[Command]:
    """What a page tells its reader to run, but for blocks that say why they are not run."""
    found, served_with = list[Command](), ""
    listed = list(blocks(page))
    for index, block in enumerate(listed):
        served_with = block.remarks.get("served with", served_with)
        if block.language in COMMANDS and not {"not run", "in file"} & block.remarks.keys():
            following = next(iter(listed[index + 1 : index + 2]), None)
            answer = following if following is not None and following.language in ANSWERS else None
            found.append(Command(block, answer, served_with))
    return found


@asynccontextmanager
async def sample_mlflow() -> AsyncIterator[FakeMlflow]:
    """A fake MLflow that holds the sample session, as `make run` logs it into a real one."""
    async with FakeMlflow().serve() as fake:
        run_ids: dict[int, str] = {}
        for run in _sample():
            parent = {} if run.parent is None else {"mlflow.parentRunId": run_ids[run.parent]}
            run_id = fake.add_run(
                name=run.name,
                status=run.status,
                start_time=run.start_time,
                end_time=run.end_time,
                params=run.params,
                tags={**run.tags, **parent, "mlflow.runName": run.name},
            )
            run_ids[run.start_time] = run_id
            stored = fake.store.runs[run_id]
            stored.inputs = _inputs(run)
            for point in run.metrics:
                stored.log_metric(point.key, Metric(point.value, point.timestamp, point.step))
        yield fake


def _inputs(run: SampleRun) -> dict[str, Any]:
    """The dataset of a run, as MLflow answers it."""
    if run.dataset is None:
        return {}
    dataset = run.dataset
    described = {"name": dataset.name, "digest": dataset.digest, "source_type": SOURCE_TYPE}
    tags = [{"key": "mlflow.data.context", "value": run.context}]
    return {"dataset_inputs": [{"dataset": {**described, "source": dataset.source}, "tags": tags}]}


_sample = cache(session)  # simulated once for all pages


async def run_page(page: Path, mlflow_url: str, curl: str, folder: Path) -> None:
    """Run the commands of a page in order, and compare each answer that the page shows."""
    answers = Answers()
    for served_with, together in groupby(commands(page), lambda command: command.served_with):
        settings, variables = _served_with(served_with)
        async with serving(mlflow_url, index={}, **settings) as client:
            await _index_complete(client)
            served = {ADDRESS: f"{client.server.host}:{client.server.port}", MLFLOW: mlflow_url}
            await _run([*together], served, _environment(folder, curl, variables), folder, answers)


async def _index_complete(client: Client) -> None:
    """The reader of a page has started the service some time ago: it has read every run."""
    indexing = client.service.indexing
    assert indexing is not None
    async with asyncio.timeout(SECONDS):
        while not indexing.index.sync.swept_ms:
            await asyncio.sleep(0.01)


def _served_with(text: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Settings of the service, and what its caller has in the environment."""
    match text:
        case "":
            return {}, {}
        case "TRACKING_AUTH__MODE=api_key":
            key, line = new_key("alice")
            return {"auth": {"mode": "api_key", "api_keys": line}}, {"KEY": key}
    raise AssertionError(f"no page can be served with {text}")


def _environment(folder: Path, curl: str, variables: Mapping[str, str]) -> dict[str, str]:
    """A reader's: the service is installed, and curl is curl."""
    programs = {
        "curl": curl,
        "python3": shlex.quote(sys.executable),
        "experiment-tracking": f"{shlex.quote(sys.executable)} -m service",
    }
    own = folder / "bin"
    own.mkdir(exist_ok=True)
    for name, command in programs.items():
        file = own / name
        file.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        file.chmod(0o755)
    path = os.pathsep.join([str(own), os.environ["PATH"]])
    return {"PATH": path, "HOME": str(folder), "PYTHONPATH": str(ROOT), **variables}


async def _run(
    together: Sequence[Command],
    served: Mapping[str, str],
    environment: Mapping[str, str],
    folder: Path,
    answers: Answers,
) -> None:
    """Run blocks in one shell, so that the next one has the variables of the last; each output is a file."""
    lines = ["set -e"]
    for number, (block, _, _) in enumerate(together):
        text = block.text
        for shown, address in served.items():
            text = text.replace(shown, address)
        if block.language == "python":
            (folder / f"{number}.py").write_text(text)
            text = f"python3 {number}.py"
        lines += [f"exec >{number}.out", text]
    process = await asyncio.create_subprocess_exec(
        "sh", "-c", "\n".join(lines), cwd=folder, env=environment, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(SECONDS):
            _, complaints = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    for number, (block, answer, _) in enumerate(together):
        output = folder / f"{number}.out"
        assert output.exists(), f"{block.place} was not reached: {complaints.decode()}"
        if answer is not None:
            try:
                answers.compare(answer.language, answer.text, output.read_text("utf-8"))
            except (AssertionError, ValueError) as error:
                raise AssertionError(f"{answer.place}: {error}\n{complaints.decode()}") from error
    assert 0 == process.returncode, complaints.decode()
