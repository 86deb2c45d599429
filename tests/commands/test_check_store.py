"""`experiment-tracking check` over a local store: its findings and its advice."""

import asyncio
import importlib.util
import os
from pathlib import Path

import pytest

from tests.commands.test_check import MLFLOW, SECRET, checked
from tests.local.stores import OLD, laid_out, make_database, make_file_store


class TestLocalStore:
    def test_announces_the_services_own_store(self, tmp_path: Path) -> None:
        """Without an address the check announces the service's own store, and does not create its folder."""
        code, lines = asyncio.run(checked("", data_dir=tmp_path / "data"))
        expected = [
            f"ok  MLflow: {MLFLOW} is installed",
            f"ok  store: {tmp_path}/data/mlflow.db will be created at the first start",
            f"ok  MLflow: the service will start a local MLflow over sqlite:///{tmp_path}/data/mlflow.db",
        ]
        assert (0, expected) == (code, lines[1:])
        assert [] == list(tmp_path.iterdir())

    async def test_warns_of_a_new_store_at_an_address(self, tmp_path: Path) -> None:
        """A store that the user named but that does not exist is a ?? line: the address may be misspelt."""
        code, lines = await checked(f"sqlite:///{tmp_path}/new.db")
        assert (0, True) == (code, f"??  store: sqlite:///{tmp_path}/new.db does not exist yet: " in lines[2])

    async def test_reports_an_existing_store(self, tmp_path: Path) -> None:
        """A database with this MLflow's schema, or a file store, is an ok line; nothing is written."""
        file = make_database(tmp_path / "a" / "mlflow.db")
        folder = make_file_store(tmp_path / "mlruns")
        before = laid_out(tmp_path)
        code, lines = await checked(f"sqlite:///{file}?timeout=30")
        assert (0, f"ok  store: {file} is a SQLite store with the schema of this MLflow") == (code, lines[2])
        code, lines = await checked(folder.as_uri())
        assert (0, f"ok  store: {folder} is a file store of MLflow") == (code, lines[2])
        assert before == laid_out(tmp_path)

    async def test_reports_a_store_of_an_older_mlflow(self, tmp_path: Path) -> None:
        """A store that MLflow would upgrade is a problem with advice, and stays unchanged."""
        file = make_database(tmp_path / "mlflow.db", OLD)
        before = laid_out(tmp_path)
        code, lines = await checked(f"sqlite:///{file}")
        assert (1, True) == (code, lines[-1].startswith(f"!!  store: sqlite:///{file} has schema {OLD}"))
        assert "db upgrade" in lines[-1]
        assert before == laid_out(tmp_path)

    async def test_warns_of_a_read_only_store(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A read-only store is a ?? line."""
        file = make_database(tmp_path / "mlflow.db")
        monkeypatch.setattr(os, "access", lambda _, mode: mode != os.W_OK)
        code, lines = await checked(f"sqlite:///{file}")
        assert (0, True) == (code, lines[2].startswith(f"??  store: sqlite:///{file} is read-only: "))

    async def test_warns_of_variables_that_the_local_mlflow_does_not_get(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Variables of MLflow that name another server are named."""
        monkeypatch.setenv("MLFLOW_READ_REPLICA_BACKEND_STORE_URI", f"sqlite:///{SECRET}")
        code, lines = await checked("", data_dir=tmp_path)
        expected = (
            "??  store: the local MLflow does not get these variables: MLFLOW_READ_REPLICA_BACKEND_STORE_URI"
        )
        assert (0, expected) == (code, lines[2])

    @pytest.mark.parametrize("uri", ["", "sqlite:////nowhere/mlflow.db"])
    async def test_reports_that_mlflow_is_not_installed(
        self, monkeypatch: pytest.MonkeyPatch, uri: str
    ) -> None:
        """If no MLflow is installed, the check exits with 1 and names both remedies."""
        monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
        code, [_, problem, hint] = await checked(uri)
        assert (1, True) == (code, problem.endswith("mlflow.db needs a local MLflow, which is not installed"))
        assert "MLFLOW_TRACKING_URI" in hint
        assert "experiment-tracking[embedded]" in hint
