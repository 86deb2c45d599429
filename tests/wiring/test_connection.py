"""The connection to MLflow: credentials, workspaces, proxies and CAs, and the remarks about them."""

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
    """An empty home folder."""
    home = tmp_path / "home"
    (home / ".mlflow").mkdir(parents=True)
    return home


def connected(
    home: Path, uri: str = HTTPS, environment: dict[str, str] | None = None, **settings: Any
) -> Connection:
    """The connection to an MLflow server; none of its remarks holds a secret."""
    way = connection(make_settings(mlflow_tracking_uri=uri, **settings), environment or {}, home)
    assert SECRET not in repr(way)
    return way


def warnings(way: Connection) -> list[str]:
    """The texts of the remarks that are warnings."""
    return [remark.text for remark in way.remarks if remark.is_odd]


def basic(username: str, password: str = SECRET) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{username}:{password}'.encode()).decode()}"}


def credentials(home: Path, text: str) -> None:
    (home / ".mlflow" / "credentials").write_text(text)


def netrc(home: Path, text: str) -> None:
    (home / ".netrc").write_text(text)


FILE = f"[mlflow]\nmlflow_tracking_username = ada\nmlflow_tracking_password = {SECRET}\n"


class TestCredentials:
    def test_without_credentials_no_header_is_sent(self, home: Path) -> None:
        """Without credentials no header is sent, and there is no remark."""
        way = connected(home)
        assert ({}, ()) == (way.access.shown(), way.remarks)

    def test_reads_the_credentials_file(self, home: Path) -> None:
        """~/.mlflow/credentials is read as MLflow's client reads it, and a remark names it."""
        credentials(home, FILE)
        way = connected(home)
        assert basic("ada") == way.access.shown()
        assert ["the credentials for MLflow come from ~/.mlflow/credentials"] == [r.text for r in way.remarks]

    def test_variables_take_precedence_over_the_file(self, home: Path) -> None:
        """Each variable takes precedence over the file; if both are set, the file is not read."""
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
    def test_warns_of_a_malformed_credentials_file(self, home: Path, text: str, words: str) -> None:
        """A malformed file is a warning that repeats nothing of it, and the token is still sent."""
        credentials(home, text)
        way = connected(home, mlflow_tracking_token="t")  # noqa: S106
        [text] = warnings(way)
        assert text.startswith("the credentials file is not used: ~/.mlflow/credentials: ")
        assert words in text
        assert {"Authorization": "Bearer t"} == way.access.shown()

    def test_warns_of_an_unreadable_credentials_file(self, home: Path) -> None:
        """A credentials file that is a folder or may not be read is a warning."""
        (home / ".mlflow" / "credentials").mkdir()
        assert ["the credentials file is not used: ~/.mlflow/credentials: Is a directory"] == warnings(
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
    def test_warns_of_inconsistent_credentials(
        self, home: Path, settings: dict[str, Any], words: str
    ) -> None:
        """A username without password, or both kinds at once, or spaces around a password are warnings."""
        [text] = warnings(connected(home, **settings))
        assert words in text

    def test_reads_the_token_file(self, home: Path) -> None:
        """The token is the content of the token file."""
        (home / "token").write_text(f"{SECRET}\n")
        way = connected(home, mlflow_tracking_token_file=home / "token")
        assert {"Authorization": f"Bearer {SECRET}"} == way.access.shown()

    def test_rejects_a_missing_token_file(self, home: Path) -> None:
        """A missing token file is an error that names the setting."""
        with pytest.raises(SettingsError, match=r"^MLFLOW_TRACKING_TOKEN_FILE: .*No such file"):
            connected(home, mlflow_tracking_token_file=home / "nowhere")

    def test_reads_netrc_for_mlflows_host(self, home: Path) -> None:
        """.netrc is used for MLflow's host, and only if no other credentials are set."""
        netrc(home, f"machine mlflow.example.com login ada password {SECRET}\n")
        way = connected(home)
        assert basic("ada") == way.access.shown()
        assert [f"the credentials for MLflow come from {home}/.netrc"] == [r.text for r in way.remarks]
        assert {} == connected(home, "https://other.example.com").access.shown()
        way = connected(home, mlflow_tracking_token="t")  # noqa: S106
        assert {"Authorization": "Bearer t"} == way.access.shown()

    def test_reads_the_file_that_netrc_names(self, home: Path) -> None:
        """NETRC names another file; a missing one is a warning."""
        (home / "mine").write_text(f"default login ada password {SECRET}\n")
        assert basic("ada") == connected(home, environment={"NETRC": str(home / "mine")}).access.shown()
        [text] = warnings(connected(home, environment={"NETRC": "/nowhere"}))
        assert "NETRC: /nowhere is not there" in text

    def test_warns_of_a_malformed_netrc(self, home: Path) -> None:
        """A malformed .netrc is a warning that repeats nothing of it."""
        netrc(home, f"machine mlflow.example.com login ada passwort {SECRET}\n")
        [text] = warnings(connected(home))
        assert text.startswith(f".netrc is not used: {home}/.netrc: line 1")


class TestServer:
    def test_sends_the_workspace(self, home: Path) -> None:
        """MLFLOW_WORKSPACE is sent with every call, beside the credentials."""
        way = connected(home, mlflow_workspace="quant", mlflow_tracking_token=SECRET)
        assert {"X-MLFLOW-WORKSPACE": "quant", "Authorization": f"Bearer {SECRET}"} == way.access.shown()

    def test_names_the_proxy_without_its_password(self, home: Path) -> None:
        """A remark names the proxy without its password; over https there is no warning about credentials."""
        way = connected(
            home, environment={"HTTPS_PROXY": f"http://u:{SECRET}@proxy:3128"}, mlflow_tracking_token=SECRET
        )
        assert f"http://u:{SECRET}@proxy:3128" == str(way.access.proxy)
        assert ["MLflow is reached through http://proxy:3128, as HTTPS_PROXY says"] == [
            r.text for r in way.remarks
        ]

    def test_warns_of_a_proxy_that_can_read_the_credentials(self, home: Path) -> None:
        """Credentials over a proxy to an http address are a warning."""
        environment = {"HTTP_PROXY": "http://proxy:3128"}
        way = connected(home, "http://mlflow", environment, mlflow_tracking_token=SECRET)
        assert ["http://proxy:3128 can read the credentials"] == [
            text.partition(" for ")[0] for text in warnings(way)
        ]
        assert [] == warnings(connected(home, "http://mlflow", environment))

    def test_rejects_a_socks_proxy(self, home: Path) -> None:
        """A SOCKS proxy is an error."""
        with pytest.raises(SettingsError, match=r"^ALL_PROXY: socks5 proxies are not supported"):
            connected(home, environment={"ALL_PROXY": "socks5://proxy"})

    def test_trusts_the_bundle_of_the_environment(self, home: Path, pem: Path) -> None:
        """REQUESTS_CA_BUNDLE is trusted unless MLflow's own variable is set; http needs neither."""
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

    def test_warns_of_a_missing_ssl_cert_file(self, home: Path) -> None:
        """A missing SSL_CERT_FILE is a warning, because OpenSSL ignores it in silence."""
        assert ["SSL_CERT_FILE: /nowhere does not exist"] == warnings(
            connected(home, environment={"SSL_CERT_FILE": "/nowhere"})
        )

    @pytest.mark.parametrize("name", ["MLFLOW_TRACKING_AWS_SIGV4", "MLFLOW_TRACKING_AUTH"])
    def test_rejects_unsupported_authentication(self, home: Path, name: str) -> None:
        """A way of authenticating that the service does not support is an error."""
        with pytest.raises(SettingsError, match=rf"^{name}: "):
            connected(home, environment={name: "true"})

    def test_names_other_variables_of_mlflow(self, home: Path) -> None:
        """The other variables of MLflow share one remark, which is not a warning."""
        way = connected(home, environment={"MLFLOW_RUN_ID": "a", "MLFLOW_S3_IGNORE_TLS": "true"})
        assert [("not read by this service: MLFLOW_RUN_ID, MLFLOW_S3_IGNORE_TLS", False)] == list(way.remarks)


class TestLocal:
    def test_a_local_mlflow_is_reached_directly(self, home: Path) -> None:
        """A local MLflow gets no credentials and no proxy, whatever is set for a server."""
        credentials(home, FILE)
        environment = {
            "HTTP_PROXY": "socks5://p",
            "REQUESTS_CA_BUNDLE": "/nowhere",
            "MLFLOW_TRACKING_AUTH": "x",
        }
        way = connected(home, "", environment)
        assert DIRECT is way.access

    def test_warns_of_settings_that_need_a_server(self, home: Path) -> None:
        """Settings that only a server needs are a warning: most likely its address is missing."""
        texts = warnings(connected(home, "", mlflow_tracking_token=SECRET, mlflow_workspace="quant"))
        assert ["MLFLOW_TRACKING_TOKEN", "MLFLOW_WORKSPACE"] == [text.split()[0] for text in texts]
        assert all("names no server" in text for text in texts)

    def test_rejects_an_experiment_id_without_a_name(self, home: Path) -> None:
        """MLFLOW_EXPERIMENT_ID without a name is an error over a local MLflow too."""
        with pytest.raises(SettingsError, match=r"^MLFLOW_EXPERIMENT_ID: .*MLFLOW_EXPERIMENT_NAME"):
            connected(home, "", {"MLFLOW_EXPERIMENT_ID": "5"})
