"""Writes the scale runs straight into an SQLite store of the installed MLflow: 100,000 in two minutes.

    python -m tests.bench.scale_store mlflow.db --runs 100000

The schema is MLflow's own (`mlflow db upgrade`), and the rows are what MLflow itself would have written.
"""

import argparse
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from service.tracking.runs import Run
from tests.bench.scale import EXPERIMENT_ID, runs_of
from tests.live.logbook import LARGEST
from tests.live.server import ENVIRONMENT

_BATCH = 25_000  # runs whose rows are sorted by key before they are written
_FAST = ("journal_mode = OFF", "synchronous = OFF", "locking_mode = EXCLUSIVE", "cache_size = -500000")


class _Table(NamedTuple):
    """A table, its columns in the order of its primary key, which is cheap to fill, and its rows of a run."""

    name: str
    columns: str
    rows: Callable[[Run], Iterable[tuple[Any, ...]]]


def write_store(file: Path, runs: Iterable[Run]) -> None:
    """Write runs into a new SQLite file, all of them into MLflow's default experiment."""
    address = f"sqlite:///{file}"
    subprocess.run(
        [sys.executable, "-m", "mlflow", "db", "upgrade", address],
        env={**os.environ, **ENVIRONMENT},
        check=True,
        capture_output=True,
    )
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        for pragma in _FAST:
            database.execute(f"PRAGMA {pragma}")
        indexes = _without_indexes(database)
        database.execute("BEGIN")
        database.execute(
            "INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage, "
            "creation_time, last_update_time) VALUES (?, 'Default', ?, 'active', 0, 0)",
            (int(EXPERIMENT_ID), f"mlflow-artifacts:/{EXPERIMENT_ID}"),
        )
        every = iter(runs)
        while batch := list(islice(every, _BATCH)):
            for table in _TABLES:
                rows = sorted(row for run in batch for row in table.rows(run))
                places = ", ".join("?" * len(table.columns.split(",")))
                database.executemany(
                    f"INSERT INTO {table.name} ({table.columns}) VALUES ({places})",  # noqa: S608 - our own names
                    rows,
                )
        database.execute("COMMIT")
        for index in indexes:
            database.execute(index)


def _without_indexes(database: sqlite3.Connection) -> list[str]:
    """Drop the indexes that are no primary keys; the statements that create them again."""
    query = "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    tables = {table.name for table in _TABLES}
    found = [(name, sql) for name, table, sql in database.execute(query) if table in tables]
    for name, _ in found:
        database.execute(f"DROP INDEX {name}")
    return [sql for _, sql in found]


def _run(run: Run) -> Iterator[tuple[Any, ...]]:
    yield (
        run.run_id,
        run.run_name,
        "UNKNOWN",
        "",
        "",
        run.tags.get("mlflow.user", ""),
        run.status,
        run.start_time,
        run.end_time,
        "",
        "active",
        run.artifact_uri,
        int(EXPERIMENT_ID),
    )


def _metrics(run: Run) -> Iterator[tuple[Any, ...]]:
    """NaN is a flag, and infinity the largest number (mlflow/store/tracking/sqlalchemy_store.py)."""
    for key, value in run.metrics.items():
        number = 0.0 if value is None else max(-LARGEST, min(LARGEST, value))
        yield key, run.run_id, number, run.start_time, 0, value is None


def _params(run: Run) -> Iterator[tuple[Any, ...]]:
    return ((key, run.run_id, value) for key, value in run.params.items())


def _tags(run: Run) -> Iterator[tuple[Any, ...]]:
    return ((key, run.run_id, value) for key, value in run.tags.items())


_TABLES = (
    _Table(
        "runs",
        "run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time, end_time, "
        "source_version, lifecycle_stage, artifact_uri, experiment_id",
        _run,
    ),
    _Table("latest_metrics", "key, run_uuid, value, timestamp, step, is_nan", _metrics),
    _Table("metrics", "key, run_uuid, value, timestamp, step, is_nan", _metrics),
    _Table("params", "key, run_uuid, value", _params),
    _Table("tags", "key, run_uuid, value", _tags),
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.scale_store", description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    write_store(given.file.absolute(), runs_of(given.runs, given.seed))


if __name__ == "__main__":
    main()
