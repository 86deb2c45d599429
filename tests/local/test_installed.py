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
    def test_finds_version_and_schemas(self) -> None:
        """The version is that of the package, and its schemas are known."""
        found = installed_mlflow()
        assert found is not None
        assert metadata.version("mlflow") == found.version
        assert found.schemas is not None

    def test_without_the_package(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without the package, no MLflow is installed."""
        monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
        assert installed_mlflow() is None

    def test_with_the_client_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """mlflow-skinny, which has the same package but no server, does not count."""

        def missing(name: str) -> NoReturn:
            raise metadata.PackageNotFoundError(name)

        monkeypatch.setattr(metadata, "version", missing)
        assert installed_mlflow() is None


def refusal(store: Store) -> str:
    """The error for a store over which MLflow may not be started; the store stays unchanged."""
    before = laid_out(store.folder)
    with pytest.raises(LocalError) as caught:
        examined(store, MLFLOW)
    assert before == laid_out(store.folder)
    said = str(caught.value)
    assert store.uri in said
    return said


class TestExamined:
    @pytest.mark.parametrize("wal", [False, True])
    def test_accepts_the_schema_of_this_mlflow(self, tmp_path: Path, *, wal: bool) -> None:
        """A store with the installed MLflow's schema is accepted."""
        store = Store(make_database(tmp_path / "mlflow.db", wal=wal))
        assert store == examined(store, MLFLOW)

    @pytest.mark.parametrize("revision", [OLD, None])
    @pytest.mark.parametrize("wal", [False, True])
    def test_rejects_an_older_schema(self, tmp_path: Path, revision: str | None, *, wal: bool) -> None:
        """A store that MLflow would upgrade is an error that names the ways out."""
        said = refusal(Store(make_database(tmp_path / "my runs.db", revision, wal=wal)))
        assert "older MLflow" in said
        assert f"-m mlflow db upgrade 'sqlite:///{tmp_path}/my runs.db'" in said
        assert "move it away" not in said

    def test_suggests_to_move_the_services_own_store(self, tmp_path: Path) -> None:
        """For the service's own store, moving it away is another way out."""
        assert "move it away" in refusal(Store(make_database(tmp_path / "mlflow.db", OLD), is_own=True))

    def test_rejects_a_newer_schema(self, tmp_path: Path) -> None:
        """For an unknown schema, the error names the MLflow that wrote it, and no upgrade."""
        said = refusal(Store(make_database(tmp_path / "mlflow.db", "f00dfeed0000")))
        assert "newer MLflow" in said
        assert "upgrade" not in said

    def test_rejects_stores_if_the_own_schema_is_unknown(self, tmp_path: Path) -> None:
        """If the installed MLflow's own schema is not known, every existing store is an error."""
        store = Store(make_database(tmp_path / "mlflow.db"))
        with pytest.raises(LocalError, match="left unchanged"):
            examined(store, MLFLOW._replace(schemas=None))

    def test_rejects_a_file_of_another_program(self, tmp_path: Path) -> None:
        """A file that MLflow did not write is an error."""
        (tmp_path / "x.db").write_text("no SQLite at all")
        assert "cannot be read as SQLite" in refusal(Store(tmp_path / "x.db"))

    def test_accepts_an_empty_file_unless_it_is_read_only(self, tmp_path: Path) -> None:
        """MLflow may create its tables in an empty file, unless it is read-only."""
        (tmp_path / "x.db").touch()
        store = Store(tmp_path / "x.db")
        assert store == examined(store, MLFLOW)
        assert "is empty and read-only" in refusal(store._replace(is_read_only=True))

    def test_accepts_a_new_store(self, tmp_path: Path) -> None:
        """A store that does not exist yet is accepted."""
        store = Store(tmp_path / "x.db", is_new=True)
        assert store == examined(store, MLFLOW)

    @pytest.mark.parametrize("revision", [OLD, None])
    def test_an_incomplete_store_without_runs_becomes_new(self, tmp_path: Path, revision: str | None) -> None:
        """A store whose creation was interrupted before it had a run becomes new."""
        store = Store(
            make_database(tmp_path / "mlflow.db", revision, runs=0), is_own=True, is_unfinished=True
        )
        assert store._replace(is_new=True) == examined(store, MLFLOW)

    def test_an_incomplete_store_with_experiments_is_kept(self, tmp_path: Path) -> None:
        """An incomplete store with an experiment is kept: a user may have created it."""
        file = make_database(tmp_path / "mlflow.db", OLD, runs=0)
        with closing(sqlite3.connect(file)) as database:
            database.execute("INSERT INTO experiments VALUES (0)")
            database.commit()
        assert "older MLflow" in refusal(Store(file, is_own=True, is_unfinished=True))

    def test_an_incomplete_store_with_runs_is_kept(self, tmp_path: Path) -> None:
        """An incomplete store with a run is not created anew, whatever its schema."""
        store = Store(make_database(tmp_path / "mlflow.db"), is_own=True, is_unfinished=True)
        assert store == examined(store, MLFLOW)
        old = Store(make_database(tmp_path / "old.db", OLD), is_own=True, is_unfinished=True)
        assert "older MLflow" in refusal(old)

    def test_a_read_only_file_store_needs_a_trash_folder(self, tmp_path: Path) -> None:
        """MLflow creates .trash in a file store, so a read-only one must already have it."""
        store = Store(tmp_path, is_file_store=True, is_read_only=True)
        assert ".trash" in refusal(store)
        (tmp_path / ".trash").mkdir()
        assert store == examined(store, MLFLOW)


def test_the_tests_know_the_installed_head() -> None:
    """The newest schema in these tests is the installed MLflow's."""
    found = installed_mlflow()
    assert found is not None
    assert found.schemas is not None
    assert HEAD == found.schemas.head
