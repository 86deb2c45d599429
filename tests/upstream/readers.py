"""The readers of MLflow's replies, as tests call them."""

from collections.abc import Callable, Generator
from typing import TypeVar

from service.tracking.runs import Experiment, Run
from service.upstream import points, wire
from service.upstream.points import HistoryPage
from service.upstream.wire import Page

T = TypeVar("T")


def read_runs(body: bytes) -> Page[Run]:
    """wire.read_runs, turn after turn."""
    return finished(wire.read_runs(body))


def read_experiments(body: bytes) -> Page[Experiment]:
    """wire.read_experiments, turn after turn."""
    return finished(wire.read_experiments(body))


def read_history(body: bytes) -> HistoryPage:
    """points.read_history of the metric "m", turn after turn."""
    return finished(points.read_history(body, "m"))


def finished(reading: Generator[None, None, T]) -> T:
    """What a reader returns in the end."""
    while True:
        try:
            next(reading)
        except StopIteration as end:
            value: T = end.value
            return value


READERS: list[Callable[[bytes], object]] = [
    wire.read_run,
    read_runs,
    wire.read_experiment,
    read_experiments,
    read_history,
]
