"""The examples of the API reference: shown in the OpenAPI document, and shown to be true in the tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from service import errors
from service.http import errors as http_errors

REQUEST_ID = "0af7651916cd43dd-2a"
STRATEGY = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"

RUN_LIST: dict[str, Any] = {
    "runs": [
        {
            "run_id": "abc123def456",
            "run_name": "walk_forward",
            "status": "FINISHED",
            "start_time": 1699900800000,
            "params": {"n_splits": "5", "method": "rolling"},
            "metrics": {"mean_oos_sharpe": 1.42, "std_oos_sharpe": 0.31},
            "tags": {"run_type": "walk_forward", "strategy_id": STRATEGY, "git_commit": "3f9a1c2"},
        }
    ],
    "total": 1,
}

RUN_DETAIL: dict[str, Any] = {
    "run_id": "abc123def456",
    "run_name": "training",
    "status": "FINISHED",
    "start_time": 1699900800000,
    "end_time": 1699901520000,
    "artifact_uri": "s3://mlflow-artifacts/1/abc123def456/artifacts",
    "params": {
        "plugin_key": "ml.xgboost",
        "max_depth": "6",
        "learning_rate": "0.05",
        "n_estimators": "200",
    },
    "metrics": {"oos_sharpe": 1.42, "oos_sortino": 1.87, "max_drawdown": -0.1231, "calmar_ratio": 1.15},
    "tags": {
        "run_type": "training",
        "strategy_id": STRATEGY,
        "git_commit": "3f9a1c2",
        "feature_version": "v3",
        "model_version": "v1",
    },
}

RUN_METRICS: dict[str, Any] = {
    "run_id": "abc123def456",
    "metrics": {"oos_sharpe": 1.42, "oos_sortino": 1.87, "max_drawdown": -0.1231, "calmar_ratio": 1.15},
}

RUN_PARAMS: dict[str, Any] = {
    "run_id": "abc123def456",
    "params": {
        "plugin_key": "ml.xgboost",
        "max_depth": "6",
        "learning_rate": "0.05",
        "n_estimators": "200",
        "subsample": "0.8",
        "colsample_bytree": "0.8",
    },
}

COMPARE_REQUEST: dict[str, Any] = {"run_ids": ["abc123def456", "def456ghi789", "ghi789jkl012"]}

COMPARISON: dict[str, Any] = {
    "runs": [
        {
            "run_id": "abc123def456",
            "run_name": "training",
            "run_type": "training",
            "params": {"learning_rate": "0.05", "max_depth": "6", "n_estimators": "200"},
            "metrics": {"oos_sharpe": 1.42, "max_drawdown": -0.1231},
        },
        {
            "run_id": "def456ghi789",
            "run_name": "training",
            "run_type": "training",
            "params": {"learning_rate": "0.01", "max_depth": "6", "n_estimators": "200"},
            "metrics": {"oos_sharpe": 1.18, "max_drawdown": -0.1544},
        },
        {
            "run_id": "ghi789jkl012",
            "run_name": "training",
            "run_type": "training",
            "params": {"learning_rate": "0.10", "max_depth": "8", "n_estimators": "300"},
            "metrics": {"oos_sharpe": 1.35, "max_drawdown": -0.1389},
        },
    ],
    "metric_diff": {
        "oos_sharpe": {
            "values": {"abc123def456": 1.42, "def456ghi789": 1.18, "ghi789jkl012": 1.35},
            "best_run_id": "abc123def456",
        },
        "max_drawdown": {
            "values": {"abc123def456": -0.1231, "def456ghi789": -0.1544, "ghi789jkl012": -0.1389},
            "best_run_id": "abc123def456",
        },
    },
    "param_diff": {
        "learning_rate": {
            "values": {"abc123def456": "0.05", "def456ghi789": "0.01", "ghi789jkl012": "0.10"},
            "varies": True,
        },
        "max_depth": {
            "values": {"abc123def456": "6", "def456ghi789": "6", "ghi789jkl012": "8"},
            "varies": True,
        },
        "n_estimators": {
            "values": {"abc123def456": "200", "def456ghi789": "200", "ghi789jkl012": "300"},
            "varies": True,
        },
    },
}

EXPERIMENTS: dict[str, Any] = {
    "experiments": [
        {
            "experiment_id": "0",
            "name": "Default",
            "artifact_location": "mlflow-artifacts:/0",
            "lifecycle_stage": "active",
        },
        {
            "experiment_id": "1",
            "name": "hedge-fund-research",
            "artifact_location": "s3://mlflow-artifacts/1",
            "lifecycle_stage": "active",
        },
    ]
}

# An error of each class that a route of the document may answer.
PROBLEMS: Mapping[type[errors.TrackingError], errors.TrackingError] = {
    type(problem): problem
    for problem in (
        http_errors.UnreadableRequest("This is not a valid HTTP request."),
        http_errors.MalformedBody("The body is not valid JSON."),
        errors.Unauthenticated("A credential is needed."),
        errors.Forbidden("The token does not grant access to runs."),
        http_errors.NotFound("There is no such resource."),
        errors.RunsNotFound(["abc123def456"]),
        errors.LineageNotFound("models:/forecast/3", [("model version 'forecast/3'", "missing")]),
        http_errors.BodyTimeout("The request body did not arrive in time."),
        http_errors.BodyTooLarge("The request body is too large."),
        http_errors.UnsupportedMediaType("The body must be application/json."),
        http_errors.ExpectationFailed("Only 100-continue can be expected."),
        errors.InvalidRequest([errors.FieldError("query.limit", "must be an integer")]),
        http_errors.InternalError("The service failed; its log says why."),
        errors.UpstreamError(""),
        errors.UpstreamTooLarge(""),
        errors.UpstreamAuth(""),
        errors.UpstreamForbidden("hedge-fund-research", ""),
        errors.UpstreamUnavailable(""),
        errors.UpstreamTimeout(""),
        http_errors.Overloaded("This replica handles as many requests as it can."),
        errors.AuthUnavailable(),
        errors.IndexNotReady(0.42),
        errors.IndexTooLarge(),
    )
}
