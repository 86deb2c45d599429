"""Lists that are too large or too slow in one piece come in smaller ones, and the next question knows."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from service.errors import UpstreamTimeout, UpstreamTooLarge
from service.tracking.questions import GetRun, ListRuns
from service.upstream.client import MlflowClient
from service.upstream.door import Door, Limits
from service.upstream.portions import Portions
from tests.fakes.faults import only
from tests.fakes.mlflow import FakeMlflow

MB = 2**20
QUESTION = ListRuns("0", None, None, 50)


class Clock:
    """A clock that a test moves; seconds."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_as_many_as_are_wanted() -> None:
    """Where nothing was too much, nothing is held back."""
    portions = Portions(64 * MB, Clock())
    portions.went_well("a", 50, 1.0, MB)
    assert (50, 1000) == (portions.of("a", 50), portions.of("a", 1000))


def test_a_quarter_of_what_was_too_much() -> None:
    """It is one at the least, for that list only, and never more than is wanted."""
    portions = Portions(64 * MB, Clock())
    assert [12, 3, 1, 1] == [portions.were_too_much("a", asked) for asked in (50, 12, 3, 1)]
    assert (1, 50) == (portions.of("a", 50), portions.of("b", 50))
    portions.were_too_much("c", 1000)
    assert 5 == portions.of("c", 5)


@pytest.mark.parametrize(
    ("seconds", "size", "after", "expected"),
    [
        (0.1, MB, 0.0, 48),  # quick and small: much more
        (0.1, 5 * MB, 0.0, 12),
        (0.1, 5 * MB, 61.0, 24),  # quick, but large: twofold a minute
        (1.5, MB, 0.0, 12),
        (1.5, MB, 61.0, 24),
        (3.0, MB, 61.0, 12),  # slow: no more
        (1.0, 20 * MB, 61.0, 12),  # twice that may be too large
    ],
)
def test_how_it_grows_again(seconds: float, size: int, after: float, expected: int) -> None:
    """Where answers are quick and small much more is asked for at once, else a little each minute."""
    clock = Clock()
    portions = Portions(64 * MB, clock)
    portions.were_too_much("a", 48)
    clock.now += after
    portions.went_well("a", 12, seconds, size)
    assert expected == portions.of("a", 1000)


def test_fewer_than_may_be_asked_for_prove_nothing() -> None:
    """A short page that comes quickly does not make a long one less slow."""
    portions = Portions(64 * MB, Clock())
    portions.were_too_much("a", 48)
    portions.went_well("a", 1, 0.01, 100)
    assert 12 == portions.of("a", 50)


def test_lists_that_nobody_asks_for_are_forgotten() -> None:
    """A thousand are remembered, the last ones."""
    portions = Portions(64 * MB, Clock())
    for number in range(1_001):
        portions.were_too_much(number, 40)
    assert (40, 10) == (portions.of(0, 40), portions.of(1, 40))


@pytest.fixture
async def client(fake: FakeMlflow) -> AsyncIterator[MlflowClient]:
    limits = Limits(attempts=1, max_body_bytes=100_000, deadline=0.6, read_timeout=0.4)
    async with Door(fake.url, limits) as door:
        yield MlflowClient(door)


def asked(fake: FakeMlflow) -> list[int]:
    """How many runs were asked for at once, in order; what was asked is forgotten."""
    sizes = [call.json["max_results"] for call in fake.calls if call.endpoint == "runs/search"]
    fake.calls.clear()
    return sizes


def wide(fake: FakeMlflow, runs: int, metrics: int) -> list[str]:
    """The ids of so many runs of some 150 bytes a metric, newest first."""
    names = [f"m{number}" for number in range(metrics)]
    return [fake.add_run(metrics=dict.fromkeys(names, 0.5)) for _ in range(runs)][::-1]


async def test_a_list_that_is_too_large(client: MlflowClient, fake: FakeMlflow) -> None:
    """It is read in smaller pages, in order, and the next question begins with what worked."""
    run_ids = wide(fake, 50, 50)
    assert run_ids == [run.run_id for run in (await client.answer(QUESTION)).value]
    assert 50 == asked(fake)[0]
    assert run_ids == [run.run_id for run in (await client.answer(QUESTION)).value]
    assert [12, 12, 12, 12, 12] == asked(fake)


async def test_a_run_that_is_too_large(client: MlflowClient, fake: FakeMlflow) -> None:
    """One run above the bound is too large, whatever is asked for."""
    wide(fake, 3, 1_000)
    with pytest.raises(UpstreamTooLarge):
        await client.answer(QUESTION)
    assert [50, 12, 3, 1] == asked(fake)
    with pytest.raises(UpstreamTooLarge):
        await client.answer(QUESTION)
    assert [1] == asked(fake)


async def test_a_comparison_that_is_too_large(client: MlflowClient, fake: FakeMlflow) -> None:
    """Its runs are asked for one by one."""
    await client.answer(QUESTION)
    fake.calls.clear()
    run_ids = wide(fake, 5, 300)
    answers = await client.answer_many(list(map(GetRun, run_ids)))
    assert run_ids == [answer.value and answer.value.run_id for answer in answers]
    assert (1, 5) == (fake.count("runs/search"), fake.count("runs/get"))


async def test_a_list_that_is_too_slow(fake: FakeMlflow) -> None:
    """What is left of the time is for smaller pages, and whoever comes after begins with them."""
    run_ids = wide(fake, 20, 1)

    class Ticking(Clock):
        def __call__(self) -> float:
            self.now += 0.3  # no answer is quick
            return self.now

    async def hang(request: web.Request) -> Any:
        if (await request.json())["max_results"] > 12:
            await asyncio.Event().wait()

    fake.before = only("runs/search", hang)
    async with Door(fake.url, Limits(attempts=1, read_timeout=0.2)) as door:
        client = MlflowClient(door, Ticking())
        for expected in ([50, 12, 12], [12, 12]):
            assert run_ids == [run.run_id for run in (await client.answer(QUESTION)).value]
            assert expected == asked(fake)


async def test_a_server_that_hangs_is_asked_twice(client: MlflowClient, fake: FakeMlflow) -> None:
    """A server that is ill is not asked ever more; and when it is well again, all comes in a few pages."""
    run_ids = wide(fake, 50, 1)
    hanging = asyncio.Event()

    async def hang(_: web.Request) -> Any:
        await hanging.wait()

    fake.before = hang
    with pytest.raises(UpstreamTimeout):
        await client.answer(QUESTION)
    assert [50, 12] == asked(fake)
    fake.before = None
    assert run_ids == [run.run_id for run in (await client.answer(QUESTION)).value]
    assert len(asked(fake)) <= 6
