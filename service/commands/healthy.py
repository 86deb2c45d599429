"""`python -m service.commands.healthy`: whether the service answers, for the health check of the image.

Exit code 0 where /livez says 200 at one of the addresses that the service listens on, else 1. It is a program
of its own, started every few seconds: it imports the standard library only, and goes through no proxy.
"""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

_SECONDS = 2.0
# An address of this machine for those that mean all of them.
_OPENABLE = {"0.0.0.0": ["127.0.0.1"], "::": ["127.0.0.1", "::1"]}  # noqa: S104 - nothing is bound


def places(environment: Mapping[str, str], file: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Where the service may be asked: the environment wins over service.toml. ValueError for a wrong port."""
    port = int(environment.get("TRACKING_PORT") or file.get("port", 8080))
    hosts = environment.get("TRACKING_HOST") or str(file.get("host", "127.0.0.1"))
    for host in hosts.split(","):
        address = host.strip().removeprefix("[").removesuffix("]")
        yield from ((one, port) for one in _OPENABLE.get(address, [address]) if one)


def main() -> int:
    """Ask at each place until one answers; the exit code."""
    for host, port in places(os.environ, _file()):
        try:
            if _answers(host, port):
                return 0
            reason = "does not say 200"
        except (OSError, HTTPException) as error:
            reason = str(error)
        print(f"{host}, port {port}: {reason}", file=sys.stderr)
    return 1


def _answers(host: str, port: int) -> bool:
    connection = HTTPConnection(host, port, timeout=_SECONDS)
    try:
        connection.request("GET", "/livez")
        return connection.getresponse().status == HTTPStatus.OK
    finally:
        connection.close()


def _file() -> Mapping[str, Any]:
    here = Path(__file__).parents[
        1
    ]  # the configuration is in an installed wheel, else beside the source tree
    file = (here if (here / "config").is_dir() else here.parent) / "config" / "service.toml"
    try:
        return tomllib.loads(file.read_text("utf-8-sig"))
    except FileNotFoundError:
        return {}


if __name__ == "__main__":
    sys.exit(main())
