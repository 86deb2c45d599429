"""Where a request comes from: the address of who connected, or of whom a proxy that is believed names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from aiohttp import web
from multidict import istr

_FORWARDED_FOR = istr("X-Forwarded-For")
_LONGEST = 128  # characters of an address with its zone and port; what is longer is none
# Some proxies write the port, too: 192.0.2.1:1234, [2001:db8::1]:1234.
_WITH_PORT = re.compile(r"\[([^]]*)\](?::\d{1,5})?|([\d.]+):\d{1,5}", re.ASCII)


class ClientAddresses:
    """Tells the address that a request comes from.

    trusted: networks (CIDR) of proxies whose X-Forwarded-For is believed. ValueError where one is none.
    """

    def __init__(self, trusted: Sequence[str]) -> None:
        networks = [ip_network(network) for network in trusted]

        @lru_cache(maxsize=4_096)
        def known(text: str) -> tuple[str, bool] | None:
            address = _address(text)
            return None if address is None else (str(address), any(address in each for each in networks))

        self._known = known

    def of(self, request: web.BaseRequest) -> str:
        """The nearest address that is no trusted proxy's: what lies behind it, anybody may have written."""
        known = self._known(request.remote or "")
        if known is None:
            return "unknown"
        address, is_trusted = known
        if not is_trusted:
            return address
        chain = ",".join(request.headers.getall(_FORWARDED_FOR, ())).split(",")
        for named in map(str.strip, reversed(chain)):
            known = self._known(named) if len(named) <= _LONGEST else None
            if known is None:
                return address
            address, is_trusted = known
            if not is_trusted:
                break
        return address


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """The address in its one form: IPv4 where IPv6 only wraps it, without its port, and without its zone.

    A zone means something only to the machine that wrote it, and may be any text.
    """
    with_port = _WITH_PORT.fullmatch(text)
    try:
        address = ip_address(with_port[1] or with_port[2] if with_port else text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        return address.ipv4_mapped or IPv6Address(int(address))
    return address
