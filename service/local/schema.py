"""Reads whether a SQLite file is an MLflow store, and of which schema; needs no MLflow and writes nothing."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

_REVISION = re.compile(r"^(down_)?revision\b[^=]*=(.*)$", re.MULTILINE)
_NAME = re.compile(r"[\"'](\w+)[\"']")
_TABLES = {"experiments", "runs"}  # of every MLflow since 0.9


class SchemaError(Exception):
    """The file is not a readable store. The message says why, without the file's name."""


class Contents(NamedTuple):
    """The content of a SQLite file. revision: Alembic's, or None; rows: of experiments and runs together."""

    is_empty: bool
    revision: str | None
    rows: int


class Schemas(NamedTuple):
    """The schemas that an MLflow knows, by Alembic's revisions. head: the one that it reads and writes."""

    head: str
    known: frozenset[str]


def contents(file: Path, *, is_read_only: bool) -> Contents:
    """Return the content of the file. SchemaError if it is not SQLite, not MLflow's, or cannot be read.

    Nothing is written, neither to the file nor beside it. A file without a log or journal beside it is opened
    as immutable, because to open a database in WAL mode otherwise creates two files. A file whose journal
    would have to be rolled back first is opened as immutable, too. In a read-only folder, the file is opened
    in the way that MLflow will open it, which may fail there.
    """
    has_log = any(file.with_name(file.name + end).exists() for end in ("-wal", "-journal"))
    read_only = ["mode=ro"] if has_log or is_read_only else []
    immutable = [] if is_read_only else ["mode=ro&immutable=1"]
    *first, last = [*read_only, *immutable]
    for query in first:
        with suppress(sqlite3.OperationalError):
            return _read(file, query)
    try:
        return _read(file, last)
    except sqlite3.Error as error:
        if is_read_only and _is_in_wal_mode(file):
            raise SchemaError(
                "is in WAL mode, which SQLite cannot open in a read-only folder; copy it to a writable one"
            ) from error
        raise SchemaError(f"cannot be read as SQLite: {error}") from error


def _is_in_wal_mode(file: Path) -> bool:
    """Tell whether the file's header says WAL: https://www.sqlite.org/fileformat.html#file_format_version_numbers"""
    with suppress(OSError), file.open("rb") as opened:
        return opened.read(19)[18:] == b"\2"
    return False


def _read(file: Path, query: str) -> Contents:
    with closing(sqlite3.connect(f"file:{quote(str(file))}?{query}", uri=True)) as database:
        return _contents(database)


def _contents(database: sqlite3.Connection) -> Contents:
    tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    revision = None
    if "alembic_version" in tables:
        row = database.execute("SELECT version_num FROM alembic_version").fetchone()
        revision = str(row[0]) if row else None
    if not tables - {"alembic_version"}:
        return Contents(is_empty=True, revision=revision, rows=0)
    if not tables >= _TABLES:
        raise SchemaError("is a SQLite file that MLflow did not write")
    [(rows,)] = database.execute("SELECT (SELECT count(*) FROM experiments) + (SELECT count(*) FROM runs)")
    return Contents(is_empty=False, revision=revision, rows=int(rows))


def schemas(mlflow: Path) -> Schemas | None:
    """Return the schemas that the MLflow in this folder knows; None if its migrations are not as expected."""
    known: set[str] = set()
    replaced: set[str] = set()
    for file in (mlflow / "store" / "db_migrations" / "versions").glob("*.py"):
        for down, value in _REVISION.findall(file.read_text("utf-8")):
            (replaced if down else known).update(_NAME.findall(value))
    heads = known - replaced
    return Schemas(heads.pop(), frozenset(known)) if len(heads) == 1 else None
