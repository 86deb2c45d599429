"""What is asked: of the service and of those that answer like it, and of an MLflow directly."""

from collections.abc import Sequence

from tests.bench.load import Question
from tests.bench.runs import search_body

TRACKING = "api/v1/tracking"
API = "api/2.0/mlflow"


def detail(run_id: str) -> Question:
    """One run."""
    return Question(f"{TRACKING}/runs/{run_id}")


def runs(limit: int, **filters: str) -> Question:
    """A list of runs."""
    query = "&".join(f"{name}={value}" for name, value in {"limit": limit, **filters}.items())
    return Question(f"{TRACKING}/runs?{query}")


def compare(run_ids: Sequence[str]) -> Question:
    """Runs side by side."""
    return Question.posting(f"{TRACKING}/runs/compare", {"run_ids": list(run_ids)})


def direct_detail(run_id: str) -> Question:
    """One run, of an MLflow."""
    return Question(f"{API}/runs/get?run_id={run_id}")


def direct_runs(limit: int, strategy_id: str | None = None) -> Question:
    """A list of runs, of an MLflow."""
    body = search_body(limit)
    if strategy_id is not None:
        body["filter"] = f"tags.strategy_id = '{strategy_id}'"
    return Question.posting(f"{API}/runs/search", body)


def direct_compare(run_ids: Sequence[str]) -> Question:
    """Runs by their ids, of an MLflow: one search, which is cheaper than a question for each."""
    wanted = f"attributes.run_id IN ({', '.join(map(repr, run_ids))})"
    return Question.posting(
        f"{API}/runs/search",
        {**search_body(len(run_ids)), "filter": wanted, "run_view_type": "ALL"},
    )
