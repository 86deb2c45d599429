"""Lists that are too large or too slow for one page are read in smaller ones, then and later."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from service.errors import UpstreamTimeout, UpstreamTooLarge
from service.tracking.questions import GetRun, ListRuns
from service.upstream.client import MlflowClient
from service.upstream.portions import Portions
from service.upstream.transport import Limits, MlflowTransport
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


def test_asks_for_all_at_first() -> None:
    """Where nothing was too much, a caller gets the whole number."""
    portions = Portions(64 * MB, Clock())
    portions.went_well("a", 50, 1.0, MB)
    assert (50, 1000) == (portions.of("a", 50), portions.of("a", 1000))


def test_asks_for_a_quarter_of_what_was_too_much() -> None:
    """The number falls to a quarter, for that list only, and to one at the least."""
    portions = Portions(64 * MB, Clock())
    assert [12, 3, 1, 1] == [portions.were_too_much("a", number) for number in (50, 12, 3, 1)]
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
def test_grows_again(seconds: float, size: int, after: float, expected: int) -> None:
    """Where answers are quick and small the number grows at once, else twofold a minute."""
    clock = Clock()
    portions = Portions(64 * MB, clock)
    portions.were_too_much("a", 48)
    clock.now += after
    portions.went_well("a", 12, seconds, size)
    assert expected == portions.of("a", 1000)


def test_short_pages_prove_nothing() -> None:
    """A short page that comes quickly does not let the number grow."""
    portions = Portions(64 * MB, Clock())
    portions.were_too_much("a", 48)
    portions.went_well("a", 1, 0.01, 100)
    assert 12 == portions.of("a", 50)


def test_remembers_a_thousand_lists() -> None:
    """Of more than a thousand lists, those that were used longest ago are forgotten."""
    portions = Portions(64 * MB, Clock())
    for number in range(1_001):
        portions.were_too_much(number, 40)
    assert (40, 10) == (portions.of(0, 40), portions.of(1, 40))


@pytest.fixture
async def client(fake: FakeMlflow) -> AsyncIterator[MlflowClient]:
    async with MlflowTransport(fake.url, Limits(attempts=1, max_body_bytes=100_000)) as transport:
        yield MlflowClient(transport)


def page_sizes(fake: FakeMlflow) -> list[int]:
    """How many runs each request asked for, in order; the requests are forgotten."""
    sizes = [call.json["max_results"] for call in fake.calls if call.endpoint == "runs/search"]
    fake.calls.clear()
    return sizes


def wide(fake: FakeMlflow, runs: int, metrics: int) -> list[str]:
    """The ids of so many runs of some 150 bytes a metric, newest first."""
    names = [f"m{number}" for number in range(metrics)]
    return [fake.add_run(metrics=dict.fromkeys(names, 0.5)) for _ in range(runs)][::-1]


async def test_reads_a_large_list_in_smaller_pages(client: MlflowClient, fake: FakeMlflow) -> None:
    """A list that is too large is read in order in smaller pages, with which the next question begins."""
    run_ids = wide(fake, 50, 50)
    assert run_ids == [run.run_id for run in (await client.answer(QUESTION)).value]
    assert 50 == page_sizes(fake)[0]
    assert run_ids == [run.run_id for run in (await client.answer(QUESTION)).value]
    assert [12, 12, 12, 12, 12] == page_sizes(fake)


async def test_a_single_large_run_fails(client: MlflowClient, fake: FakeMlflow) -> None:
    """A run that is larger than the bound fails, however many are requested."""
    wide(fake, 3, 1_000)
    with pytest.raises(UpstreamTooLarge):
        await client.answer(QUESTION)
    assert [50, 12, 3, 1] == page_sizes(fake)
    with pytest.raises(UpstreamTooLarge):
        await client.answer(QUESTION)
    assert [1] == page_sizes(fake)


async def test_reads_a_large_comparison_run_by_run(client: MlflowClient, fake: FakeMlflow) -> None:
    """The runs of a comparison that is too large are read one by one."""
    await client.answer(QUESTION)
    fake.calls.clear()
    run_ids = wide(fake, 5, 300)
    answers = await client.answer_many(list(map(GetRun, run_ids)))
    assert run_ids == [answer.value and answer.value.run_id for answer in answers]
    assert (1, 5) == (fake.count("runs/search"), fake.count("runs/get"))


@pytest.mark.thorough
async def test_reads_a_slow_list_in_smaller_pages(fake: FakeMlflow) -> None:
    """After a page that is too slow, the call goes on with smaller pages, and later calls begin with them."""
    run_ids = wide(fake, 20, 1)

    class Ticking(Clock):
        def __call__(self) -> float:
            self.now += 0.3  # no answer is quick
            return self.now

    async def hang(request: web.Request) -> Any:
        if (await request.json())["max_results"] > 12:
            await asyncio.Event().wait()

    fake.before = only("runs/search", hang)
    async with MlflowTransport(fake.url, Limits(attempts=1, read_timeout=0.5)) as transport:
        client = MlflowClient(transport, Ticking())
        for expected in ([50, 12, 12], [12, 12]):
            assert run_ids == [run.run_id for run in (await client.answer(QUESTION)).value]
            assert expected == page_sizes(fake)


@pytest.mark.thorough
async def test_asks_a_hanging_server_twice(fake: FakeMlflow) -> None:
    """A server that hangs gets two requests; once it answers again, few pages hold the whole list."""
    run_ids = wide(fake, 50, 1)
    hanging = asyncio.Event()

    async def hang(_: web.Request) -> Any:
        await hanging.wait()

    fake.before = hang
    async with MlflowTransport(fake.url, Limits(attempts=1, deadline=1.2, read_timeout=0.9)) as transport:
        client = MlflowClient(transport)
        with pytest.raises(UpstreamTimeout):
            await client.answer(QUESTION)
        assert [50, 12] == page_sizes(fake)
        fake.before = None
        assert run_ids == [run.run_id for run in (await client.answer(QUESTION)).value]
    assert len(page_sizes(fake)) <= 6
