"""The example of a lineage in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from service.api.examples import RUN_DETAIL, STRATEGY

_RUN = "abc123def456"

LINEAGE: dict[str, Any] = {
    "ref": "models:/forecast@champion",
    "kind": "model_version",
    "runs": [
        {
            **RUN_DETAIL,
            "experiment_id": "1",
            "deleted": False,
            "evidence": "recorded",
            "by": "model_version.run_id",
        }
    ],
    "session": {
        "run_id": _RUN,
        "traits": {"strategy": STRATEGY, "commit": "3f9a1c2", "features": "v3", "model": "v1"},
        "runs": 1,
        "run_types": [
            {
                "run_type": "training",
                "runs": [
                    {
                        "run_id": _RUN,
                        "run_name": "training",
                        "status": "FINISHED",
                        "start_time": 1699900800000,
                        "end_time": 1699901520000,
                        "experiment_id": "1",
                        "shares": ["strategy", "commit", "features", "model"],
                        "relation": "itself",
                    }
                ],
            }
        ],
    },
    "nodes": [
        {
            "id": f"run:{_RUN}",
            "kind": "run",
            "name": "training",
            "details": {"run_type": "training", "status": "FINISHED"},
        },
        {
            "id": "registered_model:forecast/3",
            "kind": "model",
            "name": "forecast/3",
            "details": {"status": "READY", "aliases": "champion"},
        },
    ],
    "edges": [
        {
            "source": f"run:{_RUN}",
            "target": "registered_model:forecast/3",
            "relation": "registered_as",
            "evidence": "recorded",
            "by": "model_version.run_id",
        }
    ],
    "completeness": [
        {
            "run_id": _RUN,
            "present": RUN_DETAIL["tags"],
            "missing": ["dataset_version", "signal_version"],
            "stand_ins": {},
            "has_uncommitted_changes": None,
            "uncommitted_by": None,
            "datasets": 0,
            "models": 0,
            "params": 4,
            "seeds": [],
        }
    ],
    "contradictions": [
        {
            "kind": "results",
            "text": "2 runs with the same commit, parameters and data differ in oos_sharpe.",
            "what": "oos_sharpe",
            "shared": {"run_type": "training", "git_commit": "3f9a1c2"},
            "variants": [
                {"value": 1.18, "runs": 1, "run_ids": ["def456ghi789"]},
                {"value": 1.42, "runs": 1, "run_ids": [_RUN]},
            ],
            "absolute": 0.24,
            "relative": 0.16901408450704225,
        }
    ],
    "model_version": {
        "name": "forecast",
        "version": "3",
        "run_id": _RUN,
        "source": f"runs:/{_RUN}/model",
        "model_id": "",
        "status": "READY",
        "aliases": ["champion"],
    },
    "logged_model": None,
    "tried": [
        {"what": "model alias 'forecast@champion'", "outcome": "found"},
        {"what": f"run '{_RUN}'", "outcome": "found"},
    ],
    "warnings": [],
}
