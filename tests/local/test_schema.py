"""What is in a SQLite file, read without changing it, and which schemas the installed MLflow knows."""

import importlib.util
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from mlflow.store.db.utils import _get_latest_schema_revision

from service.local.schema import Contents, SchemaError, contents, schemas
from tests.local.stores import HEAD, OLD, laid_out, make_database


class TestContents:
    @pytest.mark.parametrize("revision", [HEAD, OLD, None])
    @pytest.mark.parametrize("wal", [False, True])
    def test_a_store_of_mlflow(self, tmp_path: Path, revision: str | None, *, wal: bool) -> None:
        """Its schema and the number of its runs are found; no byte changes, and no file is made beside it."""
        file = make_database(tmp_path / "my?runs #1%41.db", revision, runs=3, wal=wal)
        before = laid_out(tmp_path)
        assert Contents(is_empty=False, revision=revision, rows=3) == contents(file, is_read_only=False)
        assert before == laid_out(tmp_path)

    def test_what_is_only_in_the_log_yet(self, tmp_path: Path) -> None:
        """The schema that a writer has just written counts, though the file has the old one."""
        file = make_database(tmp_path / "mlflow.db", OLD, wal=True)
        with closing(sqlite3.connect(file)) as writer:
            writer.execute("UPDATE alembic_version SET version_num = ?", (HEAD,))
            writer.commit()
            assert HEAD == contents(file, is_read_only=False).revision

    def test_a_journal_that_is_to_be_rolled_back(self, tmp_path: Path) -> None:
        """A file whose writer broke off is read as it lies, for only a writer may roll it back."""
        file = make_database(tmp_path / "mlflow.db")
        journal = tmp_path / "mlflow.db-journal"
        with closing(sqlite3.connect(file, isolation_level=None)) as writer:
            writer.execute("PRAGMA cache_size = 1")
            writer.execute("BEGIN")
            writer.execute("INSERT INTO runs SELECT hex(randomblob(2000)) FROM runs, runs AS r")
            hot = journal.read_bytes()
            writer.execute("COMMIT")
        journal.write_bytes(hot)
        assert HEAD == contents(file, is_read_only=False).revision
        assert hot == journal.read_bytes()

    @pytest.mark.parametrize(
        ("wal", "expected"), [(True, "in WAL mode"), (False, "cannot be read as SQLite")]
    )
    def test_one_that_cannot_be_opened_on_a_read_only_place(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expected: str, *, wal: bool
    ) -> None:
        """Where SQLite fails on a read-only place as it will for MLflow, WAL mode is said to be why."""
        file = make_database(tmp_path / "mlflow.db", wal=wal)

        def fails(*_: object, **__: object) -> None:
            raise sqlite3.OperationalError("unable to open database file")

        monkeypatch.setattr(sqlite3, "connect", fails)
        with pytest.raises(SchemaError, match=expected):
            contents(file, is_read_only=True)

    def test_an_empty_file(self, tmp_path: Path) -> None:
        """A file without a byte is an empty store."""
        (tmp_path / "mlflow.db").touch()
        assert Contents(is_empty=True, revision=None, rows=0) == contents(
            tmp_path / "mlflow.db", is_read_only=False
        )

    def test_no_sqlite(self, tmp_path: Path) -> None:
        """A file that is no SQLite is refused."""
        (tmp_path / "runs.csv").write_text("run_id,sharpe\n1,2.0\n" * 100)
        with pytest.raises(SchemaError, match="cannot be read as SQLite: file is not a database"):
            contents(tmp_path / "runs.csv", is_read_only=False)

    def test_a_file_of_something_else(self, tmp_path: Path) -> None:
        """SQLite of another program is refused, whatever it calls one of its tables."""
        with closing(sqlite3.connect(tmp_path / "prices.db")) as database:
            database.execute("CREATE TABLE runs (distance REAL)")
        with pytest.raises(SchemaError, match="MLflow did not write"):
            contents(tmp_path / "prices.db", is_read_only=False)


class TestSchemas:
    def test_the_installed_mlflow(self) -> None:
        """The schema that MLflow itself calls its latest is found in its files."""
        spec = importlib.util.find_spec("mlflow")
        assert spec is not None
        assert spec.submodule_search_locations
        found = schemas(Path(spec.submodule_search_locations[0]))
        assert found is not None
        assert _get_latest_schema_revision() == found.head
        assert OLD in found.known

    @pytest.mark.parametrize("migrations", [{}, {"a.py": 'revision = "a"', "b.py": "revision: str = 'b'"}])
    def test_migrations_that_are_not_as_expected(self, tmp_path: Path, migrations: dict[str, str]) -> None:
        """Without migrations, or with two heads, nothing is known."""
        folder = tmp_path / "store" / "db_migrations" / "versions"
        folder.mkdir(parents=True)
        for name, text in migrations.items():
            (folder / name).write_text(text)
        assert schemas(tmp_path) is None

    def test_annotated_and_merged_migrations(self, tmp_path: Path) -> None:
        """Both ways in which Alembic writes a revision are read, and one that joins two."""
        folder = tmp_path / "store" / "db_migrations" / "versions"
        folder.mkdir(parents=True)
        (folder / "a.py").write_text('revision: str = "a"\ndown_revision: str | None = None\n')
        (folder / "b.py").write_text("revision = 'b'\ndown_revision = 'a'\n")
        (folder / "c.py").write_text("revision = 'c'\ndown_revision = 'a'\n")
        (folder / "d.py").write_text("revision = 'd'\ndown_revision = ('b', 'c')\n")
        assert ("d", frozenset("abcd")) == schemas(tmp_path)
