"""Streams of events that break at any byte, and go on where they were."""

import random
from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from service.api.event_hub import BEAT_SECONDS, FLUSH_SECONDS
from tests.api.hearing import Hearing, Taken, known
from tests.api.searching import make_run

EVEN = "params.method = 'expanding'"


@pytest.mark.parametrize("seed", range(6))
async def test_streams_that_break_anywhere_miss_nothing_and_get_nothing_twice(seed: int) -> None:
    """However often a stream breaks, in the middle of an event, too, its page ends with the runs that match.

    Every id comes at most once, and in order.
    """
    choose = random.Random(seed)
    async with Hearing().running() as one:
        stream = await one.open(EVEN)
        heard = list(stream.heard)
        cut = Cut(stream.reader.last_id)
        for _ in range(150):
            change_something(one, choose)
            if choose.random() < 0.5:
                await one.naps.end(FLUSH_SECONDS)
            if choose.random() < 0.1:
                await one.naps.end(BEAT_SECONDS)
            heard += cut.take(stream, choose)
            if choose.random() < 0.1:
                stream.end()
                stream = await one.open(EVEN, last_id=cut.last_id)
                cut = Cut(cut.last_id)
        await one.naps.end(FLUSH_SECONDS)
        await one.naps.end(FLUSH_SECONDS)
        heard += cut.take(stream, None)
    matching = {run.run_id: run.params for run in one.runs.values() if run.params["method"] == "expanding"}
    assert matching == known(heard)
    numbers = [int(event.id.partition("-")[2]) for event in heard]
    assert sorted(set(numbers)) == numbers


class Cut:
    """The caller's end of a stream, where bytes arrive late, and some never. last_id: that the caller has."""

    def __init__(self, last_id: str) -> None:
        self._reader = Taken(last_id)
        self._seen = 0
        self._bytes = b""

    @property
    def last_id(self) -> str:
        return self._reader.reader.last_id

    def take(self, stream: Taken, choose: random.Random | None) -> Sequence[Any]:
        """What arrives of the stream by now; all of it where nothing is left to chance."""
        self._bytes += b"".join(frame.plain for frame in stream.frames[self._seen :])
        self._seen = len(stream.frames)
        arriving = len(self._bytes) if choose is None else choose.randint(0, len(self._bytes))
        before = len(self._reader.heard)
        self._reader.take(self._bytes[:arriving])
        self._bytes = self._bytes[arriving:]
        return self._reader.heard[before:]


def change_something(one: Hearing, choose: random.Random) -> None:
    """A run comes, changes, or is deleted."""
    run = make_run(choose.randint(0, 5))
    if run.run_id in one.runs and choose.random() < 0.2:
        one.drop(run.run_id)
        return
    params = {"method": choose.choice(["expanding", "rolling"]), "step": str(choose.random())}
    one.put(replace(run, params=params))
