"""`experiment-tracking check` over a local store: what it finds there, and what it advises."""

import asyncio
import importlib.util
import os
from pathlib import Path

import pytest

from tests.commands.test_check import MLFLOW, SECRET, checked
from tests.local.stores import OLD, laid_out, make_database, make_file_store


class TestLocalStore:
    def test_none_is_there_yet(self, tmp_path: Path) -> None:
        """Without an address the service's own store is meant, and its folder is not made yet."""
        code, lines = asyncio.run(checked("", data_dir=tmp_path / "data"))
        expected = [
            f"ok  MLflow: {MLFLOW} is installed",
            f"ok  store: {tmp_path}/data/mlflow.db is made at the first start",
            f"ok  MLflow: a local one is started over sqlite:///{tmp_path}/data/mlflow.db",
        ]
        assert (0, expected) == (code, lines[1:])
        assert [] == list(tmp_path.iterdir())

    async def test_an_address_where_none_is(self, tmp_path: Path) -> None:
        """A store that the user named and that is not there is odd: it may be a slip of the pen."""
        code, lines = await checked(f"sqlite:///{tmp_path}/new.db")
        assert (0, True) == (code, f"??  store: sqlite:///{tmp_path}/new.db is not there yet: " in lines[2])

    async def test_one_is_there(self, tmp_path: Path) -> None:
        """A store of the installed MLflow's schema is good, and so is a file store; nothing is written."""
        file = make_database(tmp_path / "a" / "mlflow.db")
        folder = make_file_store(tmp_path / "mlruns")
        before = laid_out(tmp_path)
        code, lines = await checked(f"sqlite:///{file}?timeout=30")
        assert (0, f"ok  store: {file} is a SQLite store of this MLflow's schema") == (code, lines[2])
        code, lines = await checked(folder.as_uri())
        assert (0, f"ok  store: {folder} is MLflow's file store") == (code, lines[2])
        assert before == laid_out(tmp_path)

    async def test_one_of_an_older_mlflow(self, tmp_path: Path) -> None:
        """A store that MLflow would change is 1, with the way to upgrade it, and stays as it is."""
        file = make_database(tmp_path / "mlflow.db", OLD)
        before = laid_out(tmp_path)
        code, lines = await checked(f"sqlite:///{file}")
        assert (1, True) == (code, lines[-1].startswith(f"!!  store: sqlite:///{file} has schema {OLD}"))
        assert "db upgrade" in lines[-1]
        assert before == laid_out(tmp_path)

    async def test_one_that_is_read_only(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A read-only store is served, and said to be one."""
        file = make_database(tmp_path / "mlflow.db")
        monkeypatch.setattr(os, "access", lambda _, mode: mode != os.W_OK)
        code, lines = await checked(f"sqlite:///{file}")
        assert (0, True) == (code, lines[2].startswith(f"??  store: sqlite:///{file} is read-only: "))

    async def test_variables_that_it_does_not_get(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Variables of MLflow that mean another server are named."""
        monkeypatch.setenv("MLFLOW_READ_REPLICA_BACKEND_STORE_URI", f"sqlite:///{SECRET}")
        code, lines = await checked("", data_dir=tmp_path)
        expected = "??  store: the local MLflow is not given MLFLOW_READ_REPLICA_BACKEND_STORE_URI"
        assert (0, expected) == (code, lines[2])

    @pytest.mark.parametrize("uri", ["", "sqlite:////nowhere/mlflow.db"])
    async def test_mlflow_is_not_installed(self, monkeypatch: pytest.MonkeyPatch, uri: str) -> None:
        """Where it cannot be started that is 1, with both ways out."""
        monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
        code, [_, found, hint] = await checked(uri)
        assert (1, True) == (code, found.endswith("mlflow.db is meant, and is not installed"))
        assert "MLFLOW_TRACKING_URI" in hint
        assert "experiment-tracking[embedded]" in hint
