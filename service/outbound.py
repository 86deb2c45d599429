"""How other servers are reached from this host: through which proxy, and trusting which CAs.

The variables are those that curl and `requests` know, and `requests` is what MLflow's own client uses:
https://requests.readthedocs.io/en/latest/user/advanced/#proxies
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import NamedTuple

from yarl import URL

_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_HASHED = re.compile(r"[0-9a-f]{8}\.\d+")  # as `openssl rehash` names certificates in a folder


class Proxy(NamedTuple):
    """A proxy, which may have a user and a password in its address, and the variable that names it."""

    url: URL
    variable: str

    @property
    def shown(self) -> str:
        """Its address without user and password."""
        return str(self.url.origin())


def proxy_for(url: URL, environment: Mapping[str, str]) -> Proxy | None:
    """The HTTP proxy through which this address is reached; None for directly.

    HTTPS_PROXY or HTTP_PROXY by the scheme of the address, else ALL_PROXY; the lower-case names win. NO_PROXY
    holds names, domains, addresses and networks (CIDR), each with a port or without. A loopback address is
    always reached directly: no proxy elsewhere can. ValueError for a proxy of a kind that is not supported.
    """
    host, port = url.host, url.port
    if host is None or _is_loopback(host) or _is_exempt(host, port, _value("no_proxy", environment)[1]):
        return None
    for name in (f"{url.scheme}_proxy", "all_proxy"):
        variable, value = _value(name, environment)
        if value:
            return _proxy(variable, value, host)
    return None


def authorities(environment: Mapping[str, str]) -> tuple[str, Path] | None:
    """The variable that names CAs to trust instead of the system's, and its file or folder."""
    for variable in _BUNDLES:
        if value := environment.get(variable):
            return variable, Path(value)
    return None


def trusting(variable: str, bundle: Path) -> ssl.SSLContext:
    """Verifies certificates with the CAs in this file (PEM) or folder (of `openssl rehash`) alone.

    variable: what names it. ValueError, with that name, where it is not there or not what it should be.
    """
    try:
        if not bundle.is_dir():
            return ssl.create_default_context(cafile=bundle)
        if not any(_HASHED.fullmatch(file.name) for file in bundle.iterdir()):
            raise ValueError(f"{variable}: {bundle} has no certificates as `openssl rehash` names them")
        return ssl.create_default_context(capath=bundle)
    except OSError as error:  # ssl.SSLError included
        raise ValueError(f"{variable}: {bundle}: {error}") from error


def trusted(environment: Mapping[str, str]) -> ssl.SSLContext | None:
    """Verifies certificates as the environment says; None for the system's CAs. ValueError."""
    found = authorities(environment)
    return None if found is None else trusting(*found)


def _value(name: str, environment: Mapping[str, str]) -> tuple[str, str]:
    """A variable under its lower-case name, which wins even when it is empty, or its upper-case one."""
    variable = name if name in environment else name.upper()
    return variable, environment.get(variable, "").strip()


def _proxy(variable: str, value: str, host: str) -> Proxy:
    try:
        url = URL(value if "://" in value else f"http://{value}")
    except ValueError as error:
        raise ValueError(f"{variable}: is not the address of a proxy") from error
    if url.scheme != "http":
        raise ValueError(
            f"{variable}: {url.scheme} proxies are not supported, http://… are; name one of those, or put "
            f"{host} into NO_PROXY"
        )
    if not url.host:
        raise ValueError(f"{variable}: has no host")
    return Proxy(url, variable)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _is_exempt(host: str, port: int | None, no_proxy: str) -> bool:
    name = host.lower().rstrip(".")
    return any(_covers(entry.lower(), name, port) for entry in re.split(r"[,\s]+", no_proxy) if entry)


def _covers(entry: str, host: str, port: int | None) -> bool:
    """Whether an entry of NO_PROXY means this host; a name means its subdomains, too."""
    if entry == "*":
        return True
    if (bare := _without_port(entry, port)) is None:
        return False
    try:
        network = ip_network(bare.strip("[]"), strict=False)
    except ValueError:
        domain = bare.removeprefix("*").strip(".")
        return bool(domain) and (host == domain or host.endswith(f".{domain}"))
    try:
        return ip_address(host) in network
    except ValueError:  # a name: it is not looked up
        return False


def _without_port(entry: str, port: int | None) -> str | None:
    """The host of an entry such as `host:5000` or `[::1]:5000`; None where its port is another."""
    found = re.fullmatch(r"(\[[^]]*\]|[^:]*):(\d+)", entry)
    if found is None:
        return entry
    return found[1] if port is not None and int(found[2]) == port else None
