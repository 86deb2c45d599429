"""API keys: the lines that they stand in, and the file that is read again when it changes."""

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
    """The headers of a request that bears a key."""
    return CIMultiDictProxy(CIMultiDict({"X-API-Key": key}))


async def known(keys: ApiKeys, key: str) -> str | None:
    """Whose key it is, None where nobody's."""
    try:
        return await keys(heading(key))
    except Unauthenticated:
        return None


class TestNewKey:
    def test_the_line_stands_for_the_key(self) -> None:
        """The line holds the name and the digest of the key, and is what is read."""
        key, line = new_key("ada")
        assert f"ada {sha256(key.encode()).hexdigest()}" == line
        assert {sha256(key.encode()).digest(): "ada"} == read_keys(line)

    def test_a_key_cannot_be_guessed(self) -> None:
        """A key says what it is, has 256 bits of chance behind that, and is made once."""
        keys = {new_key("ada").key for _ in range(100)}
        assert 100 == len(keys)
        assert {("etk_", 47)} == {(key[:4], len(key)) for key in keys}

    @pytest.mark.parametrize("name", ["", " ", "a b", "a,b", "#a", "é", "a\n", "x" * 65, "a/b", "a:b"])
    def test_what_is_no_name(self, name: str) -> None:
        """A name is one word that can stand in a line and in the log."""
        with pytest.raises(ValueError, match="a name has 1 to 64 letters"):
            new_key(name)

    @pytest.mark.parametrize("name", ["a", "ada.lovelace", "ci-runner_2", "ada@example.com", "x" * 64])
    def test_a_name(self, name: str) -> None:
        """People, machines and addresses of mail have names that are taken."""
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
    def test_their_forms(self, text: str) -> None:
        """Lines end at their end or at a comma; comments and space mean nothing."""
        assert {bytes.fromhex(A): "ada", bytes.fromhex(B): "bob"} == read_keys(text)

    def test_a_name_has_several_keys(self) -> None:
        """While a key is replaced, the old one and the new one are good."""
        assert {bytes.fromhex(A): "ada", bytes.fromhex(B): "ada"} == read_keys(f"ada {A}\nada {B}")

    def test_a_line_stands_twice(self) -> None:
        """The same key of the same name is one key."""
        assert {bytes.fromhex(A): "ada"} == read_keys(f"ada {A}\nada {A}")

    @pytest.mark.parametrize("text", ["", "\n \n", "# nobody", ","])
    def test_nothing(self, text: str) -> None:
        """Where no line says anything, there is no key."""
        assert {} == read_keys(text)

    @pytest.mark.parametrize(
        "line",
        ["ada", A, f"ada {A}a", f"ada {A[1:]}", f"ada {A} x", f"a/da {A}", f"ada {'g' * 64}", f"ada:{A}"],
    )
    def test_a_line_that_is_wrong(self, line: str) -> None:
        """It is told by its number, and not repeated: somebody may have put a key there."""
        with pytest.raises(ValueError, match="line 2 is not a name and a SHA-256 digest") as caught:
            read_keys(f"# keys\n{line}")
        assert line not in str(caught.value)

    def test_a_key_itself(self) -> None:
        """A key in the place of its digest is not taken, and not repeated."""
        with pytest.raises(ValueError, match="line 1 is not") as caught:
            read_keys(f"ada {ADA.key}")
        assert ADA.key not in str(caught.value)

    def test_two_names_of_a_key(self) -> None:
        """A key says who somebody is: two names for one are a mistake."""
        with pytest.raises(ValueError, match="line 2 gives a second name to one key"):
            read_keys(f"ada {A}\nbob {A}")


class TestFile:
    def made(self, tmp_path: Path, *lines: str) -> tuple[Path, Clock, ApiKeys]:
        """Keys from a file."""
        file, clock = tmp_path / "keys", Clock()
        file.write_text("\n".join(lines))
        return file, clock, ApiKeys({}, file, clock)

    async def test_it_stands_beside_the_environment(self, tmp_path: Path) -> None:
        """Keys of the environment and of the file are good alike."""
        file = tmp_path / "keys"
        file.write_text(ADA.line)
        keys = ApiKeys(read_keys(BOB.line), file)
        assert ["ada", "bob", None] == [await known(keys, one.key) for one in (ADA, BOB, EVE)]

    async def test_a_key_is_added_and_another_taken_away(self, tmp_path: Path, caplog: Caplog) -> None:
        """A second after a change of the file the new key is good, and the old one is not."""
        caplog.set_level(logging.INFO)
        file, clock, keys = self.made(tmp_path, ADA.line)
        file.write_text(BOB.line)
        assert ["ada", None] == [await known(keys, one.key) for one in (ADA, BOB)]
        clock.tick(1.0)
        assert [None, "bob"] == [await known(keys, one.key) for one in (ADA, BOB)]
        assert ["1 API keys are known"] == [record.getMessage() for record in caplog.records]

    async def test_the_same_size_at_the_same_time(self, tmp_path: Path) -> None:
        """A change is seen though the file's times and size say nothing of it."""
        file, clock, keys = self.made(tmp_path, ADA.line)
        then = file.stat()
        file.write_text(f"ada {sha256(EVE.key.encode()).hexdigest()}")
        os.utime(file, ns=(then.st_atime_ns, then.st_mtime_ns))
        clock.tick(1.0)
        assert [None, "ada"] == [await known(keys, one.key) for one in (ADA, EVE)]

    async def test_links_are_swapped(self, tmp_path: Path) -> None:
        """Kubernetes shows a new secret by turning a link to a folder: that is a change as any other."""
        for name, one in (("old", ADA), ("new", BOB)):
            (tmp_path / name).mkdir()
            (tmp_path / name / "keys").write_text(one.line)
        (tmp_path / "..data").symlink_to("old")
        file, clock = tmp_path / "keys", Clock()
        file.symlink_to("..data/keys")
        keys = ApiKeys({}, file, clock)
        assert ["ada", None] == [await known(keys, one.key) for one in (ADA, BOB)]
        (tmp_path / "..data_tmp").symlink_to("new")
        (tmp_path / "..data_tmp").replace(tmp_path / "..data")
        clock.tick(1.0)
        assert [None, "bob"] == [await known(keys, one.key) for one in (ADA, BOB)]

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
    async def test_it_is_spoilt(
        self, tmp_path: Path, caplog: Caplog, spoil: Callable[[Path], object], complaint: str
    ) -> None:
        """A file that vanished or makes no sense changes nothing, and the log says so once."""
        file, clock, keys = self.made(tmp_path, ADA.line)
        spoil(file)
        for _ in range(5):
            clock.tick(1.0)
            assert "ada" == await known(keys, ADA.key)
        [record] = caplog.records
        assert "ERROR" == record.levelname
        assert complaint in record.getMessage()
        assert str(file) in record.getMessage() or "no API key" in complaint

    async def test_it_is_mended(self, tmp_path: Path, caplog: Caplog) -> None:
        """Once it makes sense again it counts, and a second trouble is told of as the first was."""
        file, clock, keys = self.made(tmp_path, ADA.line)
        for _ in range(2):
            file.unlink()
            clock.tick(1.0)
            assert ["ada", None] == [await known(keys, one.key) for one in (ADA, BOB)]
            file.write_text(ADA.line)
            clock.tick(1.0)
            assert "ada" == await known(keys, ADA.key)
        assert 2 == len(caplog.records)
        file.write_text(BOB.line)
        clock.tick(1.0)
        assert [None, "bob"] == [await known(keys, one.key) for one in (ADA, BOB)]

    @pytest.mark.parametrize(
        ("content", "complaint"), [("ada", "keys: line 1 is not"), ("# nobody yet", "there is no API key")]
    )
    def test_it_is_wrong_from_the_start(self, tmp_path: Path, content: str, complaint: str) -> None:
        """Without one good key nothing is started."""
        with pytest.raises(ValueError, match=complaint):
            self.made(tmp_path, content)

    def test_it_is_not_there(self, tmp_path: Path) -> None:
        """A file that is not there from the start is an error."""
        with pytest.raises(FileNotFoundError):
            ApiKeys({}, tmp_path / "keys")


def test_nothing_of_a_key_is_kept(tmp_path: Path) -> None:
    """What knows the keys holds digests, and shows none of them."""
    keys = ApiKeys(read_keys(ADA.line), None)
    assert ADA.key not in repr(vars(keys))
    assert ADA.line.split()[1] not in repr(keys)
