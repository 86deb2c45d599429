"""Uses the generated Python client on the served API, and prints what the six routes and the errors answered.

It is copied beside the generated package, type-checked with it and run: `use.py BASE_URL KEY`.
"""

import json
import sys
from typing import TypeVar

from tracking_client import AuthenticatedClient, Client
from tracking_client.api.comparisons import compare_runs
from tracking_client.api.experiments import list_experiments
from tracking_client.api.health import readyz
from tracking_client.api.runs import get_run, get_run_metrics, get_run_params, list_runs
from tracking_client.models import (
    CompareRequest,
    Comparison,
    ExperimentList,
    InvalidProblem,
    MissingRunsProblem,
    Problem,
    ProblemCode,
    Readiness,
    RunDetail,
    RunList,
    RunMetrics,
    RunParams,
    RunStatus,
)

T = TypeVar("T")

RUN = "abc123def456"


def expect(model: type[T], answer: object) -> T:
    """The answer, if it is of this model."""
    if not isinstance(answer, model):
        raise TypeError(f"{answer!r} is no {model.__name__}")
    return answer


def use(url: str, key: str) -> dict[str, object]:
    """What each route answered."""
    client = AuthenticatedClient(url, token=key)
    runs = expect(RunList, list_runs.sync(client=client, run_type="training", limit=20))
    unknown = expect(InvalidProblem, list_runs.sync(client=client, cursor="unknown"))
    detailed = get_run.sync_detailed(RUN, client=client)
    detail = expect(RunDetail, detailed.parsed)
    ended: int | None = detail.end_time
    again = get_run.sync_detailed(
        RUN, client=client, if_none_match=detailed.headers["ETag"], x_request_id="python-1"
    )
    metrics = expect(RunMetrics, get_run_metrics.sync(RUN, client=client)).metrics
    sharpe: float | None = metrics["sharpe"]
    params = expect(RunParams, get_run_params.sync(RUN, client=client)).params
    compared = compare_runs.sync(client=client, body=CompareRequest(run_ids=[RUN, "def456ghi789"]))
    comparison = expect(Comparison, compared)
    experiments = expect(ExperimentList, list_experiments.sync(client=client)).experiments

    missing = expect(MissingRunsProblem, get_run.sync("nowhere", client=client))
    invalid = expect(InvalidProblem, list_runs.sync(client=client, limit=0))
    stranger = expect(Problem, list_experiments.sync(client=Client(url)))
    code: ProblemCode = stranger.code
    ready = expect(Readiness, readyz.sync(client=client))

    return {
        "list": {"total": runs.total, "first": runs.runs[0].run_id},
        "detail": {
            "started": detail.start_time,
            "ended": ended,
            "active": detail.status in {RunStatus.RUNNING, RunStatus.SCHEDULED},
            "tags": detail.tags.to_dict(),
        },
        "again": {"status": again.status_code, "id": again.headers["X-Request-ID"]},
        "metrics": {**metrics.to_dict(), "sharpe": sharpe},
        "params": params.to_dict(),
        "comparison": {
            "differences": [
                name for name, diff in comparison.param_diff.additional_properties.items() if diff.varies
            ],
            "best": comparison.metric_diff["sharpe"].best_run_id,
        },
        "experiments": [experiment.name for experiment in experiments],
        "ready": ready.status,
        "missing": missing.missing_run_ids,
        "invalid": invalid.errors[0].location,
        "unknown": unknown.errors[0].location,
        "stranger": code,
    }


if __name__ == "__main__":
    print(json.dumps(use(*sys.argv[1:])))
