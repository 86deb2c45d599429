"""Hints for errors that no server of a test can cause: a stricter Python, other networks."""

import errno
import ssl
from pathlib import Path

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey
from yarl import URL

from service.upstream.unreachable import Place, of_connection
from tests.certificates import write_certificate

PLACE = Place(URL("https://mlflow.example.com:5000"))
KEY = ConnectionKey("mlflow.example.com", 5000, True, True, None, None, None)


def handshake(server: Path, name: str, ca: Path) -> ssl.SSLCertVerificationError:
    """What a client with the checks of Python 3.13 says of a server's certificate."""
    client = ssl.create_default_context(cafile=ca)
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(server)
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(back, there, server_hostname=name)
    theirs = serving.wrap_bio(there, back, server_side=True)
    for side in (ours, theirs):
        with pytest.raises(ssl.SSLWantReadError):
            side.do_handshake()
    with pytest.raises(ssl.SSLCertVerificationError) as caught:
        ours.do_handshake()
    return caught.value


def test_explains_what_python_3_13_refuses(tmp_path: Path) -> None:
    """The hint says what the certificate lacks, and that curl accepts it all the same."""
    ca = write_certificate(tmp_path / "ca.pem", "ca")
    leaf = write_certificate(tmp_path / "leaf.pem", "mlflow.example.com", issuer=ca)
    error = handshake(leaf, "mlflow.example.com", ca)
    hint = of_connection(aiohttp.ClientConnectorCertificateError(KEY, error), PLACE)
    assert hint.startswith("Python 3.13 checks certificates more strictly than curl does: ")
    assert error.verify_message in hint
    assert "Python 3.12 takes it" in hint
    assert "INSECURE" not in hint


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (85, "Python 3.13"),
        (86, "Python 3.13"),
        (89, "Python 3.13"),
        (92, "Python 3.13"),
        (79, "Python 3.13"),
        (9, "clock"),
        (66, "too weak"),
        (68, "too weak"),
        (20, "MLFLOW_TRACKING_SERVER_CERT_PATH"),
        (23, "not valid: revoked"),
    ],
)
def test_has_a_hint_for_each_code_of_openssl(code: int, words: str) -> None:
    """Each known code has a hint of its own, and an unknown one quotes OpenSSL."""
    error = ssl.SSLCertVerificationError(1, "no")
    error.verify_code, error.verify_message = code, "revoked"
    assert words in of_connection(aiohttp.ClientConnectorCertificateError(KEY, error), PLACE)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENETUNREACH, "no"), "there is no route to it: is a proxy needed"),
        (OSError(errno.EHOSTUNREACH, "no"), "there is no route to it: is a proxy needed"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "no"), "nothing listens there"),
        (ConnectionResetError(errno.ECONNRESET, "no"), "it hangs up"),
    ],
)
def test_has_a_hint_for_errors_of_the_system(error: OSError, words: str) -> None:
    """An error of the system has its hint, by itself and inside an error of aiohttp."""
    assert of_connection(error, PLACE).startswith(words)
    assert of_connection(aiohttp.ClientConnectorError(KEY, error), PLACE).startswith(words)
