"""Clients of redis-py for one server, with what its defaults would do to an answer switched off."""

from __future__ import annotations

from collections.abc import Callable
from ssl import SSLContext
from typing import Any, Final, NamedTuple

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import DefaultParser, SSLConnection, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.credentials import CredentialProvider
from redis.exceptions import ConnectionError as NoConnection
from redis.maint_notifications import MaintNotificationsConfig

from service.store.failures import TooLarge

MOST_BYTES: Final = 32 * 2**20  # of one reply


class Server(NamedTuple):
    """A server, and how to get in.

    url: redis://… or rediss://…; a user and a password in it count where there is no login. login: the
    password, or the user and the password, asked for at each new connection. tls: for rediss://; the
    authorities of the system where it is None.
    """

    url: str
    login: Callable[[], tuple[str, ...]] | None = None
    tls: SSLContext | None = None

    @property
    def shown(self) -> str:
        """The address without a user and a password."""
        scheme, _, rest = self.url.partition("://")
        return f"{scheme}://{rest.rpartition('@')[2].partition('?')[0]}"

    def client(self, connections: int, *, connect: float, reply: float) -> Redis:
        """A client with so many connections. connect, reply: seconds that are waited for one.

        Nothing is tried again, for a caller waits. Notices of maintenance are off: with them a connection is
        not looked at for an unread reply before its next use.
        """
        options: dict[str, Any] = {**parse_url(self.url)}
        if self.login is not None:
            options["credential_provider"] = _Login(self.login)
        if self.tls is not None:
            options |= {"connection_class": _OverTls, "tls": self.tls}
        pool = BlockingConnectionPool(
            max_connections=connections,
            timeout=reply,
            socket_timeout=reply,
            socket_connect_timeout=connect,
            retry=Retry(NoBackoff(), 0),
            maint_notifications_config=MaintNotificationsConfig(enabled=False),
            driver_info=None,
            protocol=3,
            decode_responses=False,
            parser_class=_Bounded,
            **options,
        )
        return Redis.from_pool(pool)  # which it closes, too


class _Login(CredentialProvider):
    """What shows the server who asks."""

    def __init__(self, login: Callable[[], tuple[str, ...]]) -> None:
        self._login = login

    def get_credentials(self) -> Any:
        return self._login()

    async def get_credentials_async(self) -> Any:
        return self._login()


class _OverTls(SSLConnection):
    """A connection over TLS, whose context is made once: to read the authorities takes many milliseconds."""

    def __init__(self, *, tls: SSLContext, **options: Any) -> None:
        super().__init__(**options)
        self.ssl_context.context = tls


class _Bounded(DefaultParser):  # type: ignore[misc, valid-type] # one of two, with hiredis or without
    """Reads replies, but none that is larger than MOST_BYTES: TooLarge, and the connection ends."""

    async def read_response(self, *arguments: Any, **options: Any) -> Any:
        self._left = MOST_BYTES
        return await super().read_response(*arguments, **options)

    async def read_from_socket(self) -> bool:
        chunk = await self._stream.read(self._read_size)
        if not chunk:
            raise NoConnection("the server closed the connection")
        self._left -= len(chunk)
        if self._left < 0:
            raise TooLarge(f"a reply has more than {MOST_BYTES} bytes")
        self._reader.feed(chunk)
        return True
