"""A certificate for the tests of TLS."""

from pathlib import Path

import pytest

from tests.certificates import write_certificate


@pytest.fixture(scope="session")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 with its key, in one file."""
    return write_certificate(tmp_path_factory.mktemp("tls") / "both.pem")
