"""The files of config/deploy that operators look through, read as the tests need them."""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.deploy.files import DEPLOY, document

PROMETHEUS = DEPLOY / "prometheus"
CONFIGURATION = PROMETHEUS / "prometheus.yaml"
ALERTS = PROMETHEUS / "alerts.yaml"
ALERTS_TEST = PROMETHEUS / "alerts-test.yaml"
DASHBOARD = DEPLOY / "grafana" / "dashboard.json"

# What is no metric in a query, in the order in which it is taken out.
_NO_METRICS = (
    r'"(?:[^"\\]|\\.)*"',  # texts
    r"\{[^}]*\}",  # label selectors
    r"\[[^]]*\]",  # ranges
    r"\b(?:by|on|without|ignoring|group_left|group_right)\s*\([^)]*\)",
    r"\b\w+\s*(?=\()",  # functions
    r"\b(?:and|or|unless|bool|offset)\b",
)
_NAME = re.compile(
    r'"(?:[^"\\]|\\.)*"'  # texts
    r"|\[[^]]*\]"  # ranges
    r"|\b(?:by|on|without|ignoring|group_left|group_right)\s*\([^)]*\)"  # labels
    r"|\{[^}]*\}"
    r"|\b\w+\s*(?=\()"  # functions
    r"|\b(?:and|or|unless|by|bool|offset)\b"
)
_NAME = re.compile(r"[a-zA-Z_:][\w:]*")


class Target(NamedTuple):
    """A query of the dashboard: its panel's title, the name of its line, and the query itself."""

    panel: str
    legend: str
    query: str


def rules() -> Iterator[dict[str, Any]]:
    """Recording rules and alerts, in their order."""
    for group in document(ALERTS)["groups"]:
        yield from group["rules"]


def dashboard() -> dict[str, Any]:
    """The dashboard, as Grafana imports it."""
    loaded: dict[str, Any] = json.loads(DASHBOARD.read_text("utf-8"))
    return loaded


def targets(rate_interval: str) -> list[Target]:
    """All queries of the dashboard, with this (such as 1m) for Grafana's own interval."""
    return [
        Target(
            panel["title"], target["legendFormat"], target["expr"].replace("$__rate_interval", rate_interval)
        )
        for panel in dashboard()["panels"]
        for target in panel.get("targets", ())
    ]


def metrics_in(query: str) -> set[str]:
    """The names of the metrics in a PromQL expression."""
    for pattern in _NO_METRICS:
        query = re.sub(pattern, "", query)
    return set(_NAME.findall(query))
