"""The example of an analysis in the API reference."""

from __future__ import annotations

from typing import Any

ANALYSIS_REQUEST: dict[str, Any] = {"run_ids": ["abc123def456", "def456ghi789"]}

ANALYSIS: dict[str, Any] = {
    "baseline": "abc123def456",
    "metrics": {
        "oos_sharpe": {
            "direction": "max",
            "rule": "*_sharpe_*",
            "values": {"abc123def456": 1.42, "def456ghi789": 1.18},
            "not_finite_run_ids": [],
            "deltas": {
                "def456ghi789": {
                    "absolute": -0.24,
                    "relative": -0.16901408450704225,
                    "better": False,
                    "reason": None,
                }
            },
            "ranks": {"abc123def456": 1, "def456ghi789": 2},
            "best_run_ids": ["abc123def456"],
            "spread": {
                "n": 2,
                "missing": 0,
                "mean": 1.2999999999999998,
                "sd": 0.16970562748477142,
                "min": 1.18,
                "max": 1.42,
            },
            "noise": None,
        },
        "max_drawdown": {
            "direction": "closest_to_zero",
            "rule": "*_drawdown_*",
            "values": {"abc123def456": -0.1231, "def456ghi789": -0.1544},
            "not_finite_run_ids": [],
            "deltas": {
                "def456ghi789": {
                    "absolute": -0.03130000000000001,
                    "relative": -0.25426482534524786,
                    "better": False,
                    "reason": None,
                }
            },
            "ranks": {"abc123def456": 1, "def456ghi789": 2},
            "best_run_ids": ["abc123def456"],
            "spread": {
                "n": 2,
                "missing": 0,
                "mean": -0.13875,
                "sd": 0.02213244225113894,
                "min": -0.1544,
                "max": -0.1231,
            },
            "noise": None,
        },
    },
    "params": {
        "learning_rate": {
            "values": {"abc123def456": "0.05", "def456ghi789": "0.01"},
            "varies": True,
            "numeric": True,
            "same_number": False,
        },
        "max_depth": {
            "values": {"abc123def456": "6", "def456ghi789": "6"},
            "varies": False,
            "numeric": True,
            "same_number": False,
        },
        "n_estimators": {
            "values": {"abc123def456": "200", "def456ghi789": "200.0"},
            "varies": True,
            "numeric": True,
            "same_number": True,
        },
    },
    "tags": {"dataset_version": {"abc123def456": "equities-2026.02", "def456ghi789": "equities-2026.01"}},
    "warnings": [
        {
            "code": "other_dataset",
            "text": "These runs differ from the baseline in their dataset (tag dataset_version), "
            "which may explain their results.",
            "run_ids": ["def456ghi789"],
            "metrics": [],
            "params": [],
        }
    ],
    "pareto": {
        "run_ids": ["abc123def456"],
        "metrics": ["oos_sharpe", "max_drawdown"],
        "missing_run_ids": [],
        "reason": None,
    },
}
