"""Tells an MLflow that forbids one thing from one that refuses the service's account altogether."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from service.errors import UpstreamAuth, UpstreamRefused

_SERVED_TTL = 10.0  # seconds for which the answer is remembered
_REFUSED_TTL = 2.0


class Account:
    """The account that this service has at MLflow.

    look: asks for what every account may read (mlflow/server/auth shows each account the experiments that it
    may read); UpstreamAuth where MLflow refuses even that. clock: seconds, monotonic.
    """

    def __init__(
        self, look: Callable[[], Awaitable[object]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._look = look
        self._clock = clock
        self._valid_until = float("-inf")
        self._is_refused = False
        self._lock = asyncio.Lock()

    async def make_sure_it_is_served(self, forbidden: UpstreamAuth) -> None:
        """UpstreamAuth, of the same cause, where MLflow refuses the account; remembered for some seconds."""
        async with self._lock:  # calls that come meanwhile share the answer
            if self._clock() >= self._valid_until:
                await self._ask()
        if self._is_refused:
            raise UpstreamAuth(forbidden.cause) from forbidden

    async def _ask(self) -> None:
        self._is_refused = False
        try:
            await self._look()
        except UpstreamAuth:
            self._is_refused = True
        except UpstreamRefused:
            pass  # a server without such a list: that says nothing about the account
        self._valid_until = self._clock() + (_REFUSED_TTL if self._is_refused else _SERVED_TTL)
