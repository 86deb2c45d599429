"""What the settings make of it: who tells callers apart, and what they say where that cannot be."""

import sys
from pathlib import Path
from typing import Any

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

import service.__main__ as command
from service.auth.api_keys import new_key
from service.context import DEADLINE
from service.settings.groups import AuthSettings
from service.wiring.authentication import _patience, identification
from tests.auth.issuer import AUDIENCE, ISSUER, Issuer, PrivateKeys
from tests.auth.test_key_file import as_pem

ADA = new_key("ada")
CLAIMS = {"issuer": ISSUER, "audience": AUDIENCE}


async def named(settings: AuthSettings, **headers: str) -> str:
    """The name of who sends these headers."""
    identify, opened = identification(settings, {})
    assert identify is not None
    async with opened:
        return await identify(CIMultiDictProxy(CIMultiDict(headers)))


async def test_nobody() -> None:
    """With mode none callers are not told apart."""
    identify, opened = identification(AuthSettings(), {})
    assert identify is None
    async with opened:
        pass


async def test_keys_in_the_environment() -> None:
    """Keys may stand in the environment alone."""
    settings = AuthSettings.model_validate({"mode": "api_key", "api_keys": ADA.line})
    assert "ada" == await named(settings, Authorization=f"Bearer {ADA.key}")


async def test_keys_in_a_file(tmp_path: Path) -> None:
    """Keys may stand in a file alone."""
    (tmp_path / "keys").write_text(ADA.line)
    settings = AuthSettings(mode="api_key", api_keys_file=tmp_path / "keys")
    assert "ada" == await named(settings, Authorization=f"Bearer {ADA.key}")


async def test_tokens_of_an_address(issuer: Issuer) -> None:
    """Tokens are checked with the keys that an issuer publishes."""
    settings = AuthSettings(mode="jwt", jwks_url=issuer.url, **CLAIMS)
    assert "ada" == await named(settings, Authorization=f"Bearer {issuer.token()}")


async def test_tokens_of_a_file(tmp_path: Path, issuer: Issuer, private_keys: PrivateKeys) -> None:
    """Tokens are checked with a key in a file."""
    (tmp_path / "key.pem").write_bytes(as_pem(private_keys.rsa))
    settings = AuthSettings(mode="jwt", jwt_keys_file=tmp_path / "key.pem", **CLAIMS)
    assert "ada" == await named(settings, Authorization=f"Bearer {issuer.token()}")


async def test_patience() -> None:
    """It lasts until the caller gives up, and is never less than nothing; outside of a request it lasts."""
    assert _patience() is None
    for ends, most in ((float("inf"), float("inf")), (0.0, 0.0)):
        DEADLINE.set(ends)
        assert most == _patience()


class TestWrongSettings:
    """The command ends with exit code 2 and one line."""

    @pytest.fixture(autouse=True)
    def _elsewhere(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
        monkeypatch.setenv("TRACKING_LOG_LEVEL", "error")

    def line(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], **settings: Any
    ) -> str:
        """What the command says with these settings of authentication."""
        for name, value in settings.items():
            monkeypatch.setenv(f"TRACKING_AUTH__{name.upper()}", str(value))
        assert 2 == command.main([])
        [line] = capsys.readouterr().err.splitlines()
        return line

    @pytest.mark.parametrize(
        ("settings", "expected"),
        [
            ({"mode": "api_key"}, "api_key needs TRACKING_AUTH__API_KEYS_FILE or TRACKING_AUTH__API_KEYS"),
            ({"mode": "api_key", "api_keys": "ada"}, "TRACKING_AUTH__API_KEYS: line 1 is not"),
            ({"mode": "api_key", "api_keys": f"ada {ADA.key}"}, "TRACKING_AUTH__API_KEYS: line 1 is not"),
            ({"mode": "api_key", "api_keys": "#"}, "TRACKING_AUTH__API_KEYS: there is no API key"),
            ({"mode": "api_key", "api_keys_file": "absent"}, "TRACKING_AUTH__API_KEYS_FILE: [Errno 2]"),
            ({"mode": "api_key", "api_keys_file": "wrong"}, "TRACKING_AUTH__API_KEYS_FILE: wrong: line 1"),
            ({"mode": "jwt", **CLAIMS}, "jwt needs one of TRACKING_AUTH__JWKS_URL and"),
            ({"mode": "jwt", "jwt_keys_file": "wrong"}, "jwt needs TRACKING_AUTH__ISSUER and"),
            (
                {"mode": "jwt", "jwt_keys_file": "absent", **CLAIMS},
                "TRACKING_AUTH__JWT_KEYS_FILE: [Errno 2]",
            ),
            (
                {"mode": "jwt", "jwt_keys_file": "wrong", **CLAIMS},
                "TRACKING_AUTH__JWT_KEYS_FILE: wrong: it is no JSON Web Key Set",
            ),
            (
                {"mode": "jwt", "jwks_url": "https://a.example/", "jwt_keys_file": "wrong", **CLAIMS},
                "jwt needs one of",
            ),
            ({"jwks_url": "http://issuer.example.com/"}, "TRACKING_AUTH__JWKS_URL: must be https://"),
            ({"jwks_url": "https:///keys"}, "TRACKING_AUTH__JWKS_URL: has no host"),
            (
                {"jwks_url": f"https://ada:{ADA.key}@issuer.example.com/"},
                "TRACKING_AUTH__JWKS_URL: takes no user",
            ),
            ({"jwks_url": f"ftp://:{ADA.key}@issuer.example.com/"}, "TRACKING_AUTH__JWKS_URL: must be https"),
        ],
    )
    def test_one_line(
        self,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        settings: dict[str, str],
        expected: str,
    ) -> None:
        """It names the setting and what is wrong with it, and repeats no key."""
        Path("wrong").write_text(f"ada {ADA.key}")
        line = self.line(monkeypatch, capsys, **settings)
        assert expected in line
        assert ADA.key not in line

    def test_without_the_library(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Where what tokens need is not installed, it says what to install."""
        for name in ("service.auth.key_sets", "service.auth.tokens"):
            monkeypatch.delitem(sys.modules, name, raising=False)
        monkeypatch.setitem(sys.modules, "jwt", None)
        line = self.line(monkeypatch, capsys, mode="jwt", jwt_keys_file="wrong", **CLAIMS)
        assert "TRACKING_AUTH__MODE: jwt needs more: pip install 'experiment-tracking[jwt]'" in line
