"""Examples of what the routes of strategies answer."""

from __future__ import annotations

from typing import Any

from service.api.examples import STRATEGY
from service.api.search_examples import INDEX, RUN_GROUPS

_GROUP = RUN_GROUPS["groups"][0]

STRATEGIES: dict[str, Any] = {
    "strategies": [
        {
            "strategy_id": STRATEGY,
            "runs": _GROUP["runs"],
            "statuses": _GROUP["statuses"],
            "run_types": {"training": 2, "backtest": 1},
            "first_start_time": _GROUP["first_start_time"],
            "last_start_time": _GROUP["last_start_time"],
            "metrics": _GROUP["metrics"],
        }
    ],
    "total": 1,
    "next_page_token": None,
    "index": INDEX,
}
