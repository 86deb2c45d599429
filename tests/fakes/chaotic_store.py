"""A store that replicas share, and that fails as networks do."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass

from service.cache.shared_store import Claim, Fill, Key, SharedStore, Stored, Told, Wish
from service.errors import StoreFailed


@dataclass(frozen=True)
class Chaos:
    """How likely each is that a command of a store meets: a delay, an error, a hang, a lost answer or write.

    pause: seconds of a delay. patience: seconds after which a hanging command is given up.
    """

    delay: float = 0.0
    error: float = 0.0
    hang: float = 0.0
    lost: float = 0.0
    pause: float = 0.001
    patience: float = 0.005


class ChaoticStore(SharedStore):
    """A store that fails by chance. dice: seeded, so that a failure can be seen again."""

    def __init__(self, store: SharedStore, chaos: Chaos, dice: random.Random) -> None:
        self._store = store
        self._chaos = chaos
        self._dice = dice

    @property
    def is_attached(self) -> bool:
        return self._store.is_attached

    def watch(self, told: Told) -> None:
        def sometimes(keys: Sequence[Key] | None, is_own: bool) -> None:
            if self._dice.random() >= self._chaos.lost:
                told(keys, is_own)

        self._store.watch(sometimes)

    async def claim(self, wishes: Sequence[Wish]) -> list[Claim]:
        await self._before()
        claims = await self._store.claim(wishes)
        await self._after()
        return claims

    async def read(self, wishes: Sequence[Wish]) -> list[Stored | None]:
        await self._before()
        stored = await self._store.read(wishes)
        await self._after()
        return stored

    async def fill(self, moment: int, fills: Sequence[Fill]) -> list[int]:
        await self._before()
        versions = await self._store.fill(moment, fills)
        await self._after()
        return versions

    async def extend(self, moment: int, keys: Sequence[Key]) -> None:
        await self._before()
        await self._store.extend(moment, keys)

    async def give_up(self, moment: int, keys: Sequence[Key], pause: float = 0.0) -> None:
        await self._before()
        await self._store.give_up(moment, keys, pause)

    async def _before(self) -> None:
        """The command may not get to the store."""
        chance = self._dice.random
        if chance() < self._chaos.delay:
            await asyncio.sleep(self._chaos.pause * chance())
        if chance() < self._chaos.error:
            raise StoreFailed("told to fail")
        if chance() < self._chaos.hang:
            await asyncio.sleep(self._chaos.patience)
            raise StoreFailed("slow")

    async def _after(self) -> None:
        """What the store did may not be heard of."""
        if self._dice.random() < self._chaos.lost:
            await asyncio.sleep(self._chaos.patience)
            raise StoreFailed("slow")
