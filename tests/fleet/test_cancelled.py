"""Callers who hang up leave nothing behind that another caller could get."""

import asyncio
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from service.settings.store import StoreSettings
from tests.bench.runs import run_id_of
from tests.fakes.mlflow import FakeMlflow
from tests.fleet.calling import Reply
from tests.fleet.chaos import passing
from tests.fleet.conftest import RUNS
from tests.fleet.fleet import Fleet, fleet
from tests.resilience.proxy import FaultProxy
from tests.store.servers import StoreServer

pytestmark = pytest.mark.fleet

Record = Callable[[str, object], None]
AT_ONCE = 40
HANGS_UP = 0.6  # of the callers ...
AFTER_SECONDS = 0.08  # ... at a random moment, at most so late
SETTINGS = {
    "CACHE__TERMINAL_TTL": "0.3",
    "CACHE__ACTIVE_TTL": "0.3",
    "CACHE__REVALIDATE_FACTOR": "0",
    "STORE__PATIENCE": f"{StoreSettings().patience:g}",
    # None is refused for the sake of a bound on MLflow's calls, which is another promise.
    "UPSTREAM__QUEUE_TIMEOUT": "5",
}


async def asked(some: Fleet, dice: random.Random) -> tuple[list[str], Reply]:
    """The runs that a caller asks for, and the reply."""
    url = dice.choice(some.urls)
    run_ids = [run_id_of(number) for number in dice.sample(range(RUNS), 2)]
    if dice.random() < 0.2:
        return run_ids, await some.caller.ask(url, "/runs/compare", {"run_ids": run_ids})
    return run_ids[:1], await some.caller.run(url, run_ids[0])


def is_wrong(some: Fleet, run_ids: list[str], reply: Reply) -> bool:
    """Whether an answer has other runs, or other values, than were asked for."""
    runs: list[dict[str, Any]] = reply.body["runs"] if len(run_ids) > 1 else [reply.body]
    if run_ids != [run["run_id"] for run in runs]:
        return True
    held = [some.fake.store.runs[run_id] for run_id in run_ids]
    return any(
        run["metrics"] != {key: metric.value for key, metric in one.metrics.items()}
        for run, one in zip(runs, held, strict=True)
    )


@pytest.mark.parametrize("callers", [2_000, pytest.param(10_000, marks=pytest.mark.slow)])
async def test_callers_who_hang_up(
    tmp_path: Path, store: StoreServer, mlflow: FakeMlflow, callers: int, record_property: Record
) -> None:
    """Under chaos before the store each answer is to the question that was asked, and none fails."""
    mlflow.latency = 0.01
    chaos = passing(random.Random(1), delay=0.06, slow=0.3, cut=0.01)
    async with (
        FaultProxy(store.url) as proxy,
        fleet(tmp_path, mlflow, proxy.url.replace("http:", "redis:"), settings=SETTINGS) as some,
    ):
        await proxy.behave(chaos)
        numbers, answered, wrong, failed = iter(range(callers)), 0, list[str](), list[str]()

        async def call() -> None:
            nonlocal answered
            for number in numbers:
                dice = random.Random(number)
                patience = dice.uniform(0, AFTER_SECONDS) if dice.random() < HANGS_UP else None
                try:
                    run_ids, reply = await asyncio.wait_for(asked(some, dice), patience)
                except TimeoutError:
                    continue
                answered += 1
                if reply.status != 200:
                    failed.append(f"{reply.status} {reply.body}")
                elif is_wrong(some, run_ids, reply):
                    wrong.append(f"{run_ids}: {reply.body}")

        await asyncio.gather(*(call() for _ in range(AT_ONCE)))
        record_property("callers", f"{callers}, of whom {callers - answered} hung up")
        assert ([], []) == (wrong[:3], failed[:3]), some.said()
        assert answered < callers
