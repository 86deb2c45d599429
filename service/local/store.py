"""Finds the store that an address names: one that MLflow wrote, or a new one; anything else is an error."""

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
    """A store: where the local MLflow keeps its data.

    path: the SQLite file, or the folder of MLflow's file store; absolute. is_own: whether it is the
    service's, in TRACKING_DATA_DIR, and not one that the user named. is_new: whether it does not exist yet.
    is_unfinished: whether the start that created it was interrupted. query: SQLAlchemy's, without `?`.
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
        """The address of the store, as a person writes it."""
        query = f"?{self.query}" if self.query else ""
        return str(self.path) if self.is_file_store else f"sqlite:///{self.path}{query}"

    @property
    def folder(self) -> Path:
        """The folder that contains the SQLite file, or the folder of the file store."""
        return self.path if self.is_file_store else self.path.parent

    @property
    def unfinished(self) -> Path:
        """The file that marks an incomplete store, until MLflow answers and the sample is written."""
        return self.path.with_name(f"{self.path.name}.unfinished")


def find_store(address: DatabaseAddress | FolderAddress | None, data_dir: Path) -> Store:
    """Return the store at an address; None means the service's own, in data_dir.

    ValueError, with the name of the setting, if the address names something else.
    """
    name = "TRACKING_DATA_DIR" if address is None else "MLFLOW_TRACKING_URI"
    try:
        if address is None:
            return _in_folder(data_dir.expanduser().absolute(), is_own=True)
        path = _first_there(address.paths)
        if isinstance(address, DatabaseAddress):
            return _database(path, address.query)
        return _in_folder(path, is_uri=address.is_uri)
    except OSError as error:  # for example a folder without permission
        raise ValueError(f"{name}: {error.filename}: {error.strerror}") from None
    except (ValueError, RuntimeError) as error:  # RuntimeError: ~ of an unknown user
        raise ValueError(f"{name}: {error}") from None


def _first_there(paths: tuple[str, ...]) -> Path:
    """Return the first of the paths that exists, or else the last, which is how MLflow reads the address."""
    absolute = [Path(path).expanduser().absolute() for path in paths]
    return next((path for path in absolute if path.exists()), absolute[-1])


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
    """Yield suggestions for a folder that is not a store; none if a new store may be created in it."""
    if not folder.is_dir():
        return
    if _is_file_store(folder / "mlruns"):
        yield str(folder / "mlruns")
        return
    files = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    if is_own or not files:
        return
    beside = folder.parent / _DATABASE  # a folder `mlruns` beside a database may hold only its artifacts
    yield from (f"sqlite:///{file}" for file in [*files, beside] if _is_mlflows(file))
    yield f"sqlite:///{folder / _DATABASE} for a new store in it"


def _is_file_store(folder: Path) -> bool:
    """Tell whether MLflow's file store wrote the folder: its experiments are folders named by digits.

    Deleted experiments are in `.trash`.
    """
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
    """Tell whether files can be created in the folder, or the folder itself can be."""
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    return existing.is_dir() and os.access(existing, os.W_OK)
