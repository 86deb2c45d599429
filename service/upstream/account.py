"""Tells an MLflow that forbids one thing from one that refuses the service's account altogether."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from service.errors import UpstreamAuth, UpstreamRefused

_SERVED = 10.0  # seconds for which it is believed that the account is served
_REFUSED = 2.0


class Account:
    """The account that MLflow knows this service by.

    look: asks what every account may (mlflow/server/auth shows each account the experiments that it may
    read); UpstreamAuth where not even that is answered. clock: seconds, monotonic.
    """

    def __init__(
        self, look: Callable[[], Awaitable[object]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._look = look
        self._clock = clock
        self._until = float("-inf")
        self._is_refused = False
        self._looking = asyncio.Lock()

    async def make_sure_it_is_served(self, forbidden: UpstreamAuth) -> None:
        """UpstreamAuth, of the same cause, where MLflow refuses the account; believed for a while."""
        async with self._looking:  # those who come meanwhile hear the same
            if self._clock() >= self._until:
                await self._find_out()
        if self._is_refused:
            raise UpstreamAuth(forbidden.cause) from forbidden

    async def _find_out(self) -> None:
        self._is_refused = False
        try:
            await self._look()
        except UpstreamAuth:
            self._is_refused = True
        except UpstreamRefused:
            pass  # a server that has no such list; that says nothing about the account
        self._until = self._clock() + (_REFUSED if self._is_refused else _SERVED)
