"""The fake against a real MLflow, metrics/get-history: both answer the same."""

import math
from typing import Any

import pytest

from tests.live.logbook import LARGEST, Logbook, number, problem

pytestmark = pytest.mark.asyncio(loop_scope="module")

HISTORY = "metrics/get-history"
POINTS = [
    (3, 30, 1.0),
    (0, 40, math.nan),
    (2, 20, -1.5),
    (1, 20, math.inf),
    (1, 20, 0.5),
    (-4, 50, -math.inf),
]


async def logged(mlflow: Logbook, experiment: str, key: str = "loss") -> str:
    """A run that logged these points of a metric: step, time, value."""
    run_id = await mlflow.create_run(experiment, "n")
    for step, time, value in POINTS:
        await mlflow.write(
            "runs/log-metric", run_id=run_id, key=key, value=number(value), timestamp=time, step=step
        )
    return run_id


def point(step: int, time: int, value: float | str, key: str = "loss") -> dict[str, Any]:
    return {"key": key, "value": value, "timestamp": time, "step": step}


async def test_a_history_is_in_order_of_time(mlflow: Logbook, experiment: str) -> None:
    """Points come by time, then by step, then by value; the step alone orders nothing."""
    reply = await mlflow.get(HISTORY, run_id=await logged(mlflow, experiment), metric_key="loss")
    assert {
        "metrics": [
            point(1, 20, 0.5),
            point(1, 20, LARGEST),
            point(2, 20, -1.5),
            point(3, 30, 1.0),
            point(0, 40, "NaN"),
            point(-4, 50, -LARGEST),
        ]
    } == reply.body


async def test_a_history_comes_in_pages(mlflow: Logbook, experiment: str) -> None:
    """max_results bounds a page, and a token leads on as long as there is more."""
    run_id, steps, sizes = await logged(mlflow, experiment, "val/größe x"), [], []
    query = {"run_id": run_id, "metric_key": "val/größe x", "max_results": "4"}
    while True:
        page = (await mlflow.get(HISTORY, **query)).body
        steps += [metric["step"] for metric in page["metrics"]]
        sizes.append(len(page["metrics"]))
        if "next_page_token" not in page:
            break
        query["page_token"] = page["next_page_token"]
    assert ([1, 1, 2, 3, 0, -4], [4, 2]) == (steps, sizes)


async def test_what_does_not_exist_has_no_history(mlflow: Logbook, experiment: str) -> None:
    """An unknown run, and a key that a run lacks, are 200 and {}; a deleted run keeps its history."""
    run_id = await logged(mlflow, experiment)
    for unknown in ({"run_id": "0" * 32, "metric_key": "loss"}, {"run_id": run_id, "metric_key": "other"}):
        reply = await mlflow.get(HISTORY, **unknown)
        assert (200, "{}") == (reply.status, reply.text)
    await mlflow.write("runs/delete", run_id=run_id)
    assert 6 == len((await mlflow.get(HISTORY, run_id=run_id, metric_key="loss")).body["metrics"])


async def test_a_question_that_is_refused(mlflow: Logbook, experiment: str) -> None:
    """A key is required, and a page has at least one point."""
    run_id = await logged(mlflow, experiment)
    assert 400 == (await mlflow.get(HISTORY, run_id=run_id)).status
    reply = await mlflow.get(HISTORY, run_id=run_id, metric_key="loss", max_results="0")
    message = "Invalid value 0 for parameter 'max_results' supplied. It must be a positive integer."
    assert (400, "INVALID_PARAMETER_VALUE", message) == problem(reply)
