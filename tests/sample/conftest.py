from __future__ import annotations

import os
import shutil
from itertools import count
from pathlib import Path

import pytest
from mlflow import MlflowClient

from service.local.sample.record import connect
from service.local.sample.runs import SampleRun
from service.local.sample.session import session

fresh_names = (f"research-{number}" for number in count())


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with MLflow's tables, which take seconds to make."""
    file = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    connect(f"sqlite:///{file}").search_experiments()
    return file


@pytest.fixture
def address(empty_store: Path, tmp_path: Path) -> str:
    """A store of the test's own: registered models are the whole store's."""
    return f"sqlite:///{shutil.copy(empty_store, tmp_path / 'mlflow.db')}"


@pytest.fixture
def client(address: str) -> MlflowClient:
    return connect(address)


@pytest.fixture
def experiment_name() -> str:
    return next(fresh_names)


@pytest.fixture
def own_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line sets variables, and a local store puts its artifacts below the working directory."""
    monkeypatch.setattr(os, "environ", {**os.environ, "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"})
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def runs() -> tuple[SampleRun, ...]:
    """The sample's runs, worked out once for all tests: they are immutable."""
    return session()
