"""`python -m service.commands.healthy`: the health check of the container image.

The exit code is 0 if /livez answers 200 at one of the addresses that the service listens on, else 1. The
program is started every few seconds, so it imports only the standard library. It uses no proxy.
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
# For an address that means all addresses of the machine: those at which the machine reaches itself.
_REACHABLE_AT = {"0.0.0.0": ["127.0.0.1"], "::": ["127.0.0.1", "::1"]}  # noqa: S104 - nothing is bound


def places(environment: Mapping[str, str], file: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Yield the (host, port) pairs at which the service may listen; ValueError for a wrong port.

    environment takes precedence over file, the content of service.toml.
    """
    port = int(environment.get("TRACKING_PORT") or file.get("port", 8080))
    hosts = environment.get("TRACKING_HOST") or str(file.get("host", "127.0.0.1"))
    for host in hosts.split(","):
        address = host.strip().removeprefix("[").removesuffix("]")
        yield from ((reachable, port) for reachable in _REACHABLE_AT.get(address, [address]) if reachable)


def main() -> int:
    """Ask at each place until one answers, and return the exit code."""
    for host, port in places(os.environ, _file()):
        try:
            if _answers(host, port):
                return 0
            reason = "/livez does not answer 200"
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
    # config/ is inside the package in an installed wheel, and beside it in a checkout.
    package = Path(__file__).parents[1]
    file = (package if (package / "config").is_dir() else package.parent) / "config" / "service.toml"
    try:
        return tomllib.loads(file.read_text("utf-8-sig"))
    except FileNotFoundError:
        return {}


if __name__ == "__main__":
    sys.exit(main())
