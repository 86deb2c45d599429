"""How old an answer may be: the windows of freshness, by a clock that tests turn."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

from service.answer import Answer
from service.cache.cached_source import CachedSource
from service.errors import (
    UpstreamAuth,
    UpstreamError,
    UpstreamFailure,
    UpstreamNotAsked,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from service.tracking.runs import RunQuestion
from service.tracking.source import RunSource
from tests.cache.scripted import FRESHNESS, Clock, ScriptedSource, landed, settle
from tests.tracking.values import make_experiment, make_run

LIST = RunQuestion("0", None, None, 2)
TINY = 0.25


class Kind(NamedTuple):
    """A question, the seconds for which its answer is fresh, and what makes the answer another."""

    ask: Callable[[RunSource], Awaitable[Answer[Any]]]
    ttl: float
    change: Callable[[ScriptedSource], object]

    @property
    def renewable(self) -> float:
        return self.ttl * (1 + FRESHNESS.revalidate_factor)

    @property
    def usable(self) -> float:
        return self.ttl + FRESHNESS.stale_if_error


def log_metric(source: ScriptedSource, run_id: str = "done", value: float = 1.0) -> None:
    """Give a run a metric that it did not have."""
    source.put(replace(source.stored[run_id], metrics={"m": value}))


def create(source: ScriptedSource) -> None:
    """Create an experiment."""
    source.listed = [make_experiment(), make_experiment("1", "new")]


def delete(source: ScriptedSource) -> None:
    """Delete the experiment."""
    source.listed = [make_experiment(stage="deleted")]


KINDS = {
    "a run that ended": Kind(lambda asked: asked.run("done"), 32, log_metric),
    "an active run": Kind(
        lambda asked: asked.run("running"), 4, lambda source: log_metric(source, "running")
    ),
    "a list": Kind(lambda asked: asked.search(LIST), 8, log_metric),
    "an experiment": Kind(lambda asked: asked.experiment("Default"), 16, delete),
    "experiments": Kind(lambda asked: asked.experiments(), 16, create),
}
every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))


async def remembered(
    kind: Kind, cached: CachedSource, source: ScriptedSource, clock: Clock, age: float
) -> Any:
    """What was answered `age` seconds ago, since when it has changed; what was asked is forgotten."""
    value = (await kind.ask(cached)).value
    source.taken()
    kind.change(source)
    clock.tick(age)
    return value


@every_kind
async def test_a_fresh_answer_asks_nobody(
    cached: CachedSource, source: ScriptedSource, clock: Clock, kind: Kind
) -> None:
    """Within its time to live an answer is given as it came, with its age and the time that is left."""
    first = await kind.ask(cached)
    assert Answer(first.value, 0.0, "fwd=miss", 0.0) == first
    source.taken()
    kind.change(source)
    clock.tick(1.5)
    assert Answer(first.value, 1.5, f"hit; ttl={int(kind.ttl - 1.5)}", 0.0) == await kind.ask(cached)
    clock.tick(kind.ttl - 1.5 - TINY)
    assert Answer(first.value, kind.ttl - TINY, "hit; ttl=0", 0.0) == await kind.ask(cached)
    await settle()
    assert [] == source.taken()


@every_kind
@pytest.mark.parametrize("moment", ["first", "last"])
async def test_a_stale_answer_is_given_while_it_is_renewed(
    cached: CachedSource, source: ScriptedSource, clock: Clock, kind: Kind, moment: str
) -> None:
    """Past its time to live the old answer is given at once, and renewed once behind the callers' backs."""
    age = kind.ttl if moment == "first" else kind.renewable - TINY
    old = await remembered(kind, cached, source, clock, age)
    source.holds = True
    for _ in range(3):
        expected = Answer(old, age, f"hit; ttl={int(kind.ttl - age)}; detail=stale", 0.0)
        assert expected == await kind.ask(cached)
    [call] = await source.until_asked(1)
    assert call.is_renewal
    call.answer()
    await landed(cached)
    renewed = await kind.ask(cached)
    assert (0.0, f"hit; ttl={int(kind.ttl)}") == (renewed.age, renewed.cache)
    assert old != renewed.value
    assert [call] == source.calls


@every_kind
async def test_an_answer_past_renewing_is_waited_for(
    cached: CachedSource, source: ScriptedSource, clock: Clock, kind: Kind
) -> None:
    """Once the window for renewals is over, callers wait for a new answer, which is no renewal."""
    old = await remembered(kind, cached, source, clock, kind.renewable)
    source.holds = True
    asking = asyncio.ensure_future(kind.ask(cached))
    [call] = await source.until_asked(1)
    assert not call.is_renewal
    clock.tick(0.5)
    call.answer()
    reading = await asking
    assert (0.0, "fwd=stale", 0.5) == (reading.age, reading.cache, reading.waited)
    assert old != reading.value


@every_kind
async def test_a_failure_is_bridged_by_the_last_answer(
    cached: CachedSource, source: ScriptedSource, clock: Clock, kind: Kind
) -> None:
    """Where MLflow fails, what it said last is given until stale-if-error is over, and then the failure."""
    age = kind.usable - 2
    old = await remembered(kind, cached, source, clock, age)
    source.fails = UpstreamError("told to fail")
    expected = Answer(old, age, f"hit; ttl={int(kind.ttl - age)}; detail=stale", 0.0)
    assert expected == await kind.ask(cached)
    clock.tick(2 - TINY)
    assert old == (await kind.ask(cached)).value
    clock.tick(TINY)
    with pytest.raises(UpstreamError):
        await kind.ask(cached)
    assert 3 == len(source.calls)


@pytest.mark.parametrize(
    "error",
    [
        UpstreamError("x"),
        UpstreamAuth("x"),
        UpstreamTimeout("x"),
        UpstreamUnavailable("x"),
        UpstreamNotAsked("x"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_any_failure_is_bridged(
    cached: CachedSource, source: ScriptedSource, clock: Clock, error: UpstreamFailure
) -> None:
    """Every way in which MLflow fails is one in which the last answer is given, else raised as it is."""
    await cached.run("done")
    clock.tick(KINDS["a run that ended"].renewable)
    source.fails = error
    assert source.stored["done"] == (await cached.run("done")).value
    with pytest.raises(type(error)) as caught:
        await cached.run("running")
    assert error is caught.value


async def test_a_defect_is_not_bridged(
    cached: CachedSource, source: ScriptedSource, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not a failure of MLflow's is raised, whatever is remembered."""
    await cached.run("done")
    clock.tick(KINDS["a run that ended"].renewable)

    async def defect(run_id: str) -> Answer[None]:
        raise ZeroDivisionError

    monkeypatch.setattr(source, "run", defect)
    with pytest.raises(ZeroDivisionError):
        await cached.run("done")


@every_kind
async def test_a_renewal_that_failed_rests_for_a_moment(
    cached: CachedSource, source: ScriptedSource, clock: Clock, kind: Kind
) -> None:
    """A failing MLflow is asked for a renewal four times a second at most; the old answer serves."""
    old = await remembered(kind, cached, source, clock, kind.ttl)
    source.fails = UpstreamError("told to fail")
    for seconds, expected in ((0, 1), (0.1875, 0), (0.0625, 1), (0.125, 0), (0.125, 1)):
        clock.tick(seconds)
        assert old == (await kind.ask(cached)).value
        await landed(cached)
        assert expected == len(source.taken())
    source.fails = None
    clock.tick(1)
    assert old == (await kind.ask(cached)).value
    await landed(cached)
    assert "hit; ttl=" + str(int(kind.ttl)) == (await kind.ask(cached)).cache


@every_kind
async def test_a_failure_past_renewing_rests_for_a_moment(
    cached: CachedSource, source: ScriptedSource, clock: Clock, kind: Kind
) -> None:
    """Callers do not wait one after another for what has just failed; afterwards they see it healed."""
    old = await remembered(kind, cached, source, clock, kind.renewable)
    source.fails = UpstreamError("told to fail")
    assert old == (await kind.ask(cached)).value
    source.fails = None
    clock.tick(0.1875)
    assert old == (await kind.ask(cached)).value
    await settle()
    assert 1 == len(source.taken())
    clock.tick(0.0625)
    assert old != (await kind.ask(cached)).value


async def test_what_does_not_exist_is_believed_for_a_while(
    cached: CachedSource, source: ScriptedSource, clock: Clock
) -> None:
    """A run or an experiment that is missing is not asked for again in its time to live."""
    for ask in (cached.run, cached.experiment):
        assert Answer(None) == await ask("new")
        clock.tick(2 - TINY)
        assert Answer(None, 2 - TINY, "hit; ttl=0") == await ask("new")
        await settle()
        assert 1 == len(source.taken())


async def test_what_did_not_exist_is_asked_for_and_waited_for(
    cached: CachedSource, source: ScriptedSource, clock: Clock
) -> None:
    """After its time to live nobody is told that a run is missing without MLflow saying so again."""
    await cached.run("new")
    source.put(make_run("new"))
    clock.tick(2)
    assert Answer(make_run("new"), 0.0, "fwd=stale") == await cached.run("new")


async def test_a_failure_is_never_taken_for_missing(
    cached: CachedSource, source: ScriptedSource, clock: Clock
) -> None:
    """Where MLflow fails, an old word that there is no such run is not given."""
    await cached.run("new")
    clock.tick(2)
    source.fails = UpstreamError("told to fail")
    with pytest.raises(UpstreamError):
        await cached.run("new")


async def test_what_is_gone_leaves_the_store(
    cached: CachedSource, source: ScriptedSource, clock: Clock
) -> None:
    """Once MLflow says that a run does not exist, it is not given any more, even if MLflow fails then."""
    await cached.run("done")
    del source.stored["done"]
    clock.tick(32)
    assert (await cached.run("done")).value is not None
    await landed(cached)
    assert Answer(None, 0.0, "hit; ttl=2") == await cached.run("done")
    clock.tick(2)
    source.fails = UpstreamError("told to fail")
    with pytest.raises(UpstreamError):
        await cached.run("done")
