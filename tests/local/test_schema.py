"""The content of a SQLite file, read without changing it, and the schemas of the installed MLflow."""

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
    def test_reads_a_store_and_changes_nothing(
        self, tmp_path: Path, revision: str | None, *, wal: bool
    ) -> None:
        """The schema and the number of runs are read; no byte changes, and no file appears beside it."""
        file = make_database(tmp_path / "my?runs #1%41.db", revision, runs=3, wal=wal)
        before = laid_out(tmp_path)
        assert Contents(is_empty=False, revision=revision, rows=3) == contents(file, is_read_only=False)
        assert before == laid_out(tmp_path)

    def test_reads_what_is_only_in_the_log(self, tmp_path: Path) -> None:
        """A schema that is only in the write-ahead log counts."""
        file = make_database(tmp_path / "mlflow.db", OLD, wal=True)
        with closing(sqlite3.connect(file)) as writer:
            writer.execute("UPDATE alembic_version SET version_num = ?", (HEAD,))
            writer.commit()
            assert HEAD == contents(file, is_read_only=False).revision

    def test_reads_past_a_journal_of_an_interrupted_write(self, tmp_path: Path) -> None:
        """A file with a journal of an interrupted write is read without rolling it back."""
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
    def test_rejects_wal_mode_in_a_read_only_folder(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expected: str, *, wal: bool
    ) -> None:
        """In a read-only folder, SQLite cannot open a file in WAL mode, and the error says so."""
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

    def test_rejects_what_is_not_sqlite(self, tmp_path: Path) -> None:
        """A file that is not SQLite is an error."""
        (tmp_path / "runs.csv").write_text("run_id,sharpe\n1,2.0\n" * 100)
        with pytest.raises(SchemaError, match="cannot be read as SQLite: file is not a database"):
            contents(tmp_path / "runs.csv", is_read_only=False)

    def test_rejects_sqlite_of_another_program(self, tmp_path: Path) -> None:
        """A SQLite file of another program is an error, even if a table has one of MLflow's names."""
        with closing(sqlite3.connect(tmp_path / "prices.db")) as database:
            database.execute("CREATE TABLE runs (distance REAL)")
        with pytest.raises(SchemaError, match="MLflow did not write"):
            contents(tmp_path / "prices.db", is_read_only=False)


class TestSchemas:
    def test_finds_the_newest_schema(self) -> None:
        """The newest schema is the one that MLflow itself names."""
        spec = importlib.util.find_spec("mlflow")
        assert spec is not None
        assert spec.submodule_search_locations
        found = schemas(Path(spec.submodule_search_locations[0]))
        assert found is not None
        assert _get_latest_schema_revision() == found.head
        assert OLD in found.known

    @pytest.mark.parametrize("migrations", [{}, {"a.py": 'revision = "a"', "b.py": "revision: str = 'b'"}])
    def test_unexpected_migrations_mean_no_schemas(self, tmp_path: Path, migrations: dict[str, str]) -> None:
        """Without migrations, or with two newest ones, no schemas are known."""
        folder = tmp_path / "store" / "db_migrations" / "versions"
        folder.mkdir(parents=True)
        for name, text in migrations.items():
            (folder / name).write_text(text)
        assert schemas(tmp_path) is None

    def test_reads_every_form_of_a_migration(self, tmp_path: Path) -> None:
        """Plain, annotated and merging revisions of Alembic are read."""
        folder = tmp_path / "store" / "db_migrations" / "versions"
        folder.mkdir(parents=True)
        (folder / "a.py").write_text('revision: str = "a"\ndown_revision: str | None = None\n')
        (folder / "b.py").write_text("revision = 'b'\ndown_revision = 'a'\n")
        (folder / "c.py").write_text("revision = 'c'\ndown_revision = 'a'\n")
        (folder / "d.py").write_text("revision = 'd'\ndown_revision = ('b', 'c')\n")
        assert ("d", frozenset("abcd")) == schemas(tmp_path)
