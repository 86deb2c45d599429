"""The MLflow that is installed here, and whether it may be started over a store."""

from __future__ import annotations

import importlib.util
import shlex
import sys
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from service.local.schema import Contents, SchemaError, Schemas, contents, schemas
from service.local.store import Store


class LocalError(Exception):
    """The local MLflow cannot be started; the message says what to do."""


class Installed(NamedTuple):
    """The MLflow that is installed. schemas: of its SQL stores; None where they cannot be read."""

    version: str
    schemas: Schemas | None


def installed_mlflow() -> Installed | None:
    """What is installed, found without importing it; None where that is no whole MLflow."""
    spec = importlib.util.find_spec("mlflow")
    if spec is None or not spec.submodule_search_locations:
        return None
    try:
        version = metadata.version("mlflow")  # mlflow-skinny has the package, and no server
    except metadata.PackageNotFoundError:
        return None
    return Installed(version, schemas(Path(spec.submodule_search_locations[0])))


def examined(store: Store, mlflow: Installed) -> Store:
    """The store, found fit for this MLflow: one that a broken start left half made is new again.

    LocalError where MLflow would change its schema, or cannot read it. Nothing is written.
    """
    if store.is_file_store:
        if store.is_read_only and not (store.path / ".trash").is_dir():
            raise LocalError(f"{store.uri} is read-only, and MLflow needs to create .trash in it")
        return store
    if store.is_new:
        return store
    try:
        found = contents(store.path, is_read_only=store.is_read_only)
    except SchemaError as error:
        raise LocalError(f"{store.uri} {error}") from error
    head = mlflow.schemas.head if mlflow.schemas else None
    if store.is_unfinished and found.rows == 0 and found.revision != head:
        return store._replace(is_new=True)  # MLflow writes the first experiment when its tables are complete
    if found.is_empty and store.is_read_only:
        raise LocalError(f"{store.uri} is empty and read-only")
    if not found.is_empty and head != found.revision:
        raise LocalError(_mismatch(store, found, mlflow))
    return store


def _mismatch(store: Store, found: Contents, mlflow: Installed) -> str:
    if mlflow.schemas is None:
        return f"{store.uri} is left unchanged: the schema that MLflow {mlflow.version} needs is not known"
    has = f"{store.uri} has schema {found.revision or 'none'}"
    wants = f"the installed MLflow {mlflow.version} needs {mlflow.schemas.head}"
    others = "install the MLflow that wrote it, or give the address of its server"
    if found.revision is not None and found.revision not in mlflow.schemas.known:
        return f"{has}, of a newer MLflow; {wants}: {others}"
    upgrade = f"{shlex.quote(sys.executable)} -m mlflow db upgrade {shlex.quote(f'sqlite:///{store.path}')}"
    anew = ", or move it away, and a new store is created" if store.is_own else ""
    return (
        f"{has}, of an older MLflow; {wants}, and once upgraded the older one cannot open it: make a copy, "
        f"then {upgrade}; or {others}{anew}"
    )
