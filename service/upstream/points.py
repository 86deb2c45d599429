"""The points of a history in MLflow's JSON. Pure: bytes in, numbers out, WireError for what is none of it."""

from __future__ import annotations

from array import array
from collections.abc import Generator, Iterable
from math import copysign, inf
from typing import Final, NamedTuple, Self

import msgspec

from service.upstream import lenient
from service.upstream.lenient import LARGEST, Body, WireError, metric_of, time_of

_AT_ONCE: Final = 500  # points read in one step: a quarter of a millisecond
_LONGEST_OVERLAP: Final = 1_000  # points
_NAN: Final = float("nan")

_Point = tuple[int, int, float]


class Points:
    """Steps, times (Unix epoch milliseconds) and values, which may be NaN or infinite, side by side."""

    __slots__ = ("steps", "times", "values")

    def __init__(self, points: Iterable[_Point] = ()) -> None:
        self.steps, self.times, self.values = array("q"), array("q"), array("d")
        self.add(points)

    def __len__(self) -> int:
        return len(self.values)

    def add(self, points: Iterable[_Point]) -> None:
        """Append single points. OverflowError for what is no int64."""
        for step, time, value in points:
            self.steps.append(step)
            self.times.append(time)
            self.values.append(value)

    def extend(self, other: Points) -> None:
        """Append all points of another."""
        self.steps.extend(other.steps)
        self.times.extend(other.times)
        self.values.extend(other.values)

    def part(self, start: int, end: int) -> Self:
        """The points from one place to before another."""
        points = type(self)()
        points.steps, points.times, points.values = (
            self.steps[start:end],
            self.times[start:end],
            self.values[start:end],
        )
        return points

    def after(self, before: Points) -> Self:
        """Those behind the beginning that is the end of `before`, point by point."""
        for length in range(min(len(before), len(self), _LONGEST_OVERLAP), 0, -1):
            is_alike = (
                self.steps[length - 1] == before.steps[-1] and self.times[length - 1] == before.times[-1]
            )
            if is_alike and self.part(0, length)._is(before.part(len(before) - length, len(before))):
                return self.part(length, len(self))
        return self

    def is_same(self, other: Points) -> bool:
        """Whether it has the same points; one without a number is the same as another."""
        return (self.steps, self.times, self.values.tobytes()) == (
            other.steps,
            other.times,
            other.values.tobytes(),
        )


class HistoryPage(NamedTuple):
    """A page of a history. token: of the next page, "" on the last."""

    points: Points
    token: str


class _Metric(msgspec.Struct, gc=False):
    key: str
    value: float
    timestamp: int
    step: int = 0


class _AnyMetric(msgspec.Struct, gc=False):
    key: str | None = None
    value: float | str | None = None
    timestamp: int | float | str | None = None
    step: int | float | str | None = None


class _Reply(msgspec.Struct, gc=False):
    metrics: list[msgspec.Raw] | None = None
    next_page_token: str | int | None = None


_reply = msgspec.json.Decoder(_Reply)
_metrics = msgspec.json.Decoder(list[_Metric])
_any_metric = msgspec.json.Decoder(_AnyMetric)
_anything = msgspec.json.Decoder(dict[str, msgspec.Raw])


def read_history(body: Body, key: str) -> Generator[None, None, HistoryPage]:
    """The points of this key in a reply of metrics/get-history; in steps, for a page is 10 ms of work.

    A server that finds keys whatever their case sends the points of other keys, too.
    """
    reply = lenient.decode(_reply, body)
    token = "" if reply.next_page_token is None else str(reply.next_page_token)
    raws = reply.metrics or []
    if not raws:
        # A history without points is left out, so it is `{}`; anything else without it is no such reply.
        unexpected = lenient.decode(_anything, body).keys() - {"metrics", "next_page_token"}
        if unexpected:
            raise WireError(f"metrics are missing beside {sorted(unexpected)}")
    points = Points()
    for start in range(0, len(raws), _AT_ONCE):
        if start:
            yield
        points.extend(_read(raws[start : start + _AT_ONCE], key))
    return HistoryPage(points, token)


def _read(raws: list[msgspec.Raw], key: str) -> Points:
    """As MLflow writes them; else one by one, as other servers do."""
    try:
        metrics = _metrics.decode(b"[%b]" % b",".join(raws))
        return Points(
            (metric.step, metric.timestamp, _number(metric.value)) for metric in metrics if metric.key == key
        )
    except (ValueError, OverflowError, RecursionError):
        anything = [lenient.decode(_any_metric, raw) for raw in raws]
        return Points(_point(metric) for metric in anything if metric.key in (None, key))


def _number(value: float) -> float:
    """The value, which is infinite where MLflow's store could not keep it so."""
    return value if -LARGEST < value < LARGEST else copysign(inf, value)


def _point(metric: _AnyMetric) -> _Point:
    """Step, time and value; one that is not set is 0, as protobuf has it."""
    value = metric_of(0.0 if metric.value is None else metric.value)
    return time_of(metric.step) or 0, time_of(metric.timestamp) or 0, _NAN if value is None else value
