"""The promises that are figures, each in its quick form. tests/README.md has the table."""

import pytest

from tests.resilience.promises.breaker import breaker
from tests.resilience.promises.deadline import deadline
from tests.resilience.promises.figures import Figures
from tests.resilience.promises.flight import flight
from tests.resilience.promises.outage import continued, outage, stopped
from tests.resilience.promises.poison import poison
from tests.resilience.promises.retries import retries
from tests.resilience.promises.shedding import shedding

pytestmark = pytest.mark.usefixtures("_leaves_nothing")


def told(figures: Figures) -> None:
    """Print them, for `pytest -s`, and hold each to its bound."""
    print(*figures, sep="\n")
    assert all(figure.is_kept for figure in figures), list(map(str, figures))


async def test_the_deadline_is_kept() -> None:
    """200 callers of an MLflow that never answers have an answer in time, and leave nothing behind."""
    told(await deadline())


@pytest.mark.parametrize(
    ("path", "endpoint"),
    [
        ("/runs/abc123def456", "runs/get"),
        ("/runs", "runs/search"),
        ("/experiments", "experiments/search"),
    ],
)
async def test_one_flight(path: str, endpoint: str) -> None:
    """200 identical cold reads are one call of MLflow, whoever of the callers leaves."""
    told(await flight(path=path, endpoint=endpoint))


async def test_reads_through_an_outage() -> None:
    """Ten minutes without MLflow change no answer but its Age, and soon after them all is fresh."""
    told(await outage())


async def test_reads_while_mlflow_hangs() -> None:
    """An MLflow that takes calls and never answers is no worse than one that is gone."""
    told(await outage(keys=100, steps=2, down=stopped, up=continued))


async def test_retries_stay_in_their_budget() -> None:
    """1,000 requests that all fail are at most 1,110 calls of MLflow."""
    told(await retries())


async def test_the_breaker() -> None:
    """It opens after some failures, answers at once while open, probes one at a time, and closes."""
    told(await breaker())


async def test_shedding() -> None:
    """At three times its capacity MLflow does as much as at its peak; refusals are prompt and say when."""
    told(await shedding())


async def test_the_worst_questions_harm_nobody_else() -> None:
    """Beside whoever polls what MLflow cannot answer, a hundred others are answered as ever."""
    told(await poison())
