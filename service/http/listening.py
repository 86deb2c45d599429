"""The sockets that the service listens with: one for each address of each host."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from itertools import chain

log = logging.getLogger("service")

ALL = "::"  # addresses, of both families
_ALL_IPV4 = "0.0.0.0"  # noqa: S104 - bound where the setting says so
_TRIES = 10  # for a free port that is free at all addresses
# What a machine without an address, or without IPv6, says of it.
_NOT_HERE = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}

Address = tuple[str, int]  # the address, and its IPv6 zone


class ListenError(OSError):
    """Nothing can listen there; the message names the setting, and is one line."""

    def __str__(self) -> str:
        return self.strerror or ""


async def listening(hosts: Sequence[str], port: int, *, reuse_port: bool = False) -> list[socket.socket]:
    """Sockets bound to the port at every address of these hosts; 0 takes one port for all. ListenError.

    `::` is every address of both families, on a machine without IPv6 every one of IPv4. `localhost` is both
    loopbacks. An address of a name that this machine lacks is left out, unless it lacks them all.
    """
    if ALL in hosts and not socket.has_dualstack_ipv6():
        log.warning("TRACKING_HOST: this machine has no IPv6, so %s is %s", ALL, _ALL_IPV4)
        hosts = [_ALL_IPV4 if host == ALL else host for host in hosts]
    found = [await _addresses(host) for host in hosts]
    for _ in range(_TRIES if port == 0 else 0):
        try:
            return _bound(found, port, reuse_port=reuse_port)
        except ListenError as error:
            if error.errno != errno.EADDRINUSE:
                raise
    return _bound(found, port, reuse_port=reuse_port)


async def _addresses(host: str) -> list[Address]:
    if host == "localhost":  # whatever resolvers make of it: RFC 6761, 6.3
        return [("127.0.0.1", 0), ("::1", 0)]
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except socket.gaierror as error:
        reason = f"TRACKING_HOST: no address of {host} is known: {error.strerror}"
        raise ListenError(error.errno, reason) from error
    return [_address(*sockaddr) for *_, sockaddr in found]


def _address(host: object, _port: object, _flow: object = 0, zone: object = 0) -> Address:
    return str(host).partition("%")[0], int(str(zone))


def distinct(addresses: Iterable[Address]) -> list[Address]:
    """Each address once, and without those that another one stands for: all of IPv4, or all of both."""
    once = list(dict.fromkeys(addresses))
    if (ALL, 0) in once:
        return [(ALL, 0)]
    if (_ALL_IPV4, 0) in once:
        return [one for one in once if ":" in one[0] or one[0] == _ALL_IPV4]
    return once


def _bound(found: Sequence[Sequence[Address]], port: int, *, reuse_port: bool) -> list[socket.socket]:
    sockets: list[socket.socket] = []
    missing: dict[Address, ListenError] = {}
    with ExitStack() as opened:
        for address in distinct(chain.from_iterable(found)):
            try:
                one = opened.enter_context(_socket(address, port, reuse_port=reuse_port))
            except ListenError as error:
                if error.errno not in _NOT_HERE:
                    raise
                missing[address] = error
            else:
                sockets.append(one)
                port = one.getsockname()[1]
        for addresses in found:
            if all(address in missing for address in addresses):
                raise missing[addresses[0]]
        opened.pop_all()
    return sockets


def _socket(address: Address, port: int, *, reuse_port: bool) -> socket.socket:
    host, zone = address
    is_ipv6 = ":" in host
    with ExitStack() as opened:
        try:
            made = opened.enter_context(socket.socket(socket.AF_INET6 if is_ipv6 else socket.AF_INET))
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if reuse_port:
                made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            if is_ipv6:
                made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(host != ALL))
            made.bind((host, port, 0, zone) if is_ipv6 else (host, port))
        except OSError as error:
            raise ListenError(error.errno, _why(error, host, port)) from error
        opened.pop_all()
    return made


def _why(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"TRACKING_PORT: {port} on {host} is taken by another process (address already in use)"
    if error.errno == errno.EACCES:
        return f"TRACKING_PORT: this user may not listen on {port}; ports from 1024 on are for everybody"
    if error.errno in _NOT_HERE:
        return f"TRACKING_HOST: {host} is not an address of this machine"
    hint = "; it needs its interface, as in fe80::1%eth0" if host.startswith("fe80:") else ""
    return f"TRACKING_HOST: nothing can listen on {host}: {os.strerror(error.errno or 0)}{hint}"
