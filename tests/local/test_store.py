"""The store that an address names."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from service.local.address import DatabaseAddress, FolderAddress
from service.local.store import Store, find_store
from tests.local.stores import make_database, make_file_store

ELSEWHERE = Path("other")


def at(path: Path | str, *, is_uri: bool = False) -> Store:
    """The store in a folder."""
    return find_store(FolderAddress((str(path),), is_uri=is_uri), ELSEWHERE)


def refusal(path: Path) -> str:
    """The error for a folder that is not a store."""
    with pytest.raises(ValueError, match=r"^MLFLOW_TRACKING_URI: ") as caught:
        at(path)
    return str(caught.value)


@pytest.fixture
def nobody_may_write(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Take away the right to write; simulated, because the superuser may write everywhere."""
    real = os.access

    def protect(protected: Path) -> None:
        def access(path: Path, mode: int) -> bool:
            return real(path, mode) and not (mode == os.W_OK and Path(path).is_relative_to(protected))

        monkeypatch.setattr(os, "access", access)

    return protect


class TestOwn:
    def test_the_default_is_a_database_in_the_data_folder(self, tmp_path: Path) -> None:
        """Without an address the store is mlflow.db in the data folder, which need not exist."""
        store = find_store(None, tmp_path / "data")
        assert Store(tmp_path / "data" / "mlflow.db", is_own=True, is_new=True) == store
        assert f"sqlite:///{tmp_path}/data/mlflow.db" == store.uri

    def test_an_existing_file_is_not_new(self, tmp_path: Path) -> None:
        """An existing file is not new, even if it is empty."""
        (tmp_path / "mlflow.db").touch()
        assert Store(tmp_path / "mlflow.db", is_own=True) == find_store(None, tmp_path)

    def test_a_relative_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A relative data folder is below the current folder."""
        monkeypatch.chdir(tmp_path)
        assert tmp_path / "data" / "mlflow.db" == find_store(None, Path("data")).path

    def test_the_mark_means_unfinished(self, tmp_path: Path) -> None:
        """The mark beside a store means that it is unfinished."""
        make_database(tmp_path / "mlflow.db")
        (tmp_path / "mlflow.db.unfinished").touch()
        assert find_store(None, tmp_path).is_unfinished

    def test_the_data_folder_may_have_other_files(self, tmp_path: Path) -> None:
        """The data folder may hold other files, such as a project's own data."""
        make_database(tmp_path / "other.db")
        (tmp_path / "prices.csv").touch()
        assert find_store(None, tmp_path).is_new

    def test_rejects_a_data_folder_with_a_file_store(self, tmp_path: Path) -> None:
        """A data folder with an mlruns in it is an error that names TRACKING_DATA_DIR."""
        make_file_store(tmp_path / "mlruns")
        with pytest.raises(ValueError, match=f"TRACKING_DATA_DIR: .* did you mean {tmp_path}/mlruns"):
            find_store(None, tmp_path)


class TestDatabases:
    def test_finds_absolute_and_relative_paths(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A database is found by either kind of path; it is new until it exists, and keeps its query."""
        monkeypatch.chdir(tmp_path)
        store = Store(tmp_path / "a" / "x.db", is_new=True, query="timeout=30")
        for path in ("a/x.db", f"{tmp_path}/a/x.db"):
            assert store == find_store(DatabaseAddress((path,), "timeout=30"), ELSEWHERE)
        make_database(tmp_path / "a" / "x.db")
        assert store._replace(is_new=False) == find_store(
            DatabaseAddress(("a/x.db",), "timeout=30"), ELSEWHERE
        )
        assert f"sqlite:///{tmp_path}/a/x.db?timeout=30" == store.uri

    @pytest.mark.parametrize(
        ("there", "expected"), [("a%20b.db", "a%20b.db"), ("a b.db", "a b.db"), ("", "a b.db")]
    )
    def test_prefers_the_path_that_exists(self, tmp_path: Path, there: str, expected: str) -> None:
        """Of two possible paths the existing one counts, or else the one that MLflow reads."""
        if there:
            (tmp_path / there).touch()
        address = DatabaseAddress((f"{tmp_path}/a%20b.db", f"{tmp_path}/a b.db"))
        assert tmp_path / expected == find_store(address, ELSEWHERE).path

    def test_suggests_the_database_in_a_folder(self, tmp_path: Path) -> None:
        """A folder in place of a file is an error that suggests the database in it."""
        make_database(tmp_path / "mlflow.db")
        with pytest.raises(ValueError, match=f"is a folder, .* did you mean sqlite:///{tmp_path}/mlflow.db"):
            find_store(DatabaseAddress((str(tmp_path),)), ELSEWHERE)

    def test_a_database_without_write_permission_is_read_only(
        self, tmp_path: Path, nobody_may_write: Callable[[Path], None]
    ) -> None:
        """A database is read-only if the file or its folder may not be written."""
        file = make_database(tmp_path / "x.db")
        assert not find_store(DatabaseAddress((str(file),)), ELSEWHERE).is_read_only
        nobody_may_write(file)
        assert find_store(DatabaseAddress((str(file),)), ELSEWHERE).is_read_only
        nobody_may_write(tmp_path)
        assert find_store(DatabaseAddress((str(file),)), ELSEWHERE).is_read_only

    def test_rejects_a_database_that_cannot_be_created(
        self, tmp_path: Path, nobody_may_write: Callable[[Path], None]
    ) -> None:
        """A new database in a folder that may not be written is an error."""
        nobody_may_write(tmp_path)
        with pytest.raises(ValueError, match="does not exist and cannot be created"):
            find_store(DatabaseAddress((f"{tmp_path}/deep/er/x.db",)), ELSEWHERE)

    def test_rejects_a_path_through_a_file(self, tmp_path: Path) -> None:
        """A path with a file in place of a folder is an error."""
        (tmp_path / "file").touch()
        with pytest.raises(ValueError, match=r"^MLFLOW_TRACKING_URI: "):
            find_store(DatabaseAddress((f"{tmp_path}/file/x.db",)), ELSEWHERE)


class TestFolders:
    @pytest.mark.parametrize("is_uri", [False, True])
    def test_accepts_a_file_store(self, tmp_path: Path, *, is_uri: bool) -> None:
        """A folder that MLflow's file store wrote is used as it is."""
        folder = make_file_store(tmp_path / "mlruns")
        store = at(folder, is_uri=is_uri)
        assert Store(folder, is_file_store=True) == store
        assert str(folder) == store.uri

    def test_accepts_a_file_store_with_deleted_experiments_only(self, tmp_path: Path) -> None:
        """A folder is a file store even if all its experiments are deleted."""
        (tmp_path / ".trash" / "0").mkdir(parents=True)
        (tmp_path / ".trash" / "0" / "meta.yaml").touch()
        assert at(tmp_path).is_file_store

    def test_another_meta_yaml_is_no_file_store(self, tmp_path: Path) -> None:
        """The meta.yaml of another program, such as conda, does not make a file store."""
        (tmp_path / "recipe").mkdir()
        (tmp_path / "recipe" / "meta.yaml").touch()
        assert f"{tmp_path} is not a store" in refusal(tmp_path)

    def test_accepts_a_folder_with_a_database(self, tmp_path: Path) -> None:
        """A folder with an mlflow.db is that database, whatever else is in it."""
        make_database(tmp_path / "mlflow.db")
        make_file_store(tmp_path / "mlruns")
        assert Store(tmp_path / "mlflow.db") == at(tmp_path)

    @pytest.mark.parametrize("exists", [False, True])
    def test_a_missing_or_empty_folder_is_a_new_store(self, tmp_path: Path, *, exists: bool) -> None:
        """A folder that is missing or empty gets a new store."""
        folder = tmp_path / "runs"
        if exists:
            folder.mkdir()
        assert Store(folder / "mlflow.db", is_new=True) == at(folder)

    def test_expands_the_home_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """~ is the user's home folder, as in shells."""
        monkeypatch.setenv("HOME", str(tmp_path))
        assert tmp_path / "runs" / "mlflow.db" == at("~/runs").path

    def test_rejects_an_unknown_home_folder(self) -> None:
        """The home folder of an unknown user is an error."""
        assert "MLFLOW_TRACKING_URI" in refusal(Path("~nobody-of-this-name/runs"))

    def test_suggests_the_mlruns_in_a_folder(self, tmp_path: Path) -> None:
        """For a folder with an mlruns in it, the error suggests mlruns."""
        make_file_store(tmp_path / "mlruns")
        assert f"did you mean {tmp_path}/mlruns?" in refusal(tmp_path)

    def test_suggests_another_database_in_a_folder(self, tmp_path: Path) -> None:
        """For a folder with a database of another name, the error suggests it, and no other files."""
        make_database(tmp_path / "tracking.sqlite")
        (tmp_path / "prices.db").write_bytes(b"SQLite format 3\0")
        said = refusal(tmp_path)
        assert f"did you mean sqlite:///{tmp_path}/tracking.sqlite, or sqlite:///{tmp_path}/mlflow.db" in said
        assert "prices" not in said

    def test_suggests_the_database_beside_artifacts(self, tmp_path: Path) -> None:
        """For an mlruns that holds only artifacts, the error suggests the mlflow.db beside it."""
        make_database(tmp_path / "mlflow.db")
        (tmp_path / "mlruns" / "0" / "run" / "artifacts").mkdir(parents=True)
        assert f"did you mean sqlite:///{tmp_path}/mlflow.db" in refusal(tmp_path / "mlruns")

    def test_creates_no_store_among_other_files(self, tmp_path: Path) -> None:
        """A folder with other files gets no new store unasked."""
        (tmp_path / "main.py").touch()
        assert f"did you mean sqlite:///{tmp_path}/mlflow.db for a new store in it?" in refusal(tmp_path)

    def test_rejects_a_folder_with_both_kinds(self, tmp_path: Path) -> None:
        """A folder with a file store and a database is an error; file:… means the file store."""
        make_file_store(tmp_path / "mlruns")
        make_database(tmp_path / "mlruns" / "mlflow.db")
        said = refusal(tmp_path / "mlruns")
        assert f"did you mean file://{tmp_path}/mlruns, or sqlite:///{tmp_path}/mlruns/mlflow.db?" in said
        assert at(tmp_path / "mlruns", is_uri=True).is_file_store

    def test_rejects_a_file_in_place_of_a_folder(self, tmp_path: Path) -> None:
        """A file in place of a folder is an error that suggests sqlite:///… if it is SQLite."""
        file = make_database(tmp_path / "runs")
        assert f"did you mean sqlite:///{file}?" in refusal(file)
        (tmp_path / "notes").touch()
        assert "did you mean" not in refusal(tmp_path / "notes")

    def test_a_file_store_without_write_permission_is_read_only(
        self, tmp_path: Path, nobody_may_write: Callable[[Path], None]
    ) -> None:
        """A file store that may not be written is read-only."""
        folder = make_file_store(tmp_path / "mlruns")
        nobody_may_write(folder)
        assert at(folder).is_read_only
