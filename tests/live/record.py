"""Record replies of an MLflow as tests/samples/<case>/<status>.<kind>.

    python -m tests.live.record

starts an MLflow of its own, in a temporary directory, and overwrites the samples.
"""

import asyncio
import math
import tempfile
from pathlib import Path

import aiohttp

from tests.live.logbook import API, Logbook, Reply, token
from tests.live.server import running_mlflow

SAMPLES = Path(__file__).parent.parent / "samples"
KINDS = {"application/json": "json", "text/html": "html", "text/plain": "txt"}
NOON = 1_748_779_200_000


async def record(logbook: Logbook, suffix: str = "") -> dict[str, str]:
    """Ask an MLflow for every sample: file name to text. The suffix keeps experiments' names apart."""
    momentum, carry = f"momentum{suffix}", f"carry{suffix}"
    first = await logbook.create_experiment(momentum, {"desk": "systematic"})
    second = await logbook.create_experiment(carry)
    run_id = await sample_run(logbook, first)
    bare = await logbook.create_run(first, "warm-up", start_time=NOON - 3_600_000)
    await logbook.log(bare, metrics={"oos_sharpe": math.nan, "max_drawdown": -math.inf}, timestamp=NOON)
    replies = {
        "runs_get": await logbook.get("runs/get", run_id=run_id),
        "runs_get_unknown": await logbook.get("runs/get", run_id="0" * 32),
        "runs_get_without_id": await logbook.get("runs/get"),
        "runs_search": await logbook.post("runs/search", experiment_ids=[first], max_results=50),
        "runs_search_page": await logbook.post("runs/search", experiment_ids=[first], max_results=1),
        "runs_search_empty": await logbook.post("runs/search", experiment_ids=[second]),
        "runs_search_junk_token": await logbook.post("runs/search", page_token=token([])),
        "experiments_get_by_name": await logbook.get("experiments/get-by-name", experiment_name=momentum),
        "experiments_get_by_name_unknown": await logbook.get(
            "experiments/get-by-name", experiment_name="nobody"
        ),
        "experiments_search_page": await logbook.get("experiments/search", max_results=2),
        "unknown_route": await logbook.ask("GET", f"{API}runs/nowhere"),
        "wrong_method": await logbook.ask("GET", f"{API}runs/search"),
        "health": await logbook.ask("GET", "health"),
    }
    await logbook.delete_run(bare)
    replies["runs_get_deleted"] = await logbook.get("runs/get", run_id=bare)
    return {file_name(case, reply): reply.text for case, reply in replies.items()}


async def sample_run(logbook: Logbook, experiment_id: str) -> str:
    """A finished backtest with a little of everything."""
    tags = {"run_type": "backtest", "strategy_id": "mom-12-1", "mlflow.user": "ada", "note": 'Ünder "review"'}
    run_id = await logbook.create_run(experiment_id, "baseline", tags=tags, start_time=NOON, user_id="ada")
    await logbook.log(
        run_id,
        params={"lookback": "252", "universe": "sp500"},
        metrics={"oos_sharpe": 1.25, "max_drawdown": -0.125, "trades": 1234},
        timestamp=NOON + 1000,
        step=3,
    )
    await logbook.finish(run_id, "FINISHED", NOON + 60_000)
    return run_id


def file_name(case: str, reply: Reply) -> str:
    return f"{case}/{reply.status}.{KINDS[reply.content_type]}"


async def main() -> None:
    with tempfile.TemporaryDirectory() as directory, running_mlflow(Path(directory)) as url:
        async with aiohttp.ClientSession(url) as session:
            recorded = await record(Logbook(session))
    for name, text in recorded.items():
        path = SAMPLES / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main())
