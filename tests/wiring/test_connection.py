"""How MLflow is reached: credentials, workspaces, proxies and CAs, and what is said of them."""

import base64
from pathlib import Path
from typing import Any

import pytest

from service.settings.load import SettingsError
from service.upstream.access import DIRECT
from service.wiring.connection import Connection, connection
from tests.api.serving import make_settings

SECRET = "a-word-that-nobody-may-read"  # noqa: S105 - it opens nothing
HTTPS = "https://mlflow.example.com/"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A user's folder."""
    home = tmp_path / "home"
    (home / ".mlflow").mkdir(parents=True)
    return home


def connected(
    home: Path, uri: str = HTTPS, environment: dict[str, str] | None = None, **settings: Any
) -> Connection:
    """The way to an MLflow, of whose secrets nothing is said."""
    way = connection(make_settings(mlflow_tracking_uri=uri, **settings), environment or {}, home)
    assert SECRET not in repr(way)
    return way


def odd(way: Connection) -> list[str]:
    """The warnings."""
    return [remark.text for remark in way.remarks if remark.is_odd]


def basic(username: str, password: str = SECRET) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{username}:{password}'.encode()).decode()}"}


def credentials(home: Path, text: str) -> None:
    (home / ".mlflow" / "credentials").write_text(text)


def netrc(home: Path, text: str) -> None:
    (home / ".netrc").write_text(text)


FILE = f"[mlflow]\nmlflow_tracking_username = ada\nmlflow_tracking_password = {SECRET}\n"


class TestCredentials:
    def test_there_are_none(self, home: Path) -> None:
        """Without any, MLflow is shown nothing, and nothing is said."""
        way = connected(home)
        assert ({}, ()) == (way.access.shown(), way.remarks)

    def test_the_credentials_file(self, home: Path) -> None:
        """~/.mlflow/credentials is read as MLflow's client does, and said to be."""
        credentials(home, FILE)
        way = connected(home)
        assert basic("ada") == way.access.shown()
        assert ["the credentials for MLflow are those in ~/.mlflow/credentials"] == [
            r.text for r in way.remarks
        ]

    def test_the_environment_wins(self, home: Path) -> None:
        """A variable holds over the file, each for itself, and both together leave the file unread."""
        credentials(home, FILE)
        assert basic("eve") == connected(home, mlflow_tracking_username="eve").access.shown()
        credentials(home, "broken")
        way = connected(home, mlflow_tracking_username="eve", mlflow_tracking_password="x")  # noqa: S106
        assert (basic("eve", "x"), ()) == (way.access.shown(), way.remarks)

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            (f"password {SECRET}", "INI"),
            (f"[other]\nmlflow_tracking_password = {SECRET}", "section [mlflow]"),
            (f"[mlflow]\nmlflow_tracking_password = 5%{SECRET}", "%%"),
            ("", "section [mlflow]"),
        ],
    )
    def test_a_credentials_file_that_is_broken(self, home: Path, text: str, words: str) -> None:
        """What cannot be read is a warning that shows nothing of it, and the token is sent all the same."""
        credentials(home, text)
        way = connected(home, mlflow_tracking_token="t")  # noqa: S106
        [said] = odd(way)
        assert said.startswith("the credentials file is not used: ~/.mlflow/credentials: ")
        assert words in said
        assert {"Authorization": "Bearer t"} == way.access.shown()

    def test_a_credentials_file_that_cannot_be_opened(self, home: Path) -> None:
        """A file that is a folder, or may not be read, is a warning."""
        (home / ".mlflow" / "credentials").mkdir()
        assert ["the credentials file is not used: ~/.mlflow/credentials: Is a directory"] == odd(
            connected(home)
        )

    @pytest.mark.parametrize(
        ("settings", "words"),
        [
            ({"mlflow_tracking_username": "ada"}, "without MLFLOW_TRACKING_PASSWORD: MLflow is sent no cred"),
            (
                {"mlflow_tracking_password": SECRET},
                "without MLFLOW_TRACKING_USERNAME: MLflow is sent no cred",
            ),
            (
                {"mlflow_tracking_username": "ada", "mlflow_tracking_token": SECRET},
                "without MLFLOW_TRACKING_PASSWORD: MLflow is sent the token",
            ),
            (
                {
                    "mlflow_tracking_username": "ada",
                    "mlflow_tracking_password": "x",
                    "mlflow_tracking_token": SECRET,
                },
                "win over MLFLOW_TRACKING_TOKEN",
            ),
            ({"mlflow_tracking_username": "ada", "mlflow_tracking_password": f'"{SECRET}"'}, "with a quote"),
            ({"mlflow_tracking_username": "ada", "mlflow_tracking_password": f"{SECRET} "}, "or a space"),
            ({"mlflow_tracking_token": f"Bearer {SECRET}"}, "begins with Bearer"),
        ],
    )
    def test_half_of_what_is_needed_and_twice_too_much(
        self, home: Path, settings: dict[str, Any], words: str
    ) -> None:
        """One without the other, both kinds at once, and what stands around a password are warnings."""
        [said] = odd(connected(home, **settings))
        assert words in said

    def test_a_token_file(self, home: Path) -> None:
        """The token is the file's."""
        (home / "token").write_text(f"{SECRET}\n")
        way = connected(home, mlflow_tracking_token_file=home / "token")
        assert {"Authorization": f"Bearer {SECRET}"} == way.access.shown()

    def test_a_token_file_that_is_not_there(self, home: Path) -> None:
        """The start is refused by the setting's name."""
        with pytest.raises(SettingsError, match=r"^MLFLOW_TRACKING_TOKEN_FILE: .*No such file"):
            connected(home, mlflow_tracking_token_file=home / "nowhere")

    def test_netrc(self, home: Path) -> None:
        """.netrc counts for MLflow's host, and only where nothing else is given."""
        netrc(home, f"machine mlflow.example.com login ada password {SECRET}\n")
        way = connected(home)
        assert basic("ada") == way.access.shown()
        assert [f"the credentials for MLflow are those in {home}/.netrc"] == [r.text for r in way.remarks]
        assert {} == connected(home, "https://other.example.com").access.shown()
        way = connected(home, mlflow_tracking_token="t")  # noqa: S106
        assert {"Authorization": "Bearer t"} == way.access.shown()

    def test_netrc_elsewhere(self, home: Path) -> None:
        """NETRC names another file; one that is not there is a warning."""
        (home / "mine").write_text(f"default login ada password {SECRET}\n")
        assert basic("ada") == connected(home, environment={"NETRC": str(home / "mine")}).access.shown()
        [said] = odd(connected(home, environment={"NETRC": "/nowhere"}))
        assert "NETRC: /nowhere is not there" in said

    def test_a_broken_netrc(self, home: Path) -> None:
        """What cannot be read is a warning that shows nothing of it."""
        netrc(home, f"machine mlflow.example.com login ada passwort {SECRET}\n")
        [said] = odd(connected(home))
        assert said.startswith(f".netrc is not used: {home}/.netrc: line 1")


class TestWay:
    def test_a_workspace(self, home: Path) -> None:
        """MLFLOW_WORKSPACE goes with every call, beside the credentials."""
        way = connected(home, mlflow_workspace="quant", mlflow_tracking_token=SECRET)
        assert {"X-MLFLOW-WORKSPACE": "quant", "Authorization": f"Bearer {SECRET}"} == way.access.shown()

    def test_a_proxy(self, home: Path) -> None:
        """The proxy is said, without its password; the tunnel of an https address hides the credentials."""
        way = connected(
            home, environment={"HTTPS_PROXY": f"http://u:{SECRET}@proxy:3128"}, mlflow_tracking_token=SECRET
        )
        assert f"http://u:{SECRET}@proxy:3128" == str(way.access.proxy)
        assert ["MLflow is reached through http://proxy:3128, as HTTPS_PROXY says"] == [
            r.text for r in way.remarks
        ]

    def test_a_proxy_that_can_read_the_credentials(self, home: Path) -> None:
        """Over http it sees them, which is a warning."""
        environment = {"HTTP_PROXY": "http://proxy:3128"}
        way = connected(home, "http://mlflow", environment, mlflow_tracking_token=SECRET)
        assert ["http://proxy:3128 can read the credentials"] == [
            said.partition(" for ")[0] for said in odd(way)
        ]
        assert [] == odd(connected(home, "http://mlflow", environment))

    def test_a_proxy_that_cannot_be_used(self, home: Path) -> None:
        """A SOCKS proxy is refused at the start."""
        with pytest.raises(SettingsError, match=r"^ALL_PROXY: socks5 proxies are not supported"):
            connected(home, environment={"ALL_PROXY": "socks5://proxy"})

    def test_a_bundle(self, home: Path, pem: Path) -> None:
        """REQUESTS_CA_BUNDLE is trusted, MLflow's own variable wins over it, and http needs neither."""
        environment = {"REQUESTS_CA_BUNDLE": str(pem)}
        for way in (
            connected(home, environment=environment),
            connected(
                home,
                environment={"REQUESTS_CA_BUNDLE": "/nowhere"},
                mlflow_tracking_server_cert_path=pem,
            ),
        ):
            assert way.access.ssl_context is not None
            assert 1 == len(way.access.ssl_context.get_ca_certs())
        assert None is connected(home, "http://h", {"CURL_CA_BUNDLE": "/nowhere"}).access.ssl_context
        with pytest.raises(SettingsError, match=r"^CURL_CA_BUNDLE: /nowhere: "):
            connected(home, environment={"CURL_CA_BUNDLE": "/nowhere"})

    def test_a_file_of_openssls_that_is_not_there(self, home: Path) -> None:
        """OpenSSL says nothing of an SSL_CERT_FILE that is not there; the service does."""
        assert ["SSL_CERT_FILE: /nowhere is not there"] == odd(
            connected(home, environment={"SSL_CERT_FILE": "/nowhere"})
        )

    @pytest.mark.parametrize("name", ["MLFLOW_TRACKING_AWS_SIGV4", "MLFLOW_TRACKING_AUTH"])
    def test_what_cannot_work(self, home: Path, name: str) -> None:
        """A way of authenticating that the service does not have is refused at the start."""
        with pytest.raises(SettingsError, match=rf"^{name}: "):
            connected(home, environment={name: "true"})

    def test_what_is_of_no_use(self, home: Path) -> None:
        """The other variables of MLflow are named in one line, which is no warning."""
        way = connected(home, environment={"MLFLOW_RUN_ID": "a", "MLFLOW_S3_IGNORE_TLS": "true"})
        assert [("not read by this service: MLFLOW_RUN_ID, MLFLOW_S3_IGNORE_TLS", False)] == list(way.remarks)


class TestLocal:
    def test_it_is_reached_directly(self, home: Path) -> None:
        """A local MLflow is shown nothing and reached through no proxy, whatever is set for a server."""
        credentials(home, FILE)
        environment = {
            "HTTP_PROXY": "socks5://p",
            "REQUESTS_CA_BUNDLE": "/nowhere",
            "MLFLOW_TRACKING_AUTH": "x",
        }
        way = connected(home, "", environment)
        assert DIRECT is way.access

    def test_what_is_meant_for_a_server(self, home: Path) -> None:
        """What only a server needs is named, for most likely its address is missing."""
        said = odd(connected(home, "", mlflow_tracking_token=SECRET, mlflow_workspace="quant"))
        assert ["MLFLOW_TRACKING_TOKEN", "MLFLOW_WORKSPACE"] == [one.split()[0] for one in said]
        assert all("names no server" in one for one in said)

    def test_an_experiment_by_its_id(self, home: Path) -> None:
        """It is refused here, too: the runs of another experiment would be listed."""
        with pytest.raises(SettingsError, match=r"^MLFLOW_EXPERIMENT_ID: .*MLFLOW_EXPERIMENT_NAME"):
            connected(home, "", {"MLFLOW_EXPERIMENT_ID": "5"})
