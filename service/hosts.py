"""The addresses and names that the service listens on, as the setting writes them."""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from service.errors import shorten

_BRACKETS = re.compile(r"\[([^][]+)\](?::(\d+))?")
_WITH_PORT = re.compile(r"([^:]+):(\d+)")
_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?", re.ASCII)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens there."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def read_host(given: str) -> str:
    """An address in its one form, or a name in small letters. ValueError, which says what may be meant."""
    if "://" in given:
        raise ValueError(f"{shorten(given)} is not an address to listen on{_meant(urlsplit(given).netloc)}")
    if given == "*":
        raise ValueError("* is not an address; did you mean :: (IPv4 and IPv6) or 0.0.0.0 (IPv4)?")
    bracketed = _BRACKETS.fullmatch(given)
    if bracketed and not bracketed[2]:
        given = bracketed[1]
    elif bracketed or _WITH_PORT.fullmatch(given):
        raise ValueError(f"{shorten(given)} has a port{_meant(given)}")
    try:
        address = ip_address(given)
    except ValueError:
        return _name(given)
    return str((address.ipv4_mapped if isinstance(address, IPv6Address) else None) or address)


def at(host: str, port: int) -> str:
    """The host and the port as addresses have them: IPv6 in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _name(given: str) -> str:
    if given.replace(".", "").isdigit():  # resolvers take 8080 for 0.0.31.144
        raise ValueError(f"{shorten(given)} is not an address such as 127.0.0.1")
    if not _NAME.fullmatch(given):
        raise ValueError(f"{shorten(given)} is neither an address nor a host name")
    return given.lower()


def _meant(given: str) -> str:
    found = _BRACKETS.fullmatch(given) or _WITH_PORT.fullmatch(given)
    if found is None:
        return f"; did you mean {shorten(given)}?" if _NAME.fullmatch(given) else ""
    return f"; did you mean TRACKING_HOST={found[1]} and TRACKING_PORT={found[2]}?" if found[2] else ""
