"""The examples of searches in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from service.api.examples import RUN_DETAIL, STRATEGY

INDEX: dict[str, Any] = {
    "complete": True,
    "runs": 100_000,
    "share_read": 1.0,
    "synced_ms": 1699999998000,
    "swept_ms": 1699997000000,
}

SEARCH_REQUEST: dict[str, Any] = {
    "filter": "metrics.oos_sharpe > 1 AND (tags.run_type = 'training' OR params.max_depth IN ('4', '6'))",
    "order_by": ["metrics.oos_sharpe desc"],
    "page_size": 20,
    "facets": ["tags.run_type"],
}

FOUND_RUNS: dict[str, Any] = {
    "runs": [{**RUN_DETAIL, "experiment_id": "1"}],
    "total": 1,
    "reason": None,
    "next_page_token": None,
    "facets": {"tags.run_type": [{"value": "training", "count": 1}]},
    "index": INDEX,
}

CSV = (
    "run_id,status,metrics.oos_sharpe,tags.run_type\r\n"
    "abc123def456,FINISHED,1.42,training\r\n"
    "def456ghi789,FINISHED,1.18,training\r\n"
)

RUN_GROUPS: dict[str, Any] = {
    "groups": [
        {
            "key": [STRATEGY],
            "runs": 3,
            "statuses": {"FINISHED": 2, "FAILED": 1},
            "first_start_time": 1699900800000,
            "last_start_time": 1699987200000,
            "metrics": {
                "oos_sharpe": {
                    "n": 2,
                    "missing": 1,
                    "mean": 1.3,
                    "sd": 0.16970562748477142,
                    "min": 1.18,
                    "max": 1.42,
                    "ci_low": -0.22474456837185142,
                    "ci_high": 2.8247445683718517,
                    "best_run_id": "abc123def456",
                }
            },
        }
    ],
    "total": 1,
    "next_page_token": None,
    "index": INDEX,
}

RUN_FIELDS: dict[str, Any] = {
    "fields": [
        {
            "name": "status",
            "written": "status",
            "kind": "attributes",
            "runs": 3,
            "distinct": 2,
            "numeric": None,
            "min": None,
            "max": None,
            "direction": None,
            "rule": None,
        },
        {
            "name": "params.Learning Rate",
            "written": "params.`Learning Rate`",
            "kind": "params",
            "runs": 3,
            "distinct": 2,
            "numeric": True,
            "min": 0.01,
            "max": 0.1,
            "direction": None,
            "rule": None,
        },
        {
            "name": "metrics.oos_sharpe",
            "written": "metrics.oos_sharpe",
            "kind": "metrics",
            "runs": 2,
            "distinct": None,
            "numeric": None,
            "min": 1.18,
            "max": 1.42,
            "direction": "max",
            "rule": "*_sharpe_*",
        },
    ],
    "counts": {"attributes": 1, "params": 1, "metrics": 1, "tags": 0},
    "total": 3,
    "index": INDEX,
}
