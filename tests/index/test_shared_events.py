"""Events of an index that replicas share have the same ids on all of them, and go on on any."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.tracking.events import RunChange
from tests.index.fleet import Fleet, Member
from tests.index.polling import Poller
from tests.index.test_shared_index import fleet

IN_MLFLOW = ("add", "tag", "end", "delete")


def change(one: Fleet, name: str, number: int) -> None:
    """Something happens in MLflow."""
    choose = random.Random(number)
    runs = sorted(one.mlflow.visible())
    run_id = choose.choice(runs) if runs else ""
    if name == "add" or not runs:
        one.mlflow.add(f"new{number}")
    elif name == "tag":
        one.mlflow.tag(run_id, str(number))
    elif name == "end" and one.mlflow.stored[run_id].end_time is None:
        one.mlflow.end(run_id)
    elif name == "delete":
        one.mlflow.change(run_id, is_deleted=True)


def tags(one: Fleet) -> dict[str, dict[str, str]]:
    """What a caller should know."""
    return {run_id: dict(run.tags) for run_id, run in one.mlflow.visible().items()}


async def test_events_are_the_same_on_all_replicas() -> None:
    """Each replica tells the same changes, with the same numbers of the same epoch."""
    one = await fleet()
    since = one.writer.runs.changes.last
    for number, name in enumerate(["add", "add", "tag", "end", "delete", "tag"] * 5):
        change(one, name, number)
        await one.pass_time(3)
    await one.until(one.are_equal, 120)
    told = [
        [
            (entry.number, entry.change.name, entry.change.run)
            for entry in member.runs.changes.since(since) or ()
            if isinstance(entry.change, RunChange)
        ]
        for member in one.members.values()
    ]
    assert len(told[0]) > 10
    assert told[0] == told[1] == told[2]


@pytest.mark.parametrize("seed", range(5))
async def test_a_caller_who_changes_replicas_misses_nothing_and_gets_nothing_twice(seed: int) -> None:
    """However often a caller goes to another replica, and one dies or joins, it never has to read anew."""
    choose = random.Random(seed)
    one = await fleet()
    poller = Poller()
    for number in range(60):
        change(one, choose.choice(["add", "add", "tag", "end", "delete"]), number)
        await one.pass_time(choose.choice([0.25, 1, 3]))
        await poller.poll(choose.choice(list(one.members.values())))
        if number == 20:
            one.kill(one.writer.name)
        if number == 40:
            one.join("d")
            await one.pass_time(1)
    await one.until(one.are_equal, 120)
    await poller.poll(choose.choice(list(one.members.values())))
    assert tags(one) == poller.tags
    assert poller.has_rising_ids()
    assert 0 == poller.resets
    assert len(poller.ids) > 40


def set_paused(one: Fleet, member: Member, value: bool) -> None:
    """A process stands still, or goes on."""
    member.is_paused = value


def set_cut(one: Fleet, member: Member, value: bool) -> None:
    """A replica cannot reach the store, or can again."""
    member.log.is_cut = value


def set_down(one: Fleet, member: Member, value: bool) -> None:
    """The store is away, or back."""
    one.store.is_down = value


def replace_one(one: Fleet, member: Member, value: bool) -> None:
    """A replica dies, or another one joins."""
    if value and len(one.members) > 1:
        one.kill(member.name)
    elif not value and len(one.members) < 4:
        one.join(f"m{one.clock.now}")


def lose(one: Fleet, member: Member, value: bool) -> None:
    """The reply to a publish is lost, or the oldest records are."""
    if value:
        member.log.loses_reply = True
    else:
        one.store.trim(2)


def lose_all(one: Fleet, member: Member, value: bool) -> None:
    """The store loses what it has, or its snapshot only."""
    if value:
        one.store.empty()
    else:
        one.store.kept = None


TROUBLES = (set_paused, set_cut, set_down, replace_one, lose, lose_all)
TROUBLE = st.tuples(st.sampled_from(TROUBLES), st.booleans())
STEPS = st.lists(st.sampled_from([*IN_MLFLOW, "pass", "poll"]) | TROUBLE, min_size=5, max_size=25)


async def happens(one: Fleet, poller: Poller, step: Any, choose: random.Random) -> None:
    """One thing happens."""
    member = choose.choice(sorted(one.members.values(), key=lambda member: member.name))
    if step == "pass":
        await one.pass_time(choose.choice([0.25, 2, 8]))
    elif step == "poll":
        await poller.poll(member)
    elif isinstance(step, str):
        change(one, step, choose.randrange(10**6))
    else:
        trouble, value = step
        trouble(one, member, value)


@settings(max_examples=settings().max_examples // 5)
@given(STEPS)
async def test_whatever_happens_all_are_equal_in_the_end(steps: list[Any]) -> None:
    """Once all are there again, each replica has MLflow's runs, one writes, and callers know of each."""
    one, poller = await fleet(12), Poller()
    for number, step in enumerate(steps):
        await happens(one, poller, step, random.Random(number))
    one.store.is_down = False
    for member in one.members.values():
        member.is_paused = member.log.is_cut = False
    await one.until(lambda: one.are_equal() and one.is_in_step() and one.is_complete(), 400)
    await one.pass_time(1)
    for member in one.members.values():
        await poller.poll(member)
        assert tags(one) == poller.tags
    assert poller.has_rising_ids()
