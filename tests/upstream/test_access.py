"""The service's credentials for MLflow, and how it verifies MLflow's certificate."""

import ssl
from pathlib import Path

import pytest

from service.upstream.access import authorization, tls


@pytest.mark.parametrize(
    ("username", "password", "token", "expected"),
    [
        (None, None, None, {}),
        ("ada", "pass:word", None, {"Authorization": "Basic YWRhOnBhc3M6d29yZA=="}),
        ("ada", "é", None, {"Authorization": "Basic YWRhOsOp"}),
        ("", "", None, {"Authorization": "Basic Og=="}),
        (None, None, "abc", {"Authorization": "Bearer abc"}),
        ("ada", "x", "abc", {"Authorization": "Basic YWRhOng="}),
        ("ada", None, "abc", {"Authorization": "Bearer abc"}),
        (None, "x", "abc", {"Authorization": "Bearer abc"}),
        ("ada", None, None, {}),
        (None, "x", None, {}),
    ],
)
def test_prefers_a_username_and_password_to_a_token(
    username: str | None, password: str | None, token: str | None, expected: dict[str, str]
) -> None:
    """As with MLflow's client, a username and a password take precedence over a bearer token."""
    assert expected == authorization(username, password, token)


def test_leaves_tls_to_the_system_by_default() -> None:
    """Without any setting there is no TLS context of the service's own."""
    assert tls(None, None, {}, insecure=False) is None


def test_insecure_verifies_nothing() -> None:
    """With `insecure` neither the certificate nor the name in it is verified."""
    context = tls(None, None, {}, insecure=True)
    assert context is not None
    assert (ssl.CERT_NONE, False) == (context.verify_mode, context.check_hostname)


def test_a_ca_bundle_replaces_the_systems(pem: Path) -> None:
    """A CA bundle verifies MLflow's certificate, and the system's CAs do not."""
    context = tls(pem, None, {}, insecure=False)
    assert context is not None
    assert (ssl.CERT_REQUIRED, True) == (context.verify_mode, context.check_hostname)
    assert 1 == len(context.get_ca_certs())


def test_a_client_certificate_keeps_the_verification(pem: Path) -> None:
    """A client certificate does not change how MLflow's certificate is verified."""
    context = tls(None, pem, {}, insecure=False)
    assert context is not None
    assert (ssl.CERT_REQUIRED, True) == (context.verify_mode, context.check_hostname)


@pytest.mark.parametrize("kind", ["absent", "no PEM"])
def test_names_the_variable_of_a_bad_file(tmp_path: Path, kind: str) -> None:
    """The error for a file that does not exist or cannot be used names MLflow's variable."""
    file = tmp_path / "x.pem"
    if kind == "no PEM":
        file.write_text("no certificate")
    with pytest.raises(ValueError, match="MLFLOW_TRACKING_SERVER_CERT_PATH"):
        tls(file, None, {}, insecure=False)
    with pytest.raises(ValueError, match="MLFLOW_TRACKING_CLIENT_CERT_PATH"):
        tls(None, file, {}, insecure=False)
