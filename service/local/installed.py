"""The MLflow that is installed beside the service, and whether it may be started over a store."""

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
    """The local MLflow cannot be started. The message says what to do."""


class Installed(NamedTuple):
    """An installed MLflow. schemas: of its SQL stores; None if its files do not tell them."""

    version: str
    schemas: Schemas | None


def installed_mlflow() -> Installed | None:
    """Return the installed MLflow, without importing it; None if there is none, or only its client."""
    spec = importlib.util.find_spec("mlflow")
    if spec is None or not spec.submodule_search_locations:
        return None
    try:
        version = metadata.version("mlflow")  # mlflow-skinny has the package `mlflow` too, but no server
    except metadata.PackageNotFoundError:
        return None
    return Installed(version, schemas(Path(spec.submodule_search_locations[0])))


def examined(store: Store, mlflow: Installed) -> Store:
    """Return the store if this MLflow can use it; one that an interrupted start left incomplete becomes new.

    LocalError if MLflow cannot read the store, or would change its schema. Nothing is written.
    """
    if store.is_file_store:
        if store.is_read_only and not (store.path / ".trash").is_dir():
            raise LocalError(f"{store.uri} is read-only, and MLflow needs to create .trash in it")
        return store
    if store.is_new:
        return store
    try:
        content = contents(store.path, is_read_only=store.is_read_only)
    except SchemaError as error:
        raise LocalError(f"{store.uri} {error}") from error
    head = mlflow.schemas.head if mlflow.schemas else None
    if store.is_unfinished and content.rows == 0 and content.revision != head:
        return store._replace(is_new=True)  # MLflow writes the first experiment once its tables are complete
    if content.is_empty and store.is_read_only:
        raise LocalError(f"{store.uri} is empty and read-only")
    if not content.is_empty and head != content.revision:
        raise LocalError(_mismatch(store, content, mlflow))
    return store


def _mismatch(store: Store, content: Contents, mlflow: Installed) -> str:
    if mlflow.schemas is None:
        return f"{store.uri} is left unchanged: the schema that MLflow {mlflow.version} needs is not known"
    has = f"{store.uri} has schema {content.revision or 'none'}"
    needs = f"the installed MLflow {mlflow.version} needs {mlflow.schemas.head}"
    others = "install the MLflow that wrote it, or give the address of its server"
    if content.revision is not None and content.revision not in mlflow.schemas.known:
        return f"{has}, of a newer MLflow; {needs}: {others}"
    upgrade = f"{shlex.quote(sys.executable)} -m mlflow db upgrade {shlex.quote(f'sqlite:///{store.path}')}"
    new_store = ", or move it away, and a new store is created" if store.is_own else ""
    return (
        f"{has}, of an older MLflow; {needs}, and the older one cannot open an upgraded store: make a copy, "
        f"then run {upgrade}; or {others}{new_store}"
    )
