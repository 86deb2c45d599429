"""What callers ask of a replica that follows: the replica that writes does it for them."""

import asyncio

import pytest
from msgspec.structs import replace

from service.context import DEADLINE
from service.errors import UpstreamTimeout, UpstreamUnavailable
from service.index.schedule import Step
from service.index.shared.roles import Role
from service.tracking.search.queries import RunSearch
from tests.index.fleet import Fleet, Member
from tests.index.test_shared_index import fleet


async def refreshed(one: Fleet, member: Member, seconds: float = 10) -> float:
    """Refresh an index while time passes: its age then."""
    task = asyncio.create_task(member.index.refresh(("1",)))
    await asyncio.sleep(0)
    await one.until(task.done, seconds)
    return (await task).age


async def test_no_cache_is_a_tick_of_the_writer() -> None:
    """A refresh on any replica returns after a tick that began after it: what was new is there."""
    one = await fleet()
    [follower, _] = one.others
    one.mlflow.add("new")
    ticks = one.writer.index.sync.steps[Step.TICK, "done"]
    assert 1 > await refreshed(one, follower)
    assert "new" in follower.indexed()
    assert ticks < one.writer.index.sync.steps[Step.TICK, "done"]
    assert 0 == follower.index.sync.steps[Step.TICK, "done"]


async def test_many_refreshes_are_one_tick() -> None:
    """All who ask a replica for a tick before it is wished for get the same one."""
    one = await fleet()
    [follower, _] = one.others
    tasks = [asyncio.create_task(follower.index.refresh(("1",))) for _ in range(20)]
    await asyncio.sleep(0)
    await follower.upkeep.send()
    assert 1 == len(one.store.wishes) - one.store.wishes.index(one.store.wishes[-1])
    await one.until(lambda: all(task.done() for task in tasks), 5)


async def test_the_failure_of_a_tick_reaches_who_asked_for_it() -> None:
    """MLflow's failure is the same error on the replica that follows as on the one that writes."""
    one = await fleet()
    [follower, _] = one.others
    one.mlflow.fails = UpstreamUnavailable("busy", retry_after=7)
    with pytest.raises(UpstreamUnavailable) as refusal:
        await refreshed(one, follower)
    assert (7, "The tracking server takes no more requests for now.") == (
        refusal.value.retry_after,
        refusal.value.detail,
    )


async def test_a_dead_writer_is_replaced_while_somebody_waits() -> None:
    """A tick that was wished for of a replica that died is made by the next one."""
    one = await fleet()
    one.kill(one.writer.name)
    [first, second] = one.members.values()
    follower = second if first.log._name == min(one.members) else first
    await refreshed(one, follower, 15)
    assert Role.WRITING in {first.role, second.role}


@pytest.mark.parametrize("has_own_caller", [True, False])
async def test_a_writer_that_is_deposed_while_it_makes_the_tick(*, has_own_caller: bool) -> None:
    """Whoever waits for it, there or on another replica, has one of the replica that writes then."""
    one = await fleet()
    former = one.writer
    [heir, follower] = one.others
    asked = former if has_own_caller else follower
    one.mlflow.add("new")

    async def depose() -> None:
        one.store.writer = (heir.log._name, one.clock.now + 3)

    former.log.meanwhile = depose
    await refreshed(one, asked, 15)
    assert "new" in asked.indexed()
    assert heir is one.writer


async def test_nobody_makes_the_tick() -> None:
    """Where the writer does not answer in time, the deadline of the request ends in the usual error."""
    one = await fleet()
    [follower, _] = one.others
    reset = DEADLINE.set(asyncio.get_running_loop().time() + 0.01)
    try:
        with pytest.raises(UpstreamTimeout):
            await follower.index.refresh(("1",))
    finally:
        DEADLINE.reset(reset)


async def test_a_search_keeps_the_writer_awake() -> None:
    """While somebody searches on a replica that follows, the one that writes ticks often, and else seldom."""
    one = await fleet()
    [follower, _] = one.others

    async def calls(*, is_searching: bool) -> int:
        before = one.calls()
        for _ in range(60):
            if is_searching:
                await follower.index.search(RunSearch(("1",)))
            await one.pass_time(1, in_use=False)
        return one.calls() - before

    await calls(is_searching=False)
    assert await calls(is_searching=False) < 5
    assert await calls(is_searching=True) > 20


async def test_rows_that_are_shown_are_verified() -> None:
    """An edit that no tick finds is found where its row is shown, on whichever replica."""
    one = await fleet()
    [follower, _] = one.others
    await one.pass_time(60)
    one.mlflow.tag("old0039", "late")
    await follower.index.search(RunSearch(("1",)))
    await one.until(one.are_equal, 8)


async def test_rows_that_were_just_verified_are_not_asked_for_again() -> None:
    """Many searches on all replicas cost MLflow as many verifications as on one."""
    one = await fleet()

    steps = one.writer.index.sync.steps
    before = steps[Step.SHOWN, "done"]
    for _ in range(120):
        for member in one.members.values():
            await member.index.search(RunSearch(("1",)))
        await one.pass_time(0.5)
    assert 1 <= steps[Step.SHOWN, "done"] - before <= 60 / 30 + 1


async def test_a_run_that_passes_is_verified_where_it_differs() -> None:
    """What passes to a caller is not put into this index alone: the writer asks for it, and all have it."""
    one = await fleet()
    [follower, _] = one.others
    one.mlflow.tag("old0000", "late")
    follower.upkeep.passed(one.mlflow.stored["old0000"], one.clock.now)
    assert {} == follower.runs.table.run("old0000").tags.get("verdict", {})  # type: ignore[union-attr]
    await one.until(one.are_equal, 8)


@pytest.mark.parametrize("run_id", ["old0000", "elsewhere", "gone"])
async def test_a_run_that_passes_and_is_no_news(run_id: str) -> None:
    """A run that is known just so, of another experiment, or deleted and unknown, is not asked for."""
    one = await fleet()
    [follower, _] = one.others
    known = one.mlflow.stored["old0000"]
    runs = {
        "old0000": known,
        "elsewhere": replace(known, run_id="elsewhere", experiment_id="9"),
        "gone": replace(known, run_id="gone", is_deleted=True),
    }
    follower.upkeep.passed(runs[run_id], one.clock.now)
    wishes = len(one.store.wishes)
    await follower.upkeep.send()
    assert wishes == len(one.store.wishes)


async def test_an_old_answer_that_passes_is_no_news() -> None:
    """A run as it was before the index last asked for it is not asked for again."""
    one = await fleet()
    [follower, _] = one.others
    old = one.mlflow.stored["old0000"]
    asked = one.clock.now
    one.mlflow.tag("old0000", "new")
    follower.upkeep.passed(one.mlflow.stored["old0000"], one.clock.now)
    await one.until(one.are_equal, 8)
    follower.upkeep.passed(old, asked)
    wishes = len(one.store.wishes)
    await follower.upkeep.send()
    assert wishes == len(one.store.wishes)


async def test_alone_a_run_that_passes_is_taken() -> None:
    """A replica that is alone takes what passes, as one without a store does."""
    one = await fleet()
    one.store.is_down = True
    await one.pass_time(7)
    [first, *_] = one.members.values()
    one.mlflow.tag("old0000", "late")
    first.upkeep.passed(one.mlflow.stored["old0000"], one.clock.now)
    assert one.mlflow.stored["old0000"] == first.runs.table.run("old0000")


async def test_rubbish_among_the_wishes() -> None:
    """What is no wish is left alone, and the wishes behind it are heeded."""
    one = await fleet()
    [follower, _] = one.others
    await follower.log.wish(b"\xc1")
    assert 1 > await refreshed(one, follower)


async def test_mlflow_fails() -> None:
    """That MLflow does not answer, and does again, is told by all replicas with the same numbers."""
    one = await fleet()
    one.mlflow.fails = UpstreamUnavailable("down")
    await one.pass_time(30)
    assert {"failing"} == {m.index.condition for m in one.members.values()}
    assert 1 == len({(m.position, m.runs.changes.staleness) for m in one.members.values()})
    assert one.writer.runs.changes.staleness is not None
    new = one.join("d")
    await new.turn()
    assert one.writer.runs.changes.staleness == new.runs.changes.staleness
    one.mlflow.fails = None
    await one.pass_time(70)
    assert {None} == {m.runs.changes.staleness for m in one.members.values()}
    assert 1 == len({m.position for m in one.members.values()})
