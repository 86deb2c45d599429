"""The plain evaluation, held against others: SQLite's LIKE, and MLflow as the fake knows it."""

import math
import sqlite3
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from service.tracking.runs import Run
from service.tracking.search.expressions import And, Comparison
from service.tracking.search.fields import Field
from service.tracking.search.parsing import parse_filter
from service.tracking.search.queries import Order
from service.upstream.conditions import conditions_of, filter_text
from tests.fakes import matching, store
from tests.tracking.search import plainly, strategies
from tests.tracking.values import make_run

PATTERNS = st.lists(st.sampled_from(["%", "_", "a", "b", "A", "é", "\n", "_%"]), max_size=6).map("".join)
SUBJECTS = st.lists(st.sampled_from(["a", "b", "A", "é", "\n", "%", "_"]), max_size=8).map("".join)
# MLflow gives every run a start and a place for its files.
RUNS = (
    st.sampled_from(["r1", "r2", "r3", "r4", "r5", "r6"])
    .flatmap(strategies.runs_of)
    .map(lambda run: replace(run, start_time=run.start_time or 0, artifact_uri=as_stored(run).artifact_uri))
)
RUN = make_run(
    "r1",
    name="Alpha",
    start_time=1_000,
    end_time=3_500,
    params={"lookback": "60", "word": "x", "empty": "", "nan": "nan", "big": "1e999"},
    metrics={"sharpe": 1.5, "nan": None, "inf": math.inf, "zero": -0.0},
    tags={"run_type": "backtest"},
)


@pytest.fixture(scope="module")
def database() -> Iterator[sqlite3.Connection]:
    """SQLite, told to know the case of letters, as MLflow tells it."""
    connection = sqlite3.connect(":memory:")
    connection.execute("PRAGMA case_sensitive_like = true")
    yield connection
    connection.close()


@given(text=SUBJECTS, pattern=PATTERNS)
def test_like_is_that_of_sqlite(database: sqlite3.Connection, text: str, pattern: str) -> None:
    """% is any characters, _ is one of them, line ends included, and all others are themselves."""
    (expected,) = database.execute("SELECT ? LIKE ?", (text, pattern)).fetchone()
    assert bool(expected) is plainly.like(text, pattern)


@pytest.mark.parametrize(
    "text",
    [
        "metrics.sharpe = 1.5",
        "metrics.sharpe >= 1.5 AND metrics.sharpe <= 1.5",
        "metrics.nan != 1",
        "metrics.nan NOT IN (1)",
        "metrics.nan IS NOT NULL",
        "NOT metrics.nan = 1",
        "metrics.inf > 1e308",
        "metrics.inf = 1.7976931348623157e308",
        "metrics.zero = 0",
        "metrics.none IS NULL",
        "NOT metrics.none != 1",
        "params.lookback < '7'",
        "number(params.lookback) > 7",
        "number(params.word) IS NULL",
        "number(params.empty) IS NULL",
        "number(params.nan) IS NULL",
        "number(params.big) IS NULL",
        "params.empty = ''",
        "tags.run_type IN ('x', 'backtest')",
        "tags.run_type LIKE 'back%'",
        "tags.run_type ILIKE 'BACK____'",
        "run_name = 'Alpha' AND status = 'FINISHED'",
        "duration = 2500",
        "start_time >= '1970-01-01T00:00:01Z'",
        "user_id = ''",
        "status = 'RUNNING' OR metrics.sharpe > 1",
    ],
)
def test_what_a_run_satisfies(text: str) -> None:
    """Each of these is true of the run."""
    assert plainly.matches(RUN, parse_filter(text))


@pytest.mark.parametrize(
    "text",
    [
        "metrics.nan = 1",
        "metrics.nan < 1",
        "metrics.nan >= 1",
        "metrics.nan IN (1)",
        "metrics.nan IS NULL",
        "metrics.none != 1",
        "metrics.none NOT IN (1)",
        "params.none NOT IN ('x')",
        "params.none LIKE '%'",
        "number(params.word) != 1",
        "number(params.none) != 1",
        "tags.run_type LIKE 'Back%'",
        "params.empty IS NULL",
        "NOT (status = 'RUNNING' OR metrics.sharpe > 1)",
    ],
)
def test_what_a_run_does_not_satisfy(text: str) -> None:
    """Each of these is false of the run: a key that is missing satisfies nothing but IS NULL."""
    assert not plainly.matches(RUN, parse_filter(text))


@pytest.mark.thorough
@given(
    st.lists(RUNS, max_size=12, unique_by=lambda run: run.run_id),
    st.lists(strategies.comparisons(strategies.fields).filter(conditions_of), max_size=2),
    strategies.orders().filter(lambda order: all(map(is_sorted_by_mlflow, order))),
)
def test_it_finds_what_mlflow_finds(
    runs: list[Run], conditions: list[Comparison], order: tuple[Order, ...]
) -> None:
    """The same runs in the same order, wherever MLflow's grammar can ask for them."""
    matches = matching.matcher(filter_text(conditions))
    order_by = [f"{key.operand} {'DESC' if key.descending else 'ASC'}" for key in order]
    found = matching.in_order(filter(matches, map(as_stored, runs)), order_by)
    ours = plainly.search(runs, And(tuple(conditions)), order)
    assert [run.run_id for run in found] == [run.run_id for run in ours]


def is_sorted_by_mlflow(key: Order) -> bool:
    """Whether MLflow knows the field, and its key stands in an order as in a filter."""
    return (
        isinstance(key.operand, Field)
        and key.operand.key not in {"duration", "experiment_id"}
        and not set('`"/-') & set(key.operand.key)
    )


def as_stored(run: Run) -> store.Run:
    """The run as MLflow keeps it: with a start, and with a place for its files that it chooses itself."""
    return store.Run(
        run.run_id,
        run.experiment_id,
        run.run_name,
        run.start_time or 0,
        run.user_id,
        run.status,
        run.end_time,
        metrics={key: store.Metric(_stored(value), 0, 0) for key, value in run.metrics.items()},
        params=dict(run.params),
        tags={**run.tags, store.RUN_NAME_TAG: run.run_name},
    )


def _stored(value: float | None) -> float:
    return math.nan if value is None else value
