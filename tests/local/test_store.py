"""What is at the place that an address names."""

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
    """What is said of a folder that is no store."""
    with pytest.raises(ValueError, match=r"^MLFLOW_TRACKING_URI: ") as caught:
        at(path)
    return str(caught.value)


@pytest.fixture
def nobody_may_write(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Take away the right to write; done here, for the superuser may write everywhere."""
    real = os.access

    def protect(protected: Path) -> None:
        def access(path: Path, mode: int) -> bool:
            return real(path, mode) and not (mode == os.W_OK and Path(path).is_relative_to(protected))

        monkeypatch.setattr(os, "access", access)

    return protect


class TestOwn:
    def test_nothing_is_there(self, tmp_path: Path) -> None:
        """Without an address the store is mlflow.db in the data folder, which need not be there."""
        store = find_store(None, tmp_path / "data")
        assert Store(tmp_path / "data" / "mlflow.db", is_own=True, is_new=True) == store
        assert f"sqlite:///{tmp_path}/data/mlflow.db" == store.uri

    def test_it_is_there(self, tmp_path: Path) -> None:
        """What is there is not new, even if it is an empty file."""
        (tmp_path / "mlflow.db").touch()
        assert Store(tmp_path / "mlflow.db", is_own=True) == find_store(None, tmp_path)

    def test_a_relative_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A relative folder is below the current one."""
        monkeypatch.chdir(tmp_path)
        assert tmp_path / "data" / "mlflow.db" == find_store(None, Path("data")).path

    def test_a_start_broke_off(self, tmp_path: Path) -> None:
        """The file beside a store that is being made tells that it is unfinished."""
        make_database(tmp_path / "mlflow.db")
        (tmp_path / "mlflow.db.unfinished").touch()
        assert find_store(None, tmp_path).is_unfinished

    def test_other_things_are_in_the_folder(self, tmp_path: Path) -> None:
        """The data folder may hold other things, such as a project's own data."""
        make_database(tmp_path / "other.db")
        (tmp_path / "prices.csv").touch()
        assert find_store(None, tmp_path).is_new

    def test_runs_of_a_file_store_are_in_the_folder(self, tmp_path: Path) -> None:
        """A data folder with an mlruns in it is refused by the name of its setting."""
        make_file_store(tmp_path / "mlruns")
        with pytest.raises(ValueError, match=f"TRACKING_DATA_DIR: .* did you mean {tmp_path}/mlruns"):
            find_store(None, tmp_path)


class TestDatabases:
    def test_absolute_and_relative(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A file is found by both, and is new until it is there; its query is kept, for MLflow."""
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
    def test_two_readings(self, tmp_path: Path, there: str, expected: str) -> None:
        """Of two readings the one that is there counts, and where none is there, MLflow's."""
        if there:
            (tmp_path / there).touch()
        address = DatabaseAddress((f"{tmp_path}/a%20b.db", f"{tmp_path}/a b.db"))
        assert tmp_path / expected == find_store(address, ELSEWHERE).path

    def test_a_folder(self, tmp_path: Path) -> None:
        """A folder where a file is meant is refused, and the file in it is named."""
        make_database(tmp_path / "mlflow.db")
        with pytest.raises(ValueError, match=f"is a folder, .* did you mean sqlite:///{tmp_path}/mlflow.db"):
            find_store(DatabaseAddress((str(tmp_path),)), ELSEWHERE)

    def test_read_only(self, tmp_path: Path, nobody_may_write: Callable[[Path], None]) -> None:
        """A file that may not be written, or whose folder may not, is read-only."""
        file = make_database(tmp_path / "x.db")
        assert not find_store(DatabaseAddress((str(file),)), ELSEWHERE).is_read_only
        nobody_may_write(file)
        assert find_store(DatabaseAddress((str(file),)), ELSEWHERE).is_read_only
        nobody_may_write(tmp_path)
        assert find_store(DatabaseAddress((str(file),)), ELSEWHERE).is_read_only

    def test_a_new_one_where_nobody_may_write(
        self, tmp_path: Path, nobody_may_write: Callable[[Path], None]
    ) -> None:
        """A new file where none can be made is refused."""
        nobody_may_write(tmp_path)
        with pytest.raises(ValueError, match="does not exist and cannot be created"):
            find_store(DatabaseAddress((f"{tmp_path}/deep/er/x.db",)), ELSEWHERE)

    def test_a_file_above_it(self, tmp_path: Path) -> None:
        """A path through a file is refused."""
        (tmp_path / "file").touch()
        with pytest.raises(ValueError, match=r"^MLFLOW_TRACKING_URI: "):
            find_store(DatabaseAddress((f"{tmp_path}/file/x.db",)), ELSEWHERE)


class TestFolders:
    @pytest.mark.parametrize("is_uri", [False, True])
    def test_a_file_store(self, tmp_path: Path, *, is_uri: bool) -> None:
        """A folder that MLflow's file store wrote is served as it is."""
        folder = make_file_store(tmp_path / "mlruns")
        store = at(folder, is_uri=is_uri)
        assert Store(folder, is_file_store=True) == store
        assert str(folder) == store.uri

    def test_a_file_store_with_deleted_experiments_only(self, tmp_path: Path) -> None:
        """Experiments in its trash tell a file store, too."""
        (tmp_path / ".trash" / "0").mkdir(parents=True)
        (tmp_path / ".trash" / "0" / "meta.yaml").touch()
        assert at(tmp_path).is_file_store

    def test_a_folder_that_looks_like_one(self, tmp_path: Path) -> None:
        """A meta.yaml of something else, such as a conda recipe, makes no file store."""
        (tmp_path / "recipe").mkdir()
        (tmp_path / "recipe" / "meta.yaml").touch()
        assert f"{tmp_path} is not a store" in refusal(tmp_path)

    def test_an_mlflow_db(self, tmp_path: Path) -> None:
        """A folder with an mlflow.db is that store, whatever else is in it."""
        make_database(tmp_path / "mlflow.db")
        make_file_store(tmp_path / "mlruns")
        assert Store(tmp_path / "mlflow.db") == at(tmp_path)

    @pytest.mark.parametrize("exists", [False, True])
    def test_nothing_is_there(self, tmp_path: Path, *, exists: bool) -> None:
        """A folder that is not there, or empty, is the place of a new store."""
        folder = tmp_path / "runs"
        if exists:
            folder.mkdir()
        assert Store(folder / "mlflow.db", is_new=True) == at(folder)

    def test_home(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """~ is the user's home, as shells have it."""
        monkeypatch.setenv("HOME", str(tmp_path))
        assert tmp_path / "runs" / "mlflow.db" == at("~/runs").path

    def test_an_unknown_home(self) -> None:
        """A home of nobody is refused."""
        assert "MLFLOW_TRACKING_URI" in refusal(Path("~nobody-of-this-name/runs"))

    def test_mlruns_is_in_it(self, tmp_path: Path) -> None:
        """A project whose runs are in mlruns is no new store: mlruns is meant."""
        make_file_store(tmp_path / "mlruns")
        assert f"did you mean {tmp_path}/mlruns?" in refusal(tmp_path)

    def test_another_sqlite_store_is_in_it(self, tmp_path: Path) -> None:
        """A store of another name is suggested, and a file of something else is not."""
        make_database(tmp_path / "tracking.sqlite")
        (tmp_path / "prices.db").write_bytes(b"SQLite format 3\0")
        said = refusal(tmp_path)
        assert f"did you mean sqlite:///{tmp_path}/tracking.sqlite, or sqlite:///{tmp_path}/mlflow.db" in said
        assert "prices" not in said

    def test_only_artifacts_are_in_it(self, tmp_path: Path) -> None:
        """An mlruns that holds artifacts of the mlflow.db beside it is no new store: that file is meant."""
        make_database(tmp_path / "mlflow.db")
        (tmp_path / "mlruns" / "0" / "run" / "artifacts").mkdir(parents=True)
        assert f"did you mean sqlite:///{tmp_path}/mlflow.db" in refusal(tmp_path / "mlruns")

    def test_other_things_are_in_it(self, tmp_path: Path) -> None:
        """A folder of something else gets no new store unasked."""
        (tmp_path / "main.py").touch()
        assert f"did you mean sqlite:///{tmp_path}/mlflow.db for a new store in it?" in refusal(tmp_path)

    def test_both_kinds_are_in_it(self, tmp_path: Path) -> None:
        """Which of two stores is meant has to be said; file:… is the file store."""
        make_file_store(tmp_path / "mlruns")
        make_database(tmp_path / "mlruns" / "mlflow.db")
        said = refusal(tmp_path / "mlruns")
        assert f"did you mean file://{tmp_path}/mlruns, or sqlite:///{tmp_path}/mlruns/mlflow.db?" in said
        assert at(tmp_path / "mlruns", is_uri=True).is_file_store

    def test_a_file(self, tmp_path: Path) -> None:
        """A file where a folder is meant is refused, and suggested as SQLite where it is that."""
        file = make_database(tmp_path / "runs")
        assert f"did you mean sqlite:///{file}?" in refusal(file)
        (tmp_path / "notes").touch()
        assert "did you mean" not in refusal(tmp_path / "notes")

    def test_read_only(self, tmp_path: Path, nobody_may_write: Callable[[Path], None]) -> None:
        """A file store that may not be written is read-only."""
        folder = make_file_store(tmp_path / "mlruns")
        nobody_may_write(folder)
        assert at(folder).is_read_only
