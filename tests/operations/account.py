"""What happened when, by the dashboard's own queries."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from tests.operations.files import Target, targets
from tests.operations.prometheus import Line, Prometheus

RATE_INTERVAL = "5s"  # what Grafana would take for a scrape each second
_OF_HAPROXY = "haproxy_"


class Column(NamedTuple):
    """A figure of the account: its panel, the line or lines of it, and how one is made of them."""

    title: str
    panel: str
    legend: str
    label: str = ""  # of the lines that count ...
    values: tuple[str, ...] = ()  # ... those whose label has one of these, all where there is none
    shown: Callable[[float], str] = "{:.0f}".format


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1_000:.1f}"


def _percent(part: float) -> str:
    return f"{part * 100:.0f} %"


def _opened(replicas: float) -> str:
    return "open" if replicas else ""


_BAD = ("500", "502", "503", "504")
_FAILED = ("upstream_error", "upstream_timeout", "upstream_unavailable")
COLUMNS = (
    Column("requests/s", "Requests by status", "{{status}}"),
    Column("5xx/s", "Requests by status", "{{status}}", "status", _BAD),
    Column("hot p99 ms", "Duration of hot answers", "p99", shown=_milliseconds),
    Column("cold p99 ms", "Duration of cold answers", "p99", shown=_milliseconds),
    Column("hits", "Hit ratio", "from memory", shown=_percent),
    Column("stale/s", "Reads by result", "{{result}}", "result", ("stale",)),
    Column("failed reads/s", "Reads by result", "{{result}}", "result", ("failed",)),
    Column("MLflow ok/s", "Calls by outcome", "{{outcome}}", "outcome", ("ok",)),
    Column("failing/s", "Calls by outcome", "{{outcome}}", "outcome", _FAILED),
    Column("held back/s", "Calls by outcome", "{{outcome}}", "outcome", ("breaker_open", "gate_full")),
    Column("breaker", "Breaker", "{{state}}", "state", ("open", "half_open"), _opened),
    Column("waiting", "Calls in flight", "waiting, on average", shown="{:.1f}".format),
    Column("loop p99 ms", "Lag of the event loop", "p99 {{instance}}", shown=_milliseconds),
)


async def account(
    prometheus: Prometheus, start: float, phases: Sequence[tuple[str, float]], step: float
) -> list[list[str]]:
    """A row for each step of so many seconds: when, in which phase, and each column's figure.

    phases: their names and lengths in seconds, the first one from the start on (seconds since 1970).
    """
    length = sum(seconds for _, seconds in phases)
    columns = [await _figures(prometheus, column, start, start + length, step) for column in COLUMNS]
    rows = [["s", "MLflow", *(column.title for column in COLUMNS)]]
    for number in range(1, int(length / step) + 1):
        when = number * step
        rows.append([f"{when:.0f}", _phase(phases, when), *(column.get(when, "") for column in columns)])
    return rows


async def _figures(
    prometheus: Prometheus, column: Column, start: float, end: float, step: float
) -> Mapping[float, str]:
    [target] = [one for one in targets(RATE_INTERVAL) if (column.panel, column.legend) == one[:2]]
    sums: dict[float, float] = {}
    for line in await prometheus.between(target.query, start, end, step):
        if not column.values or line.labels[column.label] in column.values:
            for when, value in line.values.items():
                sums[round(when - start, 3)] = sums.get(round(when - start, 3), 0.0) + value
    return {when: column.shown(value) for when, value in sums.items() if not math.isnan(value)}


def _phase(phases: Sequence[tuple[str, float]], when: float) -> str:
    ends = 0.0
    for name, seconds in phases:
        ends += seconds
        if when <= ends:
            return name
    raise ValueError(when)


async def fired(prometheus: Prometheus, start: float, end: float) -> list[str]:
    """Which alerts fired, and from when to when, in seconds from the start."""
    lines = await prometheus.between('ALERTS{alertstate="firing"}', start, end, 1.0)
    told = [(min(line.values) - start, max(line.values) - start, line.labels["alertname"]) for line in lines]
    return [f"{name} from {first:.0f} to {last:.0f} s" for first, last, name in sorted(told)]


async def silent(prometheus: Prometheus, start: float, end: float) -> list[Target]:
    """The queries of the dashboard that showed nothing all the time, HAProxy's left out."""

    async def lines(target: Target) -> list[Line]:
        return await prometheus.between(target.query, start, end, 1.0)

    asked = [target for target in targets(RATE_INTERVAL) if _OF_HAPROXY not in target.query]
    return [target for target in asked if not await lines(target)]


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows as text, each column as wide as its widest figure."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(figure.rjust(width) for figure, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
