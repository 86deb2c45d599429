"""What people who browse cost MLflow, with three replicas that share a store and with one."""

import random
from typing import Any

from service.cache.cached_source import CachedSource
from service.cache.freshness import Freshness
from service.tracking.questions import GetExperiment, GetRun, ListExperiments, ListRuns, Question
from tests.cache.fleet import Fleet
from tests.cache.scripted import Clock, ScriptedSource, caching, compared, settle
from tests.tracking.values import make_run

FRESHNESS = Freshness(
    terminal_ttl=30,
    active_ttl=2,
    list_ttl=2,
    experiments_ttl=60,
    missing_ttl=5,
    revalidate_factor=5,
    stale_if_error=900,
)
RUNS = [
    make_run(
        f"run{number}",
        status="RUNNING" if number % 5 == 0 else "FINISHED",
        start_time=number,
        tags={"run_type": ("training", "backtest", "cpcv")[number % 3]},
    )
    for number in range(30)
]
LISTS = [
    ListRuns("0", None, None, 21),
    ListRuns("0", None, None, 6),
    ListRuns("0", "training", None, 21),
    ListRuns("0", "backtest", None, 21),
]


def asked(dice: random.Random) -> list[Question[Any]]:
    """What a person asks for next: mostly what others look at, too."""
    if dice.random() < 0.15:
        return [ListRuns("0", None, f"new-{dice.getrandbits(64):x}", 21)]
    known: list[list[Question[Any]]] = [
        [dice.choice(LISTS)],
        [GetRun(dice.choice(RUNS).run_id)],
        [GetRun(run.run_id) for run in dice.sample(RUNS, 4)],
        [ListExperiments()],
        [GetExperiment("Default")],
    ]
    return dice.choices(known, weights=(40, 60, 5, 5, 10))[0]


async def browse(clock: Clock, replicas: list[CachedSource]) -> None:
    """Two minutes of twenty people whom a balancer sends to the replicas in turn."""
    dice = random.Random(1)
    for place in range(2_000):
        questions = asked(dice)
        replica = replicas[place % len(replicas)]
        if len(questions) == 1:
            await replica.answer(questions[0])
        else:
            await compared(replica, [one.run_id for one in questions if isinstance(one, GetRun)])
        await settle()
        clock.tick(0.06)


async def test_the_bill_of_three_replicas_is_that_of_one() -> None:
    """Three replicas ask MLflow at most a tenth more than one does for the same questions."""
    clock, source = Clock(), ScriptedSource(*RUNS)
    await browse(clock, [caching(source, clock, FRESHNESS)])
    bill_of_one = len(source.calls)
    clock, source = Clock(), ScriptedSource(*RUNS)
    fleet = Fleet(clock, source, FRESHNESS)
    await browse(clock, [fleet.add().cached for _ in range(3)])
    assert bill_of_one > 300
    assert len(source.calls) <= 1.1 * bill_of_one
    await fleet.aclose()
