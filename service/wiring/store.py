"""Builds what stands on a store that replicas share. Nobody imports this module where there is none."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import hiredis  # noqa: F401 - redis-py reads with it where it is there, and bounds are set on its reader

from service.cache.freshness import Freshness
from service.cache.memory import Memory
from service.cache.shared_keys import SharedKeys
from service.cache.shared_source import SharedSource
from service.index.snapshot import mlflow_digest
from service.settings.load import Settings
from service.settings.store import StoreSettings
from service.store.answers import RedisStore
from service.store.connections import Server
from service.store.index_log import RedisIndexLog
from service.store.link import Patience, RedisLink
from service.tracking.source import Source
from service.upstream.limit import ConcurrencyLimit

_LARGEST: Final = 65_536  # bytes of the file with the password


@dataclass(frozen=True)
class Sharing:
    """The store that replicas share, and what stands on it.

    prefix: of all keys. mlflow: what tells its MLflow from others. most: calls to MLflow at once by this
    replica, and by all of them together; None where each may have its most.
    """

    link: RedisLink
    answers: RedisStore
    prefix: str
    mlflow: str
    most: tuple[int, int | None]

    def source(
        self, source: Source, memory: Memory, freshness: Freshness, clock: Callable[[], float]
    ) -> SharedSource:
        """A source whose answers other replicas have, too. memory: of this replica, dated by the clock."""
        return SharedSource(source, self.answers, SharedKeys(self.mlflow), memory, freshness, clock)

    def index_log(self, name: str) -> RedisIndexLog:
        """The log of this name, of an index that replicas share."""
        return RedisIndexLog(self.link, self.prefix, name)

    def bound(self, limit: ConcurrencyLimit) -> None:
        """Give this replica its part of the calls to MLflow, from now on."""
        own, together = self.most
        if together is not None:
            limit.resize(part(own, together, self.link.replicas))
            self.link.watch(lambda replicas: limit.resize(part(own, together, replicas)))

    @property
    def resources(self) -> Sequence[Callable[[], AbstractAsyncContextManager[object]]]:
        """What is opened and closed with the service."""
        return (self.link.open, self.answers.following)

    @property
    def condition(self) -> Literal["attached", "detached"]:
        """Whether the store answers, as far as is known."""
        return "attached" if self.link.is_attached else "detached"


def sharing(settings: Settings, clock: Callable[[], float]) -> Sharing:
    """What the settings say; ValueError names the setting that cannot be. clock: seconds, monotonic."""
    chosen = settings.store
    if not settings.mlflow_tracking_uri.startswith(("http://", "https://")):
        raise ValueError(
            "TRACKING_STORE__URL: replicas share answers about one MLflow server, and MLFLOW_TRACKING_URI "
            "names none, so that each would start an MLflow of its own: set it to the server's address, or "
            "leave the store out"
        )
    link = link_to(chosen, chosen.prefix, clock)
    mlflow = mlflow_digest(settings.mlflow_tracking_uri, settings.mlflow_workspace or "")
    most = settings.upstream.max_in_flight, chosen.max_in_flight
    return Sharing(link, RedisStore(link, chosen.prefix), chosen.prefix, mlflow, most)


def link_to(chosen: StoreSettings, prefix: str, clock: Callable[[], float] = time.monotonic) -> RedisLink:
    """The connections to the store. prefix: what the key begins with in which replicas are counted."""
    server = Server(chosen.address, login(chosen), tls(chosen))
    return RedisLink(server, Patience(answer=chosen.patience), clock, chosen.connections, prefix)


def part(own: int, together: int, replicas: int) -> int:
    """How many calls at once one of so many replicas may send: an equal part, but never more than its own."""
    return min(own, max(1, together // replicas))


def login(chosen: StoreSettings) -> Callable[[], tuple[str, ...]] | None:
    """What shows the store who asks; None where nobody has to. A file is read at each new connection."""
    user = () if chosen.user is None else (chosen.user,)
    if (file := chosen.password_file) is not None:
        _in_file(file)  # or it is refused now
        return lambda: (*user, _in_file(file))
    if (secret := chosen.secret) is None:
        return None
    return lambda: (*user, secret)


def tls(chosen: StoreSettings) -> ssl.SSLContext | None:
    """How the store's certificate is verified; None where nothing is encrypted."""
    if not chosen.address.startswith("rediss://"):
        return None
    try:
        return ssl.create_default_context(cafile=chosen.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ValueError(f"TRACKING_STORE__CA_FILE: {chosen.ca_file}: {error.strerror or error}") from error


def _in_file(file: Path) -> str:
    """The password in a file, without the line end that editors add. ValueError never holds it."""
    try:
        with file.open("rb") as opened:
            content = opened.read(_LARGEST + 1)
        password = content.decode().rstrip("\r\n")
    except OSError as error:
        raise ValueError(f"TRACKING_STORE__PASSWORD_FILE: {file}: {error.strerror}") from error
    except UnicodeDecodeError:
        raise ValueError(f"TRACKING_STORE__PASSWORD_FILE: {file}: is not UTF-8") from None
    if len(content) > _LARGEST or not password or "\n" in password:
        raise ValueError(f"TRACKING_STORE__PASSWORD_FILE: {file}: must hold one line, the password")
    return password
