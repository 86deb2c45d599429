"""What is at the place that an address names: a store that MLflow wrote, nothing yet, or something else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from service.local.address import DatabaseAddress, FolderAddress
from service.local.schema import SchemaError, contents

_DATABASE = "mlflow.db"
_SQLITE = b"SQLite format 3\0"


class Store(NamedTuple):
    """Where the local MLflow keeps its data.

    path: the SQLite file, or the folder of MLflow's file store; absolute. is_own: the service's, in
    TRACKING_DATA_DIR, and not one that the user named. is_new: nothing is there yet. is_unfinished: a start
    that made it broke off. query: SQLAlchemy's, without `?`.
    """

    path: Path
    is_own: bool = False
    is_new: bool = False
    is_unfinished: bool = False
    is_read_only: bool = False
    is_file_store: bool = False
    query: str = ""

    @property
    def uri(self) -> str:
        """As a person writes it."""
        query = f"?{self.query}" if self.query else ""
        return str(self.path) if self.is_file_store else f"sqlite:///{self.path}{query}"

    @property
    def folder(self) -> Path:
        """The folder that the store is in, or is."""
        return self.path if self.is_file_store else self.path.parent

    @property
    def unfinished(self) -> Path:
        """The file that is there while a store is made: until MLflow answers, and the sample is in it."""
        return self.path.with_name(f"{self.path.name}.unfinished")


def find_store(address: DatabaseAddress | FolderAddress | None, data_dir: Path) -> Store:
    """The store that is meant; None means the service's own, in data_dir.

    ValueError, with the name of the setting, where something else is there.
    """
    name = "TRACKING_DATA_DIR" if address is None else "MLFLOW_TRACKING_URI"
    try:
        if address is None:
            return _in_folder(data_dir.expanduser().absolute(), is_own=True)
        path = _first_there(address.paths)
        if isinstance(address, DatabaseAddress):
            return _database(path, address.query)
        return _in_folder(path, is_uri=address.is_uri)
    except OSError as error:  # such as a folder that may not be looked into
        raise ValueError(f"{name}: {error.filename}: {error.strerror}") from None
    except (ValueError, RuntimeError) as error:  # RuntimeError: ~ of a user whom nobody knows
        raise ValueError(f"{name}: {error}") from None


def _first_there(paths: tuple[str, ...]) -> Path:
    """The first of the paths that exists, or the last, which is how MLflow reads it."""
    found = [Path(path).expanduser().absolute() for path in paths]
    return next((path for path in found if path.exists()), found[-1])


def _database(path: Path, query: str = "", *, is_own: bool = False) -> Store:
    if path.is_dir():
        inner = path / _DATABASE
        hint = f"; did you mean sqlite:///{inner}?" if inner.exists() else ""
        raise ValueError(f"{path} is a folder, not a SQLite file{hint}")
    is_new = not path.exists()
    if is_new and not _is_writable(path.parent):
        raise ValueError(f"{path} does not exist and cannot be created")
    is_read_only = not is_new and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK))
    store = Store(path, is_own=is_own, is_new=is_new, is_read_only=is_read_only, query=query)
    return store._replace(is_unfinished=store.unfinished.exists())


def _in_folder(folder: Path, *, is_uri: bool = False, is_own: bool = False) -> Store:
    if folder.exists() and not folder.is_dir():
        hint = f"; did you mean sqlite:///{folder}?" if _is_sqlite(folder) else ""
        raise ValueError(f"{folder} is a file, not a folder{hint}")
    has_files, has_database = _is_file_store(folder), (folder / _DATABASE).exists()
    if has_files and has_database and not is_uri:
        raise ValueError(
            f"{folder} holds both a file store and an {_DATABASE}; "
            f"did you mean {folder.as_uri()}, or sqlite:///{folder / _DATABASE}?"
        )
    if has_files:
        return Store(folder, is_own=False, is_read_only=not os.access(folder, os.W_OK), is_file_store=True)
    if not has_database and (others := list(_other_stores(folder, is_own=is_own))):
        raise ValueError(f"{folder} is not a store; did you mean {', or '.join(others)}?")
    return _database(folder / _DATABASE, is_own=is_own)


def _other_stores(folder: Path, *, is_own: bool) -> Iterator[str]:
    """What may be meant by a folder that is there and is no store; nothing if one may be made in it."""
    if not folder.is_dir():
        return
    if _is_file_store(folder / "mlruns"):
        yield str(folder / "mlruns")
        return
    files = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    if is_own or not files:
        return
    beside = folder.parent / _DATABASE  # an `mlruns` beside it may hold the artifacts only
    yield from (f"sqlite:///{file}" for file in [*files, beside] if _is_mlflows(file))
    yield f"sqlite:///{folder / _DATABASE} for a new store in it"


def _is_file_store(folder: Path) -> bool:
    """Whether MLflow's file store wrote it: experiments are folders of digits, deleted ones below .trash."""
    metas = (meta for pattern in ("*/meta.yaml", ".trash/*/meta.yaml") for meta in folder.glob(pattern))
    return any(meta.parent.name.isdigit() for meta in metas)


def _is_mlflows(file: Path) -> bool:
    try:
        return file.is_file() and _is_sqlite(file) and not contents(file, is_read_only=False).is_empty
    except (SchemaError, OSError):
        return False


def _is_sqlite(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(len(_SQLITE)) == _SQLITE


def _is_writable(folder: Path) -> bool:
    """Whether the folder can be written into, or be made."""
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    return there.is_dir() and os.access(there, os.W_OK)
