"""The example of what the route of drivers answers."""

from __future__ import annotations

from typing import Any

from service.api.examples import STRATEGY
from service.api.search_examples import INDEX

_TRAINING = {"run_type": "training"}

DRIVERS: dict[str, Any] = {
    "strategy_id": STRATEGY,
    "metric": "oos_sharpe",
    "direction": "max",
    "rule": "*_sharpe_*",
    "runs": 70,
    "used": 64,
    "run_types": [{**_TRAINING, "runs": 64, "configurations": 64, "reason": None}],
    "pairs": [
        {
            **_TRAINING,
            "kind": "params",
            "parameter": "max_depth",
            "from": 4,
            "to": 6,
            "n": 32,
            "mean": 0.41,
            "median": 0.4,
            "share_positive": 0.96875,
            "share_better": 0.96875,
            "interval": {"low": 0.36, "high": 0.46},
            "reason": None,
            "examples": [{"from_run_id": "abc123def456", "to_run_id": "def456ghi789"}],
        }
    ],
    "pairs_total": 1,
    "associations": [
        {
            **_TRAINING,
            "kind": "params",
            "parameter": "max_depth",
            "method": "spearman",
            "value": 0.85,
            "n": 64,
            "missing": 0,
            "values": 2,
            "p_value": 1e-18,
            "q_value": 4e-18,
            "rise_is_better": True,
            "reason": None,
        }
    ],
    "confounded": {
        "constant": [{**_TRAINING, "kind": "tags", "parameter": "dataset_version", "value": "2026-01"}],
        "together": [
            {
                **_TRAINING,
                "parameters": [
                    {"kind": "params", "parameter": "learning_rate"},
                    {"kind": "tags", "parameter": "feature_version"},
                ],
                "strength": 1.0,
            }
        ],
        "ignored": [{**_TRAINING, "kind": "tags", "parameter": "model_version"}],
        "reason": None,
    },
    "methods": {
        "pairs": {
            "name": "matched pairs",
            "reference": "Student's t on the differences of pairs",
            "conventions": {"confidence": 0.95, "ddof": 1, "fewest_for_interval": 5, "few_levels": 12},
        },
        "spearman": {
            "name": "spearman",
            "reference": "Spearman 1904, The proof and measurement of association between two things",
            "conventions": {
                "p_value": "two-sided, Student's t with n - 2 degrees of freedom",
                "fewest": 10,
            },
        },
        "kruskal_wallis": {
            "name": "kruskal_wallis",
            "reference": "Kruskal and Wallis 1952, Use of ranks in one-criterion variance analysis; the "
            "value is epsilon squared, Tomczak and Tomczak 2014",
            "conventions": {"p_value": "chi squared, corrected for ties", "fewest": 10, "fewest_of_level": 5},
        },
        "q_value": {
            "name": "benjamini_hochberg",
            "reference": "Benjamini and Hochberg 1995, Controlling the false discovery rate",
            "conventions": {"over": "all associations of this answer"},
        },
        "together": {
            "name": "moving together",
            "reference": "Spearman 1904 between numbers; Cramér 1946, Mathematical Methods of Statistics, "
            "between any two",
            "conventions": {
                "from": 0.9,
                "missing": "a value of its own",
                "more_than_10_numbers": "compared by fifths",
            },
        },
    },
    "notes": {
        "pairs": "Runs that differ in one parameter alone show what that change did, in the settings in "
        "which it was tried. Runs of one configuration count once, with their mean.",
        "associations": "An association, not a cause: what changed along with the parameter may have done "
        "it.",
        "confounded": "What never varied, and what moved together: these runs cannot tell what each does.",
    },
    "index": INDEX,
}
