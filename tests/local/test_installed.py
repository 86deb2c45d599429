"""Which MLflow is installed, and over which stores it may be started."""

import importlib.util
import sqlite3
from contextlib import closing
from importlib import metadata
from pathlib import Path
from typing import NoReturn

import pytest

from service.local.installed import LocalError, examined, installed_mlflow
from service.local.store import Store
from tests.local.stores import HEAD, MLFLOW, OLD, laid_out, make_database


class TestInstalled:
    def test_it_is_found(self) -> None:
        """The version is that of the package, and its schemas are known."""
        found = installed_mlflow()
        assert found is not None
        assert metadata.version("mlflow") == found.version
        assert found.schemas is not None

    def test_it_is_not_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without the package nothing is installed."""
        monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
        assert installed_mlflow() is None

    def test_only_the_client_is_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """mlflow-skinny has the same package, and no server in it."""

        def missing(name: str) -> NoReturn:
            raise metadata.PackageNotFoundError(name)

        monkeypatch.setattr(metadata, "version", missing)
        assert installed_mlflow() is None


def refusal(store: Store) -> str:
    """What is said of a store that MLflow may not be started over; it stays as it is."""
    before = laid_out(store.folder)
    with pytest.raises(LocalError) as caught:
        examined(store, MLFLOW)
    assert before == laid_out(store.folder)
    said = str(caught.value)
    assert store.uri in said
    return said


class TestExamined:
    @pytest.mark.parametrize("wal", [False, True])
    def test_the_schema_of_this_mlflow(self, tmp_path: Path, *, wal: bool) -> None:
        """A store of the installed MLflow's schema is taken."""
        store = Store(make_database(tmp_path / "mlflow.db", wal=wal))
        assert store == examined(store, MLFLOW)

    @pytest.mark.parametrize("revision", [OLD, None])
    @pytest.mark.parametrize("wal", [False, True])
    def test_an_older_schema(self, tmp_path: Path, revision: str | None, *, wal: bool) -> None:
        """A store that this MLflow would change is left alone, and the ways out are said."""
        said = refusal(Store(make_database(tmp_path / "my runs.db", revision, wal=wal)))
        assert "older MLflow" in said
        assert f"-m mlflow db upgrade 'sqlite:///{tmp_path}/my runs.db'" in said
        assert "move it away" not in said

    def test_an_older_schema_of_its_own(self, tmp_path: Path) -> None:
        """The service's own store may also be moved away."""
        assert "move it away" in refusal(Store(make_database(tmp_path / "mlflow.db", OLD), is_own=True))

    def test_a_newer_schema(self, tmp_path: Path) -> None:
        """A store that this MLflow does not know wants the MLflow that wrote it, and no upgrade."""
        said = refusal(Store(make_database(tmp_path / "mlflow.db", "f00dfeed0000")))
        assert "newer MLflow" in said
        assert "upgrade" not in said

    def test_a_schema_that_is_not_known(self, tmp_path: Path) -> None:
        """Where it is not known what this MLflow wants, no store is risked."""
        store = Store(make_database(tmp_path / "mlflow.db"))
        with pytest.raises(LocalError, match="left unchanged"):
            examined(store, MLFLOW._replace(schemas=None))

    def test_no_store(self, tmp_path: Path) -> None:
        """A file of something else is refused."""
        (tmp_path / "x.db").write_text("no SQLite at all")
        assert "cannot be read as SQLite" in refusal(Store(tmp_path / "x.db"))

    def test_an_empty_file(self, tmp_path: Path) -> None:
        """MLflow may make its tables in a file that has none, unless it is read-only."""
        (tmp_path / "x.db").touch()
        store = Store(tmp_path / "x.db")
        assert store == examined(store, MLFLOW)
        assert "is empty and read-only" in refusal(store._replace(is_read_only=True))

    def test_a_new_one(self, tmp_path: Path) -> None:
        """Where nothing is, there is nothing to examine."""
        store = Store(tmp_path / "x.db", is_new=True)
        assert store == examined(store, MLFLOW)

    @pytest.mark.parametrize("revision", [OLD, None])
    def test_one_that_was_left_half_made(self, tmp_path: Path, revision: str | None) -> None:
        """A store whose making broke off, without a run in it, is new again."""
        store = Store(
            make_database(tmp_path / "mlflow.db", revision, runs=0), is_own=True, is_unfinished=True
        )
        assert store._replace(is_new=True) == examined(store, MLFLOW)

    def test_one_that_was_left_with_an_experiment(self, tmp_path: Path) -> None:
        """An experiment in an unfinished store keeps it, too: somebody may have made it."""
        file = make_database(tmp_path / "mlflow.db", OLD, runs=0)
        with closing(sqlite3.connect(file)) as database:
            database.execute("INSERT INTO experiments VALUES (0)")
            database.commit()
        assert "older MLflow" in refusal(Store(file, is_own=True, is_unfinished=True))

    def test_one_that_was_left_with_runs(self, tmp_path: Path) -> None:
        """A run in an unfinished store keeps it from being made anew, whatever its schema."""
        store = Store(make_database(tmp_path / "mlflow.db"), is_own=True, is_unfinished=True)
        assert store == examined(store, MLFLOW)
        old = Store(make_database(tmp_path / "old.db", OLD), is_own=True, is_unfinished=True)
        assert "older MLflow" in refusal(old)

    def test_a_read_only_file_store(self, tmp_path: Path) -> None:
        """MLflow makes .trash in a file store, so a read-only one must have it."""
        store = Store(tmp_path, is_file_store=True, is_read_only=True)
        assert ".trash" in refusal(store)
        (tmp_path / ".trash").mkdir()
        assert store == examined(store, MLFLOW)


def test_the_tests_know_the_installed_head() -> None:
    """The head that these tests use is the installed MLflow's."""
    found = installed_mlflow()
    assert found is not None
    assert found.schemas is not None
    assert HEAD == found.schemas.head
