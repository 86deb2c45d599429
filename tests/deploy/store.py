"""The store of config/deploy as it is started there, by whichever server is at hand."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import redis

from tests.deploy.files import STORE
from tests.live.server import free_port
from tests.store.servers import find

USER = "tracking"
PASSWORD = "a long and secret word"  # noqa: S105 - a test's own


class Started(NamedTuple):
    """A server that `start` has started. folder: where it may write. secret: the file with the password."""

    port: int
    folder: Path
    secret: Path

    @property
    def settings(self) -> dict[str, Any]:
        """What a replica is told of it."""
        address = f"redis://127.0.0.1:{self.port}"
        return {"url": address, "username": USER, "password_file": self.secret}

    def connected(self, password: str | None = PASSWORD) -> Any:
        """A connection, with the replicas' user and this password, or with none."""
        user = None if password is None else USER
        return redis.Redis(port=self.port, username=user, password=password, decode_responses=True)


@contextmanager
def started(folder: Path, program: str, *options: str) -> Iterator[Started]:
    """config/deploy/store/start with this program as `valkey-server`, and these options besides."""
    programs, data, secret = folder / "bin", folder / "data", folder / "password"
    programs.mkdir()
    data.mkdir()
    (programs / "valkey-server").symlink_to(find(program))
    secret.write_text(f"{PASSWORD}\n")
    port = free_port()
    process = subprocess.Popen(
        ["/bin/sh", str(STORE / "start"), "--port", str(port), "--bind", "127.0.0.1", *options],
        cwd=data,
        env={"PATH": f"{programs}:{os.environ['PATH']}", "STORE_PASSWORD_FILE": str(secret)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if "ready to accept connections" in line.lower():
                break
        else:
            pytest.fail(f"it ended with {process.wait(10)}: {said}")
        yield Started(port, data, secret)
    finally:
        process.terminate()
        process.communicate(timeout=10)
