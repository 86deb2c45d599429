"""What Lighthouse says of each page; npm installs it into a folder of its own."""

import asyncio
import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.bench.machine import Server
from tests.console.chromium import CHROMIUM, FLAGS
from tests.console.data import add_session
from tests.console.figures.measure import Bench, Figure
from tests.console.many import service_over
from tests.console.states import addresses
from tests.fakes.mlflow import FakeMlflow

ROOT: Final = Path(__file__).parents[3]
INSTALLED: Final = ROOT / ".lighthouse"
LOCKED: Final = ROOT / "tests" / "console" / "lighthouse"
LEAST: Final = {"performance": 95.0, "accessibility": 100.0, "best-practices": 100.0}
PAGES: Final = ("runs", "run", "compare", "strategy", "lineage of a run", "health")


async def scores(bench: Bench) -> Sequence[Figure]:
    """The scores of each page over the sample, as on a desktop computer."""
    if shutil.which("npm") is None:
        return [Figure("Lighthouse", None, "", least=95, note="needs nodejs 20 and npm")]
    await _install()
    async with FakeMlflow().serve() as mlflow:
        add_session(mlflow)
        with service_over(bench.folder, Server("fake", mlflow.url, 0, 0.0), "lighthouse") as address:
            return [
                Figure(f"Lighthouse, {page}: {category}", score, "", least=LEAST[category], note=note)
                for page in PAGES
                for category, score, note in await _scores(bench, f"{address}console/{addresses()[page]}")
            ]


async def _install() -> None:
    INSTALLED.mkdir(exist_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(LOCKED / name, INSTALLED)
    if not (INSTALLED / "node_modules").is_dir():
        await _run("npm", "ci", "--ignore-scripts", "--no-progress")


async def _scores(bench: Bench, url: str) -> list[tuple[str, float | None, str]]:
    """Each category, its score from 0 to 100, and which of its audits fail."""
    report = bench.folder / "lighthouse.json"
    program = INSTALLED / "node_modules" / ".bin" / "lighthouse"
    options = (
        "--preset=desktop",
        "--output=json",
        f"--output-path={report}",
        "--quiet",
        "--max-wait-for-load=30000",
    )
    only = f"--only-categories={','.join(LEAST)}"
    await _run(str(program), url, *options, only, f"--chrome-flags=--headless {' '.join(FLAGS)}")
    said = json.loads(report.read_text("utf-8"))
    scores: list[tuple[str, float | None, str]] = []
    for name in LEAST:
        category = said["categories"][name]
        failed = [one["id"] for one in category["auditRefs"] if said["audits"][one["id"]]["score"] == 0]
        score = category["score"]
        scores.append((name, None if score is None else score * 100, ", ".join(failed)))
    return scores


async def _run(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=INSTALLED,
        env={**os.environ, "CHROME_PATH": CHROMIUM},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)}:\n{output.decode(errors='replace')[-2_000:]}")
