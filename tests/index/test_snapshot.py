"""The file of a snapshot: whole or not there, and never believed where it is damaged or another's."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.index import snapshot
from service.index.snapshot import (
    Snapshot,
    SnapshotError,
    Stamp,
    mlflow_digest,
    read_snapshot,
    write_snapshot,
)

NOON = 1_772_712_000_000  # milliseconds
STAMP = Stamp(mlflow="m", experiments=("Default",), synced_ms=NOON)
SECTIONS = [("numbers", bytes(range(64))), ("none", b""), ("texts", "Müller & Söhne".encode())]
named_bytes = st.lists(st.tuples(st.text(), st.binary()), unique_by=lambda section: section[0])


def read(path: Path, **expected: Any) -> Snapshot:
    """The snapshot at this path, read at noon by a service like that which wrote STAMP unless told."""
    like = {
        "mlflow": "m",
        "experiments": ("Default",),
        "now_ms": NOON,
        "max_age": 60.0,
        "max_bytes": 2**20,
    }
    return read_snapshot(path, **{**like, **expected})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a snapshot lies."""
    path = tmp_path / "s"
    write_snapshot(path, STAMP, SECTIONS)
    return path


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    named_bytes,
    st.builds(
        Stamp,
        mlflow=st.text(),
        experiments=st.lists(st.text()).map(tuple),
        synced_ms=st.integers(0, 2**62),
    ),
)
def test_what_is_written_is_read(tmp_path: Path, sections: list[tuple[str, bytes]], stamp: Stamp) -> None:
    """Stamp and sections come back as they were, whatever is in them."""
    path = tmp_path / "s"
    size = write_snapshot(path, stamp, sections)
    found = read(path, mlflow=stamp.mlflow, experiments=stamp.experiments, now_ms=stamp.synced_ms)
    assert stamp == found.stamp
    assert dict(sections) == found.sections
    assert path.stat().st_size == size


def test_the_bytes_are_the_readers_own(path: Path) -> None:
    """What was read can be written to, so that arrays over it need no copy."""
    data = read(path).sections["numbers"]
    data[0] = 99
    assert bytes(range(64)) == bytes(read(path).sections["numbers"])
    assert 99 == data[0]


class TestDamage:
    def test_any_byte_may_have_changed(self, path: Path) -> None:
        """A snapshot in which a single byte is another one is not used, wherever it is."""
        whole = path.read_bytes()
        for position in range(len(whole)):
            for flipped in (0x01, 0x80, 0xFF):
                damaged = bytearray(whole)
                damaged[position] ^= flipped
                path.write_bytes(damaged)
                with pytest.raises(SnapshotError):
                    read(path)

    def test_it_may_end_anywhere(self, path: Path) -> None:
        """A snapshot without its end is not used, however much of it is there."""
        whole = path.read_bytes()
        for length in range(len(whole)):
            path.write_bytes(whole[:length])
            with pytest.raises(SnapshotError, match=r"is truncated|is no snapshot"):
                read(path)

    @pytest.mark.parametrize("more", [b"\0", b"runindex", bytes(2**20 - 500)])
    def test_more_may_follow(self, path: Path, more: bytes) -> None:
        """A snapshot after which something else stands is not used."""
        path.write_bytes(path.read_bytes() + more)
        with pytest.raises(SnapshotError, match="is damaged"):
            read(path)

    def test_any_part_may_be_empty(self, path: Path) -> None:
        """A snapshot in which a part is zeros, as after a loss of power, is not used."""
        whole = path.read_bytes()
        for start in range(0, len(whole) - 16, 5):
            if any(whole[start : start + 16]):
                path.write_bytes(whole[:start] + bytes(16) + whole[start + 16 :])
                with pytest.raises(SnapshotError):
                    read(path)

    def test_it_may_be_something_else(self, path: Path) -> None:
        """A file that is no snapshot, an empty one too, is not used."""
        for content in (b"", b"{}", b"SQLite format 3\0" * 100):
            path.write_bytes(content)
            with pytest.raises(SnapshotError, match="is no snapshot"):
                read(path)

    def test_it_may_be_unreadable(self, tmp_path: Path) -> None:
        """A folder in its place is not used either."""
        with pytest.raises(SnapshotError, match="cannot be read: Is a directory"):
            read(tmp_path)

    def test_none_is_no_damage(self, tmp_path: Path) -> None:
        """Where there is none, that is told apart from one that cannot be used."""
        with pytest.raises(FileNotFoundError):
            read(tmp_path / "none")

    def test_lengths_must_fit_though_the_digest_does(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One whose list of sections is wrong, which only a defect could write, is not used."""
        listed = snapshot._Contents

        def wrong(stamp: Stamp, sections: list[tuple[str, int]]) -> snapshot._Contents:
            return listed(stamp, [(name, size + 1) for name, size in sections])

        monkeypatch.setattr(snapshot, "_Contents", wrong)
        write_snapshot(path, STAMP, SECTIONS)
        monkeypatch.undo()
        with pytest.raises(SnapshotError, match="other lengths"):
            read(path)


class TestOthers:
    @pytest.mark.parametrize(
        ("expected", "words"),
        [
            ({"mlflow": "n"}, "is of another MLflow"),
            ({"experiments": ("alpha",)}, r"is of other experiments \(Default\)"),
            ({"experiments": ("Default", "alpha")}, "is of other experiments"),
            ({"now_ms": NOON + 60_001}, "is 60 s old, and 60 s are allowed"),
            ({"now_ms": NOON + 10_000, "max_age": 0.0}, "is 10 s old"),
            ({"now_ms": NOON - 60_001}, "is of a moment 60 s ahead"),
            ({"max_bytes": 100}, "bytes, which is more than the index may take"),
        ],
    )
    def test_it_is_not_used(self, path: Path, expected: dict[str, Any], words: str) -> None:
        """A snapshot of something else, too old, of the future or too large is not used, and it says why."""
        with pytest.raises(SnapshotError, match=words):
            read(path, **expected)

    def test_another_format(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A snapshot of another release's format is not used."""
        written = snapshot.VERSION
        monkeypatch.setattr(snapshot, "VERSION", written + 1)
        why = f"has format {written}, which is another release's; this one has {written + 1}"
        with pytest.raises(SnapshotError, match=why):
            read(path)

    def test_as_old_as_it_may_be(self, path: Path) -> None:
        """Within its age, and a little ahead because two clocks differ, it is used."""
        assert STAMP == read(path, now_ms=NOON + 60_000).stamp
        assert STAMP == read(path, now_ms=NOON - 60_000).stamp

    def test_which_mlflow(self) -> None:
        """Another address or workspace is another MLflow, and the digest shows neither."""
        digests = {
            mlflow_digest("http://a", ""),
            mlflow_digest("http://a", "w"),
            mlflow_digest("http://aw", ""),
            mlflow_digest("http://b", ""),
        }
        assert 4 == len(digests)
        assert mlflow_digest("http://a", "") in digests
        assert not [digest for digest in digests if "http" in digest]


class TestAtomicity:
    def failing(self) -> Iterator[tuple[str, bytes]]:
        """Sections of which the second cannot be had."""
        yield SECTIONS[0]
        raise MemoryError

    def test_a_failure_midway_leaves_the_one_of_before(self, path: Path) -> None:
        """Where writing fails, the old snapshot is there unchanged, and nothing else."""
        before = path.read_bytes()
        with pytest.raises(MemoryError):
            write_snapshot(path, STAMP, self.failing())
        assert before == path.read_bytes()
        assert [path] == list(path.parent.iterdir())

    @pytest.mark.parametrize(("module", "call"), [(os, "fsync"), (Path, "replace")])
    def test_a_full_disk_leaves_the_one_of_before(
        self, path: Path, monkeypatch: pytest.MonkeyPatch, module: object, call: str
    ) -> None:
        """The last steps may fail, too."""
        before = path.read_bytes()

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(module, call, full)
        with pytest.raises(OSError, match="No space"):
            write_snapshot(path, STAMP, [])
        monkeypatch.undo()
        assert before == path.read_bytes()
        assert [path] == list(path.parent.iterdir())

    def test_it_can_be_given_up(self, path: Path) -> None:
        """Once it is wanted no more, no further section is asked for, and the old one stays."""
        before, answers = path.read_bytes(), iter([True, False])
        with pytest.raises(SnapshotError, match="was given up"):
            write_snapshot(path, STAMP, SECTIONS, lambda: next(answers))
        assert before == path.read_bytes()
        assert [path] == list(path.parent.iterdir())

    def test_two_may_write_at_once(self, path: Path) -> None:
        """Where another finishes while one writes, the one that finishes last wins, and both are whole."""

        def slowly() -> Iterator[tuple[str, bytes]]:
            yield "a", b"first"
            write_snapshot(path, STAMP, [("b", b"second")])
            assert {"b": b"second"} == read(path).sections

        write_snapshot(path, STAMP, slowly())
        assert {"a": b"first"} == read(path).sections

    def test_only_its_owner_may_read_it(self, path: Path) -> None:
        """It holds runs, which are not for every user of the machine."""
        assert 0o600 == path.stat().st_mode & 0o777

    def test_what_a_killed_process_left_is_removed(self, path: Path) -> None:
        """A temporary file of long ago is removed, and one that may be in use is not."""
        old, new = (path.with_name(f".s.{name}.tmp") for name in ("old", "new"))
        other = path.with_name("other.tmp")
        for file in (old, new, other):
            file.touch()
        for file in (old, other):
            os.utime(file, (0, 0))
        write_snapshot(path, STAMP, SECTIONS)
        assert {path, new, other} == set(path.parent.iterdir())
