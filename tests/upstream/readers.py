"""The readers of MLflow's replies, as tests call them."""

from collections.abc import Callable

from service.tracking.runs import Run
from service.upstream import wire


def read_runs(body: bytes) -> tuple[list[Run], str]:
    """wire.read_runs, turn after turn."""
    reading = wire.read_runs(body)
    while True:
        try:
            next(reading)
        except StopIteration as end:
            found: tuple[list[Run], str] = end.value
            return found


READERS: list[Callable[[bytes], object]] = [
    wire.read_run,
    read_runs,
    wire.read_experiment,
    wire.read_experiments,
]
