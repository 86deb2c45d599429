"""The façade that a team would write first: FastAPI, pydantic models and MLflow's own client.

Three routes of the same API, with the same content. Nothing is slow on purpose: the client is shared, `def`
routes run in FastAPI's threads, and a request asks MLflow for what it needs, once.

    uvicorn tests.bench.naive:app
"""

import math
import os
from typing import Any

from fastapi import FastAPI, HTTPException, Query
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from pydantic import BaseModel, Field

BASE = "/api/v1/tracking"
LOWER_IS_BETTER = ("loss", "error", "mse", "rmse", "mae", "mape", "volatility", "turnover")
CLOSER_TO_ZERO_IS_BETTER = ("drawdown", "var", "cvar")
NO_VALUE_IS_BETTER = ("count",)

app = FastAPI()
client = MlflowClient(os.environ.get("MLFLOW_TRACKING_URI"))


class RunSummary(BaseModel):
    run_id: str
    run_name: str
    status: str
    start_time: int | None
    params: dict[str, str]
    metrics: dict[str, float | None]
    tags: dict[str, str]


class RunList(BaseModel):
    runs: list[RunSummary]
    total: int


class RunDetail(BaseModel):
    run_id: str
    run_name: str
    status: str
    start_time: int | None
    end_time: int | None
    artifact_uri: str
    params: dict[str, str]
    metrics: dict[str, float | None]
    tags: dict[str, str]


class ComparedRun(BaseModel):
    run_id: str
    run_name: str
    run_type: str
    params: dict[str, str]
    metrics: dict[str, float | None]


class MetricDiff(BaseModel):
    values: dict[str, float | None]
    best_run_id: str | None


class ParamDiff(BaseModel):
    values: dict[str, str | None]
    varies: bool


class Comparison(BaseModel):
    runs: list[ComparedRun]
    metric_diff: dict[str, MetricDiff]
    param_diff: dict[str, ParamDiff]


class CompareRequest(BaseModel):
    run_ids: list[str] = Field(min_length=2, max_length=10)


@app.get(f"{BASE}/runs")
def list_runs(
    run_type: str | None = None, strategy_id: str | None = None, limit: int = Query(50, ge=1)
) -> RunList:
    experiment = client.get_experiment_by_name("Default")
    if experiment is None:
        return RunList(runs=[], total=0)
    filters = {"run_type": run_type, "strategy_id": strategy_id}
    found = client.search_runs(
        [experiment.experiment_id],
        filter_string=" AND ".join(f"tags.{key} = '{value}'" for key, value in filters.items() if value),
        max_results=min(limit, 100),
        order_by=["attributes.start_time DESC"],
    )
    runs = [
        RunSummary(
            run_id=run.info.run_id,
            run_name=run.info.run_name,
            status=run.info.status,
            start_time=run.info.start_time,
            params=run.data.params,
            metrics=finite(run.data.metrics),
            tags=run.data.tags,
        )
        for run in found
    ]
    return RunList(runs=runs, total=len(runs))


@app.get(f"{BASE}/runs/{{run_id}}")
def get_run(run_id: str) -> RunDetail:
    run = fetch(run_id)
    return RunDetail(
        run_id=run.info.run_id,
        run_name=run.info.run_name,
        status=run.info.status,
        start_time=run.info.start_time,
        end_time=run.info.end_time,
        artifact_uri=run.info.artifact_uri,
        params=run.data.params,
        metrics=finite(run.data.metrics),
        tags=run.data.tags,
    )


@app.post(f"{BASE}/runs/compare")
def compare_runs(request: CompareRequest) -> Comparison:
    runs = [fetch(run_id) for run_id in request.run_ids]
    metrics = {run.info.run_id: finite(run.data.metrics) for run in runs}
    params = {run.info.run_id: run.data.params for run in runs}
    metric_names = dict.fromkeys(name for held in metrics.values() for name in held)
    param_names = dict.fromkeys(name for held in params.values() for name in held)
    return Comparison(
        runs=[
            ComparedRun(
                run_id=run.info.run_id,
                run_name=run.info.run_name,
                run_type=run.data.tags.get("run_type", "unknown"),
                params=params[run.info.run_id],
                metrics=metrics[run.info.run_id],
            )
            for run in runs
        ],
        metric_diff={name: metric_diff(name, metrics) for name in metric_names},
        param_diff={name: param_diff(name, params) for name in param_names},
    )


def fetch(run_id: str) -> Any:
    try:
        return client.get_run(run_id)
    except MlflowException as error:
        raise HTTPException(404, f"Run {run_id} not found") from error


def finite(metrics: dict[str, float]) -> dict[str, float | None]:
    return {name: value if math.isfinite(value) else None for name, value in metrics.items()}


def metric_diff(name: str, metrics: dict[str, dict[str, float | None]]) -> MetricDiff:
    values = {run_id: held.get(name) for run_id, held in metrics.items()}
    known = {run_id: value for run_id, value in values.items() if value is not None}
    words = name.split("_")
    if not known or any(word in NO_VALUE_IS_BETTER for word in words):
        return MetricDiff(values=values, best_run_id=None)
    if any(word in CLOSER_TO_ZERO_IS_BETTER for word in words):
        best = min(known, key=lambda run_id: abs(known[run_id]))
    elif any(word in LOWER_IS_BETTER for word in words):
        best = min(known, key=lambda run_id: known[run_id])
    else:
        best = max(known, key=lambda run_id: known[run_id])
    return MetricDiff(values=values, best_run_id=best)


def param_diff(name: str, params: dict[str, dict[str, str]]) -> ParamDiff:
    values = {run_id: held.get(name) for run_id, held in params.items()}
    return ParamDiff(values=values, varies=len(set(values.values())) > 1)
