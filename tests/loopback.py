"""The loopback addresses of this machine: not each has IPv6, a container often not."""

import socket


def loopbacks() -> list[str]:
    """127.0.0.1, and ::1 where it can be listened on."""
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return ["127.0.0.1", "::1"]
    except OSError:
        return ["127.0.0.1"]
