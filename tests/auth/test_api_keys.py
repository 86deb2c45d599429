"""API keys: their lines, and the file that is read again when it changes."""

import logging
import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from service.auth.api_keys import ApiKeys, new_key, read_keys
from service.errors import Unauthenticated
from tests.cache.scripted import Clock

ADA, BOB, EVE = new_key("ada"), new_key("bob"), new_key("eve")
A, B = "a" * 64, "b" * 64

Caplog = pytest.LogCaptureFixture


def heading(key: str) -> CIMultiDictProxy[str]:
    """The headers of a request with a key."""
    return CIMultiDictProxy(CIMultiDict({"X-API-Key": key}))


async def name_of(keys: ApiKeys, key: str) -> str | None:
    """The name of the caller with this key, None if the key is not known."""
    try:
        return await keys(heading(key))
    except Unauthenticated:
        return None


class TestNewKey:
    def test_the_line_holds_name_and_digest(self) -> None:
        """The line holds the name and the digest of the key, and can be read back."""
        key, line = new_key("ada")
        assert f"ada {sha256(key.encode()).hexdigest()}" == line
        assert {sha256(key.encode()).digest(): "ada"} == read_keys(line)

    def test_a_key_has_256_random_bits(self) -> None:
        """A key has a prefix and 256 random bits, and each is new."""
        keys = {new_key("ada").key for _ in range(100)}
        assert 100 == len(keys)
        assert {("etk_", 47)} == {(key[:4], len(key)) for key in keys}

    @pytest.mark.parametrize("name", ["", " ", "a b", "a,b", "#a", "é", "a\n", "x" * 65, "a/b", "a:b"])
    def test_rejects_malformed_names(self, name: str) -> None:
        """A name that cannot stand in a line and in the log is an error."""
        with pytest.raises(ValueError, match="a name has 1 to 64 letters"):
            new_key(name)

    @pytest.mark.parametrize("name", ["a", "ada.lovelace", "ci-runner_2", "ada@example.com", "x" * 64])
    def test_accepts_names_of_people_and_machines(self, name: str) -> None:
        """Names of people, machines and e-mail addresses are accepted."""
        assert [name] == list(read_keys(new_key(name).line).values())


class TestLines:
    @pytest.mark.parametrize(
        "text",
        [
            f"ada {A}\nbob {B}",
            f"ada {A}\r\nbob {B}\r\n",
            f"ada {A},bob {B}",
            f" ada {A} , bob {B} ,",
            f"# who may ask, and since when\n\n  ada\t{A.upper()}  \n   # bob, too\nbob   {B}\n\n",
        ],
    )
    def test_reads_lines_in_every_form(self, text: str) -> None:
        """Entries end at a line end or a comma; comments and spaces are ignored."""
        assert {bytes.fromhex(A): "ada", bytes.fromhex(B): "bob"} == read_keys(text)

    def test_a_name_may_have_several_keys(self) -> None:
        """A name may have an old and a new key at the same time."""
        assert {bytes.fromhex(A): "ada", bytes.fromhex(B): "ada"} == read_keys(f"ada {A}\nada {B}")

    def test_a_repeated_line_counts_once(self) -> None:
        """A line that is repeated counts once."""
        assert {bytes.fromhex(A): "ada"} == read_keys(f"ada {A}\nada {A}")

    @pytest.mark.parametrize("text", ["", "\n \n", "# nobody", ","])
    def test_an_empty_file_has_no_keys(self, text: str) -> None:
        """Text without entries has no keys."""
        assert {} == read_keys(text)

    @pytest.mark.parametrize(
        "line",
        ["ada", A, f"ada {A}a", f"ada {A[1:]}", f"ada {A} x", f"a/da {A}", f"ada {'g' * 64}", f"ada:{A}"],
    )
    def test_rejects_malformed_keys(self, line: str) -> None:
        """The error for a malformed line has its number and not its text, which may be a key."""
        with pytest.raises(ValueError, match="line 2 is not a name and a SHA-256 digest") as caught:
            read_keys(f"# keys\n{line}")
        assert line not in str(caught.value)

    def test_rejects_a_key_in_place_of_its_digest(self) -> None:
        """A key in place of its digest is an error that does not repeat it."""
        with pytest.raises(ValueError, match="line 1 is not") as caught:
            read_keys(f"ada {ADA.key}")
        assert ADA.key not in str(caught.value)

    def test_rejects_a_second_name_for_a_key(self) -> None:
        """Two names for one key are an error."""
        with pytest.raises(ValueError, match="line 2 gives a second name to a key"):
            read_keys(f"ada {A}\nbob {A}")


class TestFile:
    def from_file(self, tmp_path: Path, *lines: str) -> tuple[Path, Clock, ApiKeys]:
        """Keys from a file."""
        file, clock = tmp_path / "keys", Clock()
        file.write_text("\n".join(lines))
        return file, clock, ApiKeys({}, file, clock)

    async def test_keys_of_file_and_environment_are_accepted(self, tmp_path: Path) -> None:
        """The keys of the file and those of the environment are both accepted."""
        file = tmp_path / "keys"
        file.write_text(ADA.line)
        keys = ApiKeys(read_keys(BOB.line), file)
        assert ["ada", "bob", None] == [await name_of(keys, caller.key) for caller in (ADA, BOB, EVE)]

    async def test_reloads_a_changed_file(self, tmp_path: Path, caplog: Caplog) -> None:
        """Within a second of a change, a new key is accepted and a removed one is not."""
        caplog.set_level(logging.INFO)
        file, clock, keys = self.from_file(tmp_path, ADA.line)
        file.write_text(BOB.line)
        assert ["ada", None] == [await name_of(keys, caller.key) for caller in (ADA, BOB)]
        clock.tick(1.0)
        assert [None, "bob"] == [await name_of(keys, caller.key) for caller in (ADA, BOB)]
        assert ["1 API keys are known"] == [record.getMessage() for record in caplog.records]

    async def test_notices_a_change_of_content_alone(self, tmp_path: Path) -> None:
        """A change is noticed even if the file's time and size stay the same."""
        file, clock, keys = self.from_file(tmp_path, ADA.line)
        then = file.stat()
        file.write_text(f"ada {sha256(EVE.key.encode()).hexdigest()}")
        os.utime(file, ns=(then.st_atime_ns, then.st_mtime_ns))
        clock.tick(1.0)
        assert [None, "ada"] == [await name_of(keys, caller.key) for caller in (ADA, EVE)]

    async def test_notices_a_swapped_link(self, tmp_path: Path) -> None:
        """A change by swapping a link to a folder, as Kubernetes does it, is noticed."""
        for name, one in (("old", ADA), ("new", BOB)):
            (tmp_path / name).mkdir()
            (tmp_path / name / "keys").write_text(one.line)
        (tmp_path / "..data").symlink_to("old")
        file, clock = tmp_path / "keys", Clock()
        file.symlink_to("..data/keys")
        keys = ApiKeys({}, file, clock)
        assert ["ada", None] == [await name_of(keys, caller.key) for caller in (ADA, BOB)]
        (tmp_path / "..data_tmp").symlink_to("new")
        (tmp_path / "..data_tmp").replace(tmp_path / "..data")
        clock.tick(1.0)
        assert [None, "bob"] == [await name_of(keys, caller.key) for caller in (ADA, BOB)]

    @pytest.mark.parametrize(
        ("spoil", "complaint"),
        [
            (Path.unlink, "No such file"),
            (lambda file: file.write_text(f"ada {A}\nbob"), "line 2 is not"),
            (lambda file: file.write_text(""), "there is no API key"),
            (lambda file: file.write_bytes(b"ada \xff"), "save it as UTF-8"),
            (lambda file: file.write_text("#" * 1_048_577), "larger than 1048576 bytes"),
            (lambda file: (file.unlink(), file.mkdir()), "Is a directory"),
        ],
    )
    async def test_keeps_the_keys_if_the_file_is_unusable(
        self, tmp_path: Path, caplog: Caplog, spoil: Callable[[Path], object], complaint: str
    ) -> None:
        """If the file vanishes or is malformed, the keys stay, and the log says so once."""
        file, clock, keys = self.from_file(tmp_path, ADA.line)
        spoil(file)
        for _ in range(5):
            clock.tick(1.0)
            assert "ada" == await name_of(keys, ADA.key)
        [record] = caplog.records
        assert "ERROR" == record.levelname
        assert complaint in record.getMessage()
        assert str(file) in record.getMessage() or "no API key" in complaint

    async def test_logs_each_new_problem(self, tmp_path: Path, caplog: Caplog) -> None:
        """Once the file is good again it counts, and a second problem is logged like the first."""
        file, clock, keys = self.from_file(tmp_path, ADA.line)
        for _ in range(2):
            file.unlink()
            clock.tick(1.0)
            assert ["ada", None] == [await name_of(keys, caller.key) for caller in (ADA, BOB)]
            file.write_text(ADA.line)
            clock.tick(1.0)
            assert "ada" == await name_of(keys, ADA.key)
        assert 2 == len(caplog.records)
        file.write_text(BOB.line)
        clock.tick(1.0)
        assert [None, "bob"] == [await name_of(keys, caller.key) for caller in (ADA, BOB)]

    @pytest.mark.parametrize(
        ("content", "complaint"), [("ada", "keys: line 1 is not"), ("# nobody yet", "there is no API key")]
    )
    def test_rejects_a_file_without_keys(self, tmp_path: Path, content: str, complaint: str) -> None:
        """A file without any valid key is an error at the start."""
        with pytest.raises(ValueError, match=complaint):
            self.from_file(tmp_path, content)

    def test_rejects_a_missing_file(self, tmp_path: Path) -> None:
        """A file that is missing at the start is an error."""
        with pytest.raises(FileNotFoundError):
            ApiKeys({}, tmp_path / "keys")


def test_keeps_only_digests(tmp_path: Path) -> None:
    """Only digests of keys are kept in memory, and `repr` shows none of them."""
    keys = ApiKeys(read_keys(ADA.line), None)
    assert ADA.key not in repr(vars(keys))
    assert ADA.line.split()[1] not in repr(keys)
