"""Ticks that callers of a replica wait for while another replica makes them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from secrets import token_hex
from typing import Final

from service.index.shared.progress import Failure, Tick, error_of

_AGAIN: Final = 2.0  # seconds after which it is asked for again: who makes ticks may be another one by then


class WishedTicks:
    """One tick for all who ask for it before it is wished for. Times are handed in, in seconds."""

    def __init__(self) -> None:
        self._next: tuple[str, asyncio.Future[bool]] | None = None
        self._waiting: dict[str, asyncio.Future[bool]] = {}
        self._sent: dict[str, float] = {}

    async def made(self) -> bool:
        """Wait for a tick that begins after this; False where nobody is asked any more. UpstreamFailure."""
        if self._next is None:
            self._next = token_hex(8), asyncio.get_running_loop().create_future()
        return await asyncio.shield(self._next[1])

    @property
    def is_empty(self) -> bool:
        """Whether nobody waits."""
        return self._next is None and not self._waiting

    def take(self, now: float) -> Sequence[str]:
        """The tokens of the ticks that are to be wished for now, some of them once more."""
        if self._next is not None:
            token, future = self._next
            self._waiting[token] = future
            self._sent[token] = now - _AGAIN
            self._next = None
        due = [token for token, at in self._sent.items() if now - at >= _AGAIN]
        self._sent |= dict.fromkeys(due, now)
        return due

    def tell(self, ticks: Iterable[Tick]) -> None:
        """These ticks have been made; each is one for all that were wished for before it, too."""
        for tick in ticks:
            if tick.token in self._waiting:
                tokens = list(self._waiting)
                for token in tokens[: tokens.index(tick.token) + 1]:
                    self._settle(token, tick.failure)

    def _settle(self, token: str, failure: Failure | None) -> None:
        future = self._waiting.pop(token)
        del self._sent[token]
        if future.done():
            return
        if failure is None:
            future.set_result(True)
        else:
            future.set_exception(error_of(failure))
            future.exception()  # where all have left, nobody misses it

    def give_up(self) -> None:
        """Nobody is asked any more: whoever waits looks for another way."""
        futures = [*self._waiting.values(), *(() if self._next is None else (self._next[1],))]
        self._next = None
        self._waiting.clear()
        self._sent.clear()
        for future in futures:
            if not future.done():
                future.set_result(False)
