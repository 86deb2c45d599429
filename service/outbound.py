"""How other servers are reached from this host: the proxies and the CAs that environment variables name.

The variables are those of curl and `requests`, which MLflow's own client uses:
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
    """An HTTP proxy: its address, which may have a user and a password, and the variable that names it."""

    url: URL
    variable: str

    @property
    def shown(self) -> str:
        """The address without user and password."""
        return str(self.url.origin())


def proxy_for(url: URL, environment: Mapping[str, str]) -> Proxy | None:
    """Return the HTTP proxy through which this address is reached; None if it is reached directly.

    HTTPS_PROXY or HTTP_PROXY counts, by the scheme of the address, else ALL_PROXY; lower-case names take
    precedence. NO_PROXY holds names, domains, addresses and networks (CIDR), each with or without a port. A
    loopback address is always reached directly, because a proxy on another machine cannot reach it.
    ValueError for an unsupported kind of proxy.
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
    """Return the variable that names CAs to trust instead of the system's, and its file or folder."""
    for variable in _BUNDLES:
        if value := environment.get(variable):
            return variable, Path(value)
    return None


def trusting(variable: str, bundle: Path) -> ssl.SSLContext:
    """Return a context that trusts only the CAs in this file (PEM) or folder (made by `openssl rehash`).

    variable: the one that names the bundle. ValueError, with that name, if it is missing or malformed.
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
    """Return a context that trusts the CAs that the environment names; None for the system's. ValueError."""
    bundle = authorities(environment)
    return None if bundle is None else trusting(*bundle)


def _value(name: str, environment: Mapping[str, str]) -> tuple[str, str]:
    """Return a variable's name and value; its lower-case name takes precedence, even if it is empty."""
    variable = name if name in environment else name.upper()
    return variable, environment.get(variable, "").strip()


def _proxy(variable: str, value: str, host: str) -> Proxy:
    try:
        url = URL(value if "://" in value else f"http://{value}")
    except ValueError as error:
        raise ValueError(f"{variable}: is not the address of a proxy") from error
    if url.scheme != "http":
        raise ValueError(
            f"{variable}: {url.scheme} proxies are not supported, only http://…; name one of those, or add "
            f"{host} to NO_PROXY"
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
    """Tell whether an entry of NO_PROXY includes this host; a name includes its subdomains."""
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
    except ValueError:  # the host is a name, which is not resolved
        return False


def _without_port(entry: str, port: int | None) -> str | None:
    """Return the host of an entry such as `host:5000` or `[::1]:5000`; None if the entry has another port."""
    match = re.fullmatch(r"(\[[^]]*\]|[^:]*):(\d+)", entry)
    if match is None:
        return entry
    return match[1] if port is not None and int(match[2]) == port else None
