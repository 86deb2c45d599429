"""What a service says of itself at /metrics."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping

from tests.bench.load import Question, ask
from tests.bench.machine import Server

_SAMPLE = re.compile(r"^(\w+(?:\{.*\})?) ([\d.e+-]+)$", re.MULTILINE)
_BUCKET = re.compile(r'tracking_event_loop_lag_seconds_bucket\{le="([^"]+)"\}')


def scrape(service: Server) -> dict[str, float]:
    """Every sample, by its name with its labels."""
    text = asyncio.run(ask(service, Question("metrics"))).body.decode()
    return {name: float(value) for name, value in _SAMPLE.findall(text)}


def loop_lag_p99_ms(before: Mapping[str, float], after: Mapping[str, float]) -> float:
    """The 99th percentile of the event loop's lag between two scrapes, in milliseconds.

    It is interpolated in its bucket, as Prometheus does.
    """
    counts = sorted(
        (float(bucket[1]), value - before.get(name, 0.0))
        for name, value in after.items()
        if (bucket := _BUCKET.fullmatch(name)) is not None
    )
    wanted = 0.99 * counts[-1][1]
    low, under = 0.0, 0.0
    for bound, count in counts:
        if count >= wanted:
            inside = (wanted - under) / max(count - under, 1e-9)
            return (low + (bound - low) * inside) * 1_000 if bound != float("inf") else bound
        low, under = bound, count
    raise ValueError("the service looked at no lag")
