"""The store that replicas share: which addresses and passwords are taken, and what refused ones are told."""

from pathlib import Path

import pytest

from service.settings.load import SettingsError, load_settings
from service.settings.store import StoreSettings
from service.wiring.store import login, part, sharing, tls
from tests.api.serving import make_settings

SECRET = "a-word-that-nobody-may-read"  # noqa: S105 - it opens nothing


def refused(monkeypatch: pytest.MonkeyPatch, **values: str) -> str:
    """What is said of settings that cannot be used; never the password."""
    for name, value in values.items():
        monkeypatch.setenv(f"TRACKING_STORE__{name.upper()}", value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert SECRET not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("valkey", "has no scheme: write redis://valkey, or rediss://valkey for TLS"),
        ("valkey:6379/1", "has no scheme: write redis://valkey:6379/1, or rediss://valkey:6379/1 for TLS"),
        (f"ada:{SECRET}@valkey:6379", "is no address: write redis://HOST:PORT/DATABASE"),
        (f"http://ada:{SECRET}@valkey", "must begin with redis:// or rediss://: write redis://HOST:PORT"),
        ("unix:///run/valkey.sock", "must begin with redis:// or rediss://"),
        ("redis://", "names no host and port"),
        (f"rediss://ada:{SECRET}@", "names no host and port"),
        ("redis://:6379", "names no host and port"),
        (f"redis://:{SECRET}@valkey:port", "its port is no number up to 65535"),
        ("redis://valkey:65536", "its port is no number up to 65535"),
        ("redis://valkey:6379/research", "has a path that is no number of a database"),
        ("rediss://valkey?ssl_cert_reqs=none", "has something behind ? or #: leave it out"),
        (f"redis://ada:{SECRET}#x@valkey", "its port is no number up to 65535"),
    ],
)
def test_an_address_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, url: str, words: str) -> None:
    """Each says what to write instead, and none repeats what may be a password."""
    message = refused(monkeypatch, url=url)
    assert message.startswith("TRACKING_STORE__URL: ")
    assert words in message


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (
            {"url": f"redis://:{SECRET}@valkey", "password": SECRET},
            "TRACKING_STORE__URL and TRACKING_STORE__PASSWORD hold a password each: set one of them",
        ),
        (
            {"url": "redis://valkey", "password": SECRET, "password_file": "/run/secrets/x"},
            "TRACKING_STORE__PASSWORD and TRACKING_STORE__PASSWORD_FILE hold a password each",
        ),
        (
            {"url": f"redis://ada:{SECRET}@valkey", "username": "bob"},
            "TRACKING_STORE__URL and TRACKING_STORE__USERNAME hold a user name each: set one of them",
        ),
        (
            {"url": "redis://ada@valkey"},
            "a user name for the store and no password: set TRACKING_STORE__",
        ),
        ({"url": "redis://valkey", "username": "ada"}, "a user name for the store and no password"),
        ({"url": "redis://valkey", "ca_file": "/etc/ca.pem"}, "is not encrypted: write rediss://…"),
        ({"max_in_flight": "20"}, "TRACKING_STORE__MAX_IN_FLIGHT needs TRACKING_STORE__URL"),
        ({"url": "redis://valkey", "prefix": "a b"}, "TRACKING_STORE__PREFIX: "),
        ({"url": "redis://valkey", "patience": "0"}, "TRACKING_STORE__PATIENCE: "),
    ],
)
def test_settings_that_contradict_each_other_are_refused(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, str], words: str
) -> None:
    """What is said twice, or half, is an error that names the settings."""
    assert words in refused(monkeypatch, **values)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"url": "redis://valkey"}, ("redis://valkey", None)),
        ({"url": "redis://[::1]:6379/3"}, ("redis://[::1]:6379/3", None)),
        ({"url": "rediss://:a%40b@valkey:1"}, ("rediss://valkey:1", ("a@b",))),
        ({"url": "redis://ad%20a:s@valkey/0"}, ("redis://valkey/0", ("ad a", "s"))),
        ({"url": "redis://ada@valkey", "password": " s "}, ("redis://valkey", ("ada", " s "))),
        ({"url": "redis://valkey", "username": "ada", "password": "s"}, ("redis://valkey", ("ada", "s"))),
    ],
)
def test_addresses_and_logins(values: dict[str, str], expected: tuple[str, tuple[str, ...] | None]) -> None:
    """User and password may stand in the address, escaped, or beside it; what is shown has neither."""
    chosen = StoreSettings.model_validate(values)
    shows = login(chosen)
    assert expected == (chosen.address, None if shows is None else shows())


def test_a_password_file_is_read_at_each_login(tmp_path: Path) -> None:
    """A changed file counts from the next connection on; the line end that editors add is no part of it."""
    file = tmp_path / "password"
    file.write_text(f"{SECRET}\n")
    shows = login(StoreSettings.model_validate({"url": "redis://ada@valkey", "password_file": file}))
    assert shows is not None
    assert ("ada", SECRET) == shows()
    file.write_text("another")
    assert ("ada", "another") == shows()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "No such file"),
        (b"", "must hold one line, the password"),
        (b"\n", "must hold one line, the password"),
        (b"a\nb", "must hold one line, the password"),
        (b"\xff", "is not UTF-8"),
        (b"x" * 70_000, "must hold one line, the password"),
    ],
)
def test_a_password_file_without_a_password_is_refused(
    tmp_path: Path, content: bytes | None, words: str
) -> None:
    """The error names the setting and the file, and never what is in it."""
    file = tmp_path / "password"
    if content is not None:
        file.write_bytes(content)
    chosen = StoreSettings.model_validate({"url": "redis://valkey", "password_file": file})
    with pytest.raises(ValueError, match=words) as caught:
        login(chosen)
    assert str(caught.value).startswith(f"TRACKING_STORE__PASSWORD_FILE: {file}: ")


def test_authorities_of_the_store(tmp_path: Path, pem: Path) -> None:
    """A file of certificates is read at the start; a missing one, and one without any, are refused."""
    assert tls(StoreSettings.model_validate({"url": "redis://valkey"})) is None
    assert tls(StoreSettings.model_validate({"url": "rediss://valkey", "ca_file": pem})) is not None
    (tmp_path / "empty").write_text("")
    for name, words in (("missing", "No such file"), ("empty", "")):
        chosen = StoreSettings.model_validate({"url": "rediss://valkey", "ca_file": tmp_path / name})
        with pytest.raises(ValueError, match=rf"^TRACKING_STORE__CA_FILE: {tmp_path / name}: .*{words}"):
            tls(chosen)


@pytest.mark.parametrize(
    ("own", "together", "replicas", "expected"),
    [(32, 20, 1, 20), (32, 20, 3, 6), (32, 20, 30, 1), (8, 20, 1, 8), (32, 64, 1, 32), (32, 64, 4, 16)],
)
def test_the_part_of_a_replica(own: int, together: int, replicas: int, expected: int) -> None:
    """Each replica gets an equal part of all calls, at least one, and never more than its own most."""
    assert expected == part(own, together, replicas)


def test_a_store_is_for_replicas_of_one_server() -> None:
    """A local MLflow is one replica's alone."""
    settings = make_settings(store={"url": "redis://valkey"}, mlflow_tracking_uri="sqlite:///x.db")
    with pytest.raises(ValueError, match="set it to the server's address, or leave the store out"):
        sharing(settings, lambda: 0.0)


def test_no_repr_shows_a_password() -> None:
    """Neither repr nor str of the settings shows what is in the address or beside it."""
    for values in (
        {"url": f"redis://ada:{SECRET}@valkey"},
        {"url": "redis://ada@valkey", "password": SECRET},
    ):
        chosen = StoreSettings.model_validate(values)
        assert SECRET not in repr(chosen) + str(chosen)
