"""Files that people edit on Windows, or with PowerShell: what each file of a setting is read as."""

import json
from codecs import BOM_UTF8
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from multidict import CIMultiDict, CIMultiDictProxy

from service.auth.api_keys import ApiKeys, new_key, read_keys
from service.auth.key_sets import KeyFile
from service.settings import load as module
from service.settings.load import SettingsError, load_settings
from service.text_files import decoded, read_text
from service.tracking.directions import load_directions
from tests.auth.issuer import make_keys, public_jwk
from tests.cache.scripted import Clock

KEY, LINE = new_key("ada")
DIGEST = sha256(KEY.encode()).digest()
RULES = '[[rules]]\r\npattern = "*_loss"\r\nbetter = "min"\r\n'


@pytest.mark.parametrize("text", ["", "a", "a\r\nb\r\n", "ä\n", "\ufeffa"])
def test_a_mark_at_the_beginning(text: str) -> None:
    """UTF-8 is the same text with a mark before it and without; one mark only is taken away."""
    assert text.removeprefix("\ufeff") == decoded(text.encode())
    assert text == decoded(BOM_UTF8 + text.encode())


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le"])
def test_other_encodings(encoding: str) -> None:
    """They are refused in words, with a mark or without."""
    with pytest.raises(ValueError, match="UTF-16 or no text; save it as UTF-8"):
        decoded(f"ada {'a' * 64}\r\n".encode(encoding))


def test_what_is_no_utf8() -> None:
    """The line is told, and nothing of what stands there."""
    with pytest.raises(ValueError, match="line 2 is not UTF-8") as caught:
        decoded("a\nbücher".encode("latin-1"))
    assert "b" not in str(caught.value).replace("not UTF-8; save it as UTF-8", "")


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    """A file of more than a megabyte is none that a person edits."""
    file = tmp_path / "file"
    file.write_bytes(b" " * 1_048_576)
    assert 1_048_576 == len(read_text(file))
    file.write_bytes(b" " * 1_048_577)
    with pytest.raises(ValueError, match="larger than 1048576 bytes"):
        read_text(file)


class TestApiKeys:
    @pytest.mark.parametrize("text", [f"{LINE}\r\n", f"# keys\r\n\r\n{LINE}", f"{LINE},"], ids=range(3))
    async def test_with_a_mark(self, tmp_path: Path, text: str) -> None:
        """A file of keys is read, and a key that is taken away from it is taken away."""
        file, clock = tmp_path / "keys", Clock()
        other = new_key("bob")
        file.write_bytes(BOM_UTF8 + f"{text}\r\n{other.line}".encode())
        keys = ApiKeys({}, file, clock)
        assert {"ada", "bob"} == set(keys._keys.values())
        file.write_bytes(BOM_UTF8 + text.encode())
        clock.tick(2.0)
        assert "ada" == await keys(CIMultiDictProxy(CIMultiDict({"X-API-Key": KEY})))
        assert {"ada"} == set(keys._keys.values())

    def test_files_put_together(self) -> None:
        """A mark in the midst, where another file began, means nothing, nor does one in a variable."""
        assert {DIGEST: "ada"} == read_keys(f"\ufeff# mine\n\ufeff{LINE}\n\ufeff")

    def test_utf16(self, tmp_path: Path) -> None:
        """PowerShell's `>` writes UTF-16: the refusal says so, and names the file."""
        file = tmp_path / "keys"
        file.write_text(LINE, "utf-16")
        with pytest.raises(ValueError, match="save it as UTF-8") as caught:
            ApiKeys({}, file)
        assert str(file) in str(caught.value)


@pytest.fixture(scope="module")
def pem_and_set() -> list[str]:
    """A public key as PEM and as a set."""
    key = make_keys().ec
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    return [pem, json.dumps({"keys": [public_jwk(key)]})]


def test_keys_of_an_issuer(tmp_path: Path, pem_and_set: list[str]) -> None:
    """A PEM and a key set are read with a mark and with the line ends of Windows."""
    file = tmp_path / "keys"
    for text in pem_and_set:
        file.write_bytes(BOM_UTF8 + text.replace("\n", "\r\n").encode())
        assert 1 == len(KeyFile(file)._keys.by_id)
        file.write_text(text, "utf-16")
        with pytest.raises(ValueError, match="save it as UTF-8"):
            KeyFile(file)


def test_rules_for_metrics(tmp_path: Path) -> None:
    """So are the rules for metrics."""
    file = tmp_path / "metrics.toml"
    file.write_bytes(BOM_UTF8 + RULES.encode())
    assert "min" == load_directions(file)("val_loss")
    file.write_text(RULES, "utf-16")
    with pytest.raises(ValueError, match="save it as UTF-8"):
        load_directions(file)


def test_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So are the settings."""
    monkeypatch.setattr(module, "config_dir", lambda: tmp_path)
    file = tmp_path / "service.toml"
    file.write_bytes(BOM_UTF8 + b"port = 9000\r\n[upstream]\r\nattempts = 1\r\n")
    assert (9000, 1) == (load_settings().port, load_settings().upstream.attempts)
    file.write_text("port = 9000\r\n", "utf-16")
    with pytest.raises(SettingsError, match=r"service.toml: .*save it as UTF-8"):
        load_settings()
