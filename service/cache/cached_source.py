"""A source of runs that asks the source behind it as seldom as the windows of freshness allow."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Sequence
from contextvars import Context
from functools import partial
from typing import Any, cast

from service.answer import Answer
from service.cache.freshness import Freshness
from service.cache.memory import Entry, Memory, Together, Value
from service.cache.narrowing import broader, narrowed
from service.cache.singleflight import Flights, joined
from service.checkpoint import checkpoint
from service.context import DEADLINE, IS_RENEWAL
from service.errors import UpstreamFailure, UpstreamTimeout
from service.tracking.runs import Experiment, Run, RunQuestion
from service.tracking.source import RunSource

log = logging.getLogger("service.tracking")

_RETRY_PAUSE = 0.25  # seconds in which a renewal that failed is not tried again
_SEVERAL = 2
_MOST_TOGETHER = 64  # comparisons whose runs are at hand; their answers, which hold them, are kept as well
_AT_ONCE = 10  # runs remembered in one turn of the loop: a quarter of a millisecond


class CachedSource:
    """A RunSource around another, with one memory for all that passes through (RFC 9111, RFC 5861).

    A list of runs answers for each run in it, and for every narrower question that it proves. Callers who ask
    the same at once share one call. clock: seconds, monotonic.
    """

    def __init__(
        self,
        source: RunSource,
        memory: Memory,
        freshness: Freshness,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._memory = memory
        self._freshness = freshness
        self._clock = clock
        self._flights: Flights[Entry] = Flights()
        self._order = itertools.count()
        self._found_together: dict[tuple[str, ...], Together] = {}
        self._renewing = Context()
        self._renewing.run(IS_RENEWAL.set, True)
        self.reads = dict.fromkeys(("hit", "stale", "miss", "collapsed", "anew", "failed"), 0)

    async def run(self, run_id: str) -> Answer[Run | None]:
        return await self._read(("run", run_id))

    async def runs(self, run_ids: Sequence[str], experiment_id: str | None) -> Answer[tuple[Run | None, ...]]:
        held = self._all_fresh(tuple(run_ids))
        if held is not None:
            return held
        keys = [("run", run_id) for run_id in run_ids]
        readings = {key: self._held(key) for key in keys}
        lacking = [key for key, reading in readings.items() if reading is None]
        own = self._fly_together(lacking, experiment_id)
        asked = await asyncio.gather(*(self._ask(key, is_own=key in own) for key in lacking))
        readings |= zip(lacking, asked, strict=True)
        return _together([cast("Answer[Run | None]", reading) for reading in readings.values()])

    async def search(self, question: RunQuestion) -> Answer[tuple[Run, ...]]:
        if not self._is_fresh(question) and question not in self._flights:
            self._narrow(question)
        return await self._read(question)

    async def experiment(self, name: str) -> Answer[Experiment | None]:
        return await self._read(("experiment", name))

    async def experiments(self) -> Answer[tuple[Experiment, ...]]:
        return await self._read(("experiments",))

    def past_memory(self) -> RunSource:
        """The same source for those who want MLflow's own word; what it says is remembered for all."""
        return _PastMemory(self)

    async def aclose(self) -> None:
        """End what is still asked for."""
        await self._flights.close()

    async def ask_anew(self, key: Hashable) -> Answer[Any]:
        """What MLflow says from now on, whatever is remembered."""
        began = self._clock()
        self.reads["anew"] += 1
        try:
            async with asyncio.timeout_at(DEADLINE.get()):
                entry = await self._flights.after(key, lambda: self._load(key))
        except TimeoutError as error:
            raise UpstreamTimeout("the request's deadline passed") from error
        return Answer(entry.value, self._age(entry), "fwd=request", self._clock() - began)

    async def _read(self, key: Hashable) -> Answer[Any]:
        return self._held(key) or await self._ask(key)

    def _is_fresh(self, key: Hashable) -> bool:
        entry = self._memory.peek(key)
        return entry is not None and self._age(entry) < entry.windows.fresh

    def _all_fresh(self, run_ids: tuple[str, ...]) -> Answer[Any] | None:
        """All the values at once where each of them is fresh: the hot path of comparing.

        What was found is good as long as nothing in memory changes.
        """
        found = self._found_together.get(run_ids)
        if found is None or found.changes != self._memory.changes:
            entries = self._memory.get_all([("run", run_id) for run_id in run_ids])
            if entries is None:
                return None
            found = Together.of(entries, self._memory.changes)
            if len(self._found_together) >= _MOST_TOGETHER:
                self._found_together.clear()
            self._found_together[run_ids] = found
        now = self._clock()
        left = found.stale_at - now
        if left <= 0:
            return None
        self.reads["hit"] += len(run_ids)
        return Answer(found.values, now - found.arrived, f"hit; ttl={int(left)}")

    def _held(self, key: Hashable) -> Answer[Any] | None:
        """What may be given at once; where it is no longer fresh, it is renewed behind the caller's back."""
        entry = self._memory.get(key)
        if entry is None:
            return None
        now = self._clock()
        age = now - entry.arrived
        left = entry.windows.fresh - age
        if left > 0:
            self.reads["hit"] += 1
            return Answer(entry.value, age, f"hit; ttl={int(left)}")
        failed_just_now = entry.failed is not None and now - entry.failed < _RETRY_PAUSE
        if age < (entry.windows.usable if failed_just_now else entry.windows.renewable):
            if not failed_just_now:
                self._flights.start(key, lambda: self._load(key), self._renewing)
            self.reads["stale"] += 1
            return _stale(entry, age)
        return None

    async def _ask(self, key: Hashable, *, is_own: bool = False) -> Answer[Any]:
        """What MLflow says; where it fails, what it said last. is_own: the flight is the caller's own."""
        began = self._clock()
        is_collapsed = key in self._flights and not is_own
        self.reads["collapsed" if is_collapsed else "miss"] += 1
        forwarded = "fwd=miss" if self._memory.peek(key) is None else "fwd=stale"
        try:
            async with asyncio.timeout_at(DEADLINE.get()):
                entry = await joined(self._flights.start(key, lambda: self._load(key)))
        except (UpstreamFailure, TimeoutError) as error:
            self.reads["failed"] += 1
            last = self._memory.peek(key)
            if last is not None and (age := self._age(last)) < last.windows.usable:
                return _stale(last, age, self._clock() - began)
            if isinstance(error, TimeoutError):
                raise UpstreamTimeout("the request's deadline passed") from error
            raise
        cache = forwarded + ("; collapsed" if is_collapsed else "")
        return Answer(entry.value, self._age(entry), cache, self._clock() - began)

    def _load(self, key: Hashable) -> Coroutine[Any, Any, Entry]:
        return self._land(key, next(self._order), self._fetch(key))

    async def _land(self, key: Hashable, asked: int, coming: Awaitable[Answer[Any]]) -> Entry:
        """Remember what comes; a failure is noted on what is remembered already."""
        try:
            value = (await coming).value
        except UpstreamFailure as error:
            if (entry := self._memory.peek(key)) is not None:
                entry.failed = self._clock()
                log.info("%s could not be renewed: %s", key, error.cause)
            raise
        if isinstance(key, RunQuestion):
            value = await self._remember_runs(value, asked)
        return self._remember(key, value, asked)

    def _remember(self, key: Hashable, value: Value, asked: int) -> Entry:
        self._found_together.clear()  # which hold runs that the memory may drop
        return self._memory.put(key, value, asked, self._clock(), self._freshness.of(value))

    async def _remember_runs(self, runs: Sequence[Run], asked: int) -> tuple[Run, ...]:
        """The runs of a list, in a few turns of the loop: hot answers do not wait for all of them."""
        remembered: list[Run] = []
        for start in range(0, len(runs), _AT_ONCE):
            await checkpoint()
            remembered += [self._remember_run(run, asked) for run in runs[start : start + _AT_ONCE]]
        await checkpoint()
        return tuple(remembered)

    def _remember_run(self, run: Run, asked: int) -> Run:
        # The remembered object where it is equal, so that lists share it; what is newer stays as it is.
        kept = self._remember(("run", run.run_id), run, asked).value
        return kept if isinstance(kept, Run) and kept == run else run

    def _fetch(self, key: Hashable) -> Awaitable[Answer[Any]]:
        match key:
            case RunQuestion():
                return self._source.search(key)
            case ("run", str(run_id)):
                return self._source.run(run_id)
            case ("experiment", str(name)):
                return self._source.experiment(name)
            case _:
                return self._source.experiments()

    def _fly_together(
        self, keys: Sequence[tuple[str, str]], experiment_id: str | None
    ) -> Sequence[tuple[str, str]]:
        """Fetch several runs by one call of the source; each is a flight of its own that others may join.

        Returns those that it fetches: none that is in the air already, and none where that leaves but one.
        """
        absent = [key for key in keys if key not in self._flights]
        if len(absent) < _SEVERAL:
            return ()
        asked = next(self._order)
        runs = self._source.runs([run_id for _, run_id in absent], experiment_id)
        together = asyncio.ensure_future(runs)

        async def one(place: int) -> Answer[Run | None]:
            return Answer((await together).value[place])

        for place, key in enumerate(absent):
            self._flights.start(key, partial(self._land, key, asked, one(place)))
        return absent

    def _narrow(self, question: RunQuestion) -> None:
        """Remember the newest answer to the question that lists of others prove, if newer than its own."""
        own = self._memory.peek(question)
        newest, proof = -1 if own is None else own.asked, None
        for other in broader(question):
            entry = self._memory.peek(other)
            if entry is not None and entry.asked > newest:
                runs = narrowed(other, cast("tuple[Run, ...]", entry.value), question)
                if runs is not None:
                    newest, proof = entry.asked, (runs, entry)
        if proof is not None:
            runs, entry = proof
            self._memory.put(question, runs, entry.asked, entry.arrived, self._freshness.of(runs))

    def _age(self, entry: Entry) -> float:
        return self._clock() - entry.arrived


class _PastMemory:
    """A RunSource whose answers were asked for after the question: Cache-Control: no-cache."""

    def __init__(self, cached: CachedSource) -> None:
        self._ask = cached.ask_anew

    async def run(self, run_id: str) -> Answer[Run | None]:
        return await self._ask(("run", run_id))

    async def runs(self, run_ids: Sequence[str], experiment_id: str | None) -> Answer[tuple[Run | None, ...]]:
        del experiment_id
        return _together(await asyncio.gather(*map(self.run, run_ids)))

    async def search(self, question: RunQuestion) -> Answer[tuple[Run, ...]]:
        return await self._ask(question)

    async def experiment(self, name: str) -> Answer[Experiment | None]:
        return await self._ask(("experiment", name))

    async def experiments(self) -> Answer[tuple[Experiment, ...]]:
        return await self._ask(("experiments",))


def _together(readings: Sequence[Answer[Run | None]]) -> Answer[tuple[Run | None, ...]]:
    waited = max(reading.waited for reading in readings)
    ages = [reading.age + waited - reading.waited for reading in readings]  # as of the last that came
    age = max(ages)
    return Answer(tuple(reading.value for reading in readings), age, readings[ages.index(age)].cache, waited)


def _stale(entry: Entry, age: float, waited: float = 0.0) -> Answer[Any]:
    return Answer(entry.value, age, f"hit; ttl={int(entry.windows.fresh - age)}; detail=stale", waited)
