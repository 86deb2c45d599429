"""What the service shows to MLflow, and how it verifies it."""

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
def test_authorization(
    username: str | None, password: str | None, token: str | None, expected: dict[str, str]
) -> None:
    """As MLflow's own client: both a username and a password are basic, and win over a bearer token."""
    assert expected == authorization(username, password, token)


def test_the_systems_way() -> None:
    """Without any setting the system's way of verifying is meant."""
    assert tls(None, None, {}, insecure=False) is None


def test_not_verifying() -> None:
    """insecure neither verifies the certificate nor the name in it."""
    context = tls(None, None, {}, insecure=True)
    assert context is not None
    assert (ssl.CERT_NONE, False) == (context.verify_mode, context.check_hostname)


def test_a_bundle_of_ones_own(pem: Path) -> None:
    """A CA bundle is what MLflow's certificate is verified with, the system's CAs left out."""
    context = tls(pem, None, {}, insecure=False)
    assert context is not None
    assert (ssl.CERT_REQUIRED, True) == (context.verify_mode, context.check_hostname)
    assert 1 == len(context.get_ca_certs())


def test_a_client_certificate(pem: Path) -> None:
    """A client certificate leaves the verification as it is."""
    context = tls(None, pem, {}, insecure=False)
    assert context is not None
    assert (ssl.CERT_REQUIRED, True) == (context.verify_mode, context.check_hostname)


@pytest.mark.parametrize("kind", ["absent", "no PEM"])
def test_files_that_are_wrong(tmp_path: Path, kind: str) -> None:
    """A file that is not there, or not what it should be, is named with MLflow's variable."""
    file = tmp_path / "x.pem"
    if kind == "no PEM":
        file.write_text("no certificate")
    with pytest.raises(ValueError, match="MLFLOW_TRACKING_SERVER_CERT_PATH"):
        tls(file, None, {}, insecure=False)
    with pytest.raises(ValueError, match="MLFLOW_TRACKING_CLIENT_CERT_PATH"):
        tls(None, file, {}, insecure=False)
