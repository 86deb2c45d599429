"""Metrics for Prometheus, from what parts of the service have counted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from service.durations import Durations


def gauge(name: str, text: str, value: float | None) -> Metric:
    """One number; no sample where there is none."""
    family = GaugeMetricFamily(name, text)
    if value is not None:
        family.add_metric((), value)
    return family


def counter(
    name: str, text: str, labels: Sequence[str], samples: Iterable[tuple[Sequence[str], float]]
) -> Metric:
    """A number that only grows, for each of these values of the labels."""
    family = CounterMetricFamily(name, text, labels=labels)
    for values, number in samples:
        family.add_metric(values, number)
    return family


def histogram(
    name: str, text: str, labels: Sequence[str], samples: Iterable[tuple[Sequence[str], Durations]]
) -> Metric:
    """Durations in seconds, for each of these values of the labels."""
    family = HistogramMetricFamily(name, text, labels=labels)
    for values, durations in samples:
        family.add_metric(values, durations.buckets(), sum_value=durations.total)
    return family
