"""Users who list, open 5, compare 4 and leave the list open, which polls: the same ones in each run."""

import asyncio
import json
import random
import time
from collections.abc import Awaitable, Callable

from tests.bench.load import Question
from tests.bench.rows import questions
from tests.bench.runs import RUN_TYPES

Ask = Callable[[Question], Awaitable[bytes]]

_OPENED = 5
_COMPARED = 4
_ARRIVE = 5.0  # seconds within which the users come
_LOOK = (0.5, 2.5)  # seconds for which a user looks at a page, at least and at most
_POLL = 5.0  # seconds between two looks at a list that is left open


async def browse(ask: Ask, users: int, polls: int, pace: float = 1.0) -> list[float]:
    """Seconds of each answer. pace: how many times as long all pauses are."""
    times: list[float] = []

    async def timed(question: Question) -> bytes:
        began = time.perf_counter()
        body = await ask(question)
        times.append(time.perf_counter() - began)
        return body

    await asyncio.gather(*(_user(timed, random.Random(number), polls, pace) for number in range(users)))
    return times


async def _user(ask: Ask, dice: random.Random, polls: int, pace: float) -> None:
    """A user looks at all runs or at those of one type."""

    async def look(question: Question) -> bytes:
        body = await ask(question)
        await asyncio.sleep(pace * dice.uniform(*_LOOK))
        return body

    await asyncio.sleep(pace * dice.uniform(0, _ARRIVE))
    run_type = dice.choice((None, *RUN_TYPES))
    listed = questions.runs(50) if run_type is None else questions.runs(50, run_type=run_type)
    found = [run["run_id"] for run in json.loads(await look(listed))["runs"]]
    opened = dice.sample(found, _OPENED)
    for run_id in opened:
        await look(questions.detail(run_id))
    await look(questions.compare(opened[:_COMPARED]))
    for _ in range(polls):
        await asyncio.sleep(pace * (_POLL - _LOOK[1]))
        await look(listed)
