"""Small stores like those that MLflow leaves, and the content of folders."""

import sqlite3
from contextlib import closing
from pathlib import Path

from service.local.installed import Installed
from service.local.schema import Schemas

HEAD, OLD = "dc11669786a5", "acf3f17fdcc7"  # of MLflow 3.17 and 2.9
MLFLOW = Installed("3.17.2", Schemas(HEAD, frozenset({HEAD, OLD})))


def make_database(file: Path, revision: str | None = HEAD, *, runs: int = 1, wal: bool = False) -> Path:
    """Make a SQLite file with the tables by which an MLflow store is recognised."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(file)) as database:
        if wal:
            database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE experiments (experiment_id INTEGER)")
        database.execute("CREATE TABLE runs (run_uuid TEXT)")
        database.executemany("INSERT INTO runs VALUES (?)", [(str(number),) for number in range(runs)])
        if revision is not None:
            database.execute("CREATE TABLE alembic_version (version_num TEXT)")
            database.execute("INSERT INTO alembic_version VALUES (?)", (revision,))
        database.commit()
    return file


def make_file_store(folder: Path) -> Path:
    """Make a folder `mlruns` as MLflow's file store does."""
    (folder / "0").mkdir(parents=True)
    (folder / "0" / "meta.yaml").touch()
    (folder / ".trash").mkdir()
    return folder


def laid_out(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder, with its bytes."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
