"""The addresses and host names to listen on, as people write them in TRACKING_HOST."""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from service.errors import shorten

_BRACKETS = re.compile(r"\[([^][]+)\](?::(\d+))?")
_WITH_PORT = re.compile(r"([^:]+):(\d+)")
_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?", re.ASCII)


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach what listens at this address or name."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def read_host(text: str) -> str:
    """Return an address in its canonical form, or a host name in lower case; ValueError with a suggestion."""
    if "://" in text:
        raise ValueError(
            f"{shorten(text)} is not an address to listen on{_suggestion(urlsplit(text).netloc)}"
        )
    if text == "*":
        raise ValueError("* is not an address; did you mean :: (IPv4 and IPv6) or 0.0.0.0 (IPv4)?")
    bracketed = _BRACKETS.fullmatch(text)
    if bracketed and not bracketed[2]:
        text = bracketed[1]
    elif bracketed or _WITH_PORT.fullmatch(text):
        raise ValueError(f"{shorten(text)} has a port{_suggestion(text)}")
    try:
        address = ip_address(text)
    except ValueError:
        return _name(text)
    return str((address.ipv4_mapped if isinstance(address, IPv6Address) else None) or address)


def at(host: str, port: int) -> str:
    """Return `host:port`, with brackets around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _name(text: str) -> str:
    if text.replace(".", "").isdigit():  # resolvers read 8080 as 0.0.31.144
        raise ValueError(f"{shorten(text)} is not an address such as 127.0.0.1")
    if not _NAME.fullmatch(text):
        raise ValueError(f"{shorten(text)} is neither an address nor a host name")
    return text.lower()


def _suggestion(text: str) -> str:
    match = _BRACKETS.fullmatch(text) or _WITH_PORT.fullmatch(text)
    if match is None:
        return f"; did you mean {shorten(text)}?" if _NAME.fullmatch(text) else ""
    return f"; did you mean TRACKING_HOST={match[1]} and TRACKING_PORT={match[2]}?" if match[2] else ""
