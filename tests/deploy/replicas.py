"""Replicas of the service, each a process at an address of its own, as containers are."""

import asyncio
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from tests.deploy.files import ROOT, composed
from tests.deploy.names import Names


class Replica:
    """`python -m service` at the same port of one loopback address after another.

    Like a container it gets another address each time that it starts, and the name server tells of it from
    its start to its end. program: Python's arguments.
    """

    def __init__(
        self, number: int, port: int, names: Names, directory: Path, variables: Mapping[str, str]
    ) -> None:
        self._output = directory / f"replica-{number}.log"
        self._number = number
        self._names = names
        self._starts = 0
        self.program = ("-m", "service")
        self._address = ""
        self._process: asyncio.subprocess.Process | None = None
        # Compose's environment, so that what is written there is what is tested; but callers need no key
        # if not told otherwise, and the balancer is on loopback.
        # It has no store unless it is told of one.
        shipped = composed("tracking")["environment"]
        self._environment = {
            **{name: value for name, value in shipped.items() if not name.startswith("TRACKING_STORE__")},
            "TRACKING_AUTH__MODE": "none",
            "TRACKING_TRUSTED_PROXIES": "127.0.0.1/32",
            "TRACKING_ACCESS_LOG": "false",
            **variables,
            "TRACKING_PORT": str(port),
        }

    def said(self) -> str:
        """What it logged."""
        return self._output.read_text("utf-8", errors="replace")

    @property
    def url(self) -> str:
        """Where it answers since its last start."""
        return f"http://{self._address}:{self._environment['TRACKING_PORT']}"

    @property
    def pid(self) -> int:
        """The id of its process."""
        assert self._process is not None
        return self._process.pid

    def has_welcomed(self) -> bool:
        """Whether it has asked MLflow what it shows when it starts, since its last start."""
        return self.said().count("Ctrl-C stops the service") == self._starts

    async def start(self) -> None:
        """Begin to start; whoever wants to know when it takes requests asks the balancer."""
        self._starts += 1
        self._address = f"127.0.{self._number}.{self._starts}"
        with self._output.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *self.program,
                cwd=ROOT,
                env={**self._environment, "TRACKING_HOST": self._address},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._names.addresses.append(self._address)

    def send(self, sign: signal.Signals) -> None:
        """Send it a signal."""
        assert self._process is not None
        self._process.send_signal(sign)

    async def ended(self, within: float) -> tuple[int, float]:
        """Its exit code and the seconds that it still took. TimeoutError where it lives on."""
        assert self._process is not None
        began = time.monotonic()
        async with asyncio.timeout(within):
            code = await self._process.wait()
        self._forget()
        return code, time.monotonic() - began

    async def kill(self) -> None:
        """End it at once; its name stays known, as a dead host's does."""
        self.send(signal.SIGKILL)
        assert self._process is not None
        await self._process.wait()

    async def close(self) -> None:
        """End it, if it lives."""
        if self._process is not None and self._process.returncode is None:
            await self.kill()
        self._forget()

    def _forget(self) -> None:
        if self._address in self._names.addresses:
            self._names.addresses.remove(self._address)
