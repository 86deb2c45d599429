"""How old an answer may be: the windows of freshness, by a clock that tests turn."""

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

from service.answer import Answer, Origin
from service.cache.cached_source import CachedSource
from service.errors import (
    UpstreamAuth,
    UpstreamError,
    UpstreamFailure,
    UpstreamNotAsked,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from service.http.cache_status import cache_status
from service.tracking.questions import GetExperiment, GetRun, ListExperiments, ListRuns, Question
from tests.cache.scripted import FRESHNESS, Clock, ScriptedSource, hit, landed, settle, stale
from tests.tracking.values import make_experiment, make_run

LIST = ListRuns("0", None, None, 2)
TINY = 0.25


class Kind(NamedTuple):
    """A question, the seconds for which its answer is fresh, and what makes the answer another."""

    question: Question[Any]
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
    "a run that ended": Kind(GetRun("done"), 32, log_metric),
    "an active run": Kind(GetRun("running"), 4, lambda source: log_metric(source, "running")),
    "a list": Kind(LIST, 8, log_metric),
    "an experiment": Kind(GetExperiment("Default"), 16, delete),
    "experiments": Kind(ListExperiments(), 16, create),
}
every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))


async def remembered(
    kind: Kind, cached: CachedSource, source: ScriptedSource, clock: Clock, age: float
) -> Any:
    """What was answered `age` seconds ago, since when it has changed; what was asked is forgotten."""
    value = (await cached.answer(kind.question)).value
    source.taken()
    kind.change(source)
    clock.tick(age)
    return value


@every_kind
async def test_a_fresh_answer_asks_nobody(
    cached: CachedSource, source: ScriptedSource, clock: Clock, kind: Kind
) -> None:
    """Within its time to live an answer is given as it came, with its age and the time that is left."""
    first = await cached.answer(kind.question)
    assert Answer(first.value, 0.0, Origin.MISS, 0.0) == first
    source.taken()
    kind.change(source)
    clock.tick(1.5)
    assert hit(first.value, 1.5, kind.ttl - 1.5) == await cached.answer(kind.question)
    clock.tick(kind.ttl - 1.5 - TINY)
    assert hit(first.value, kind.ttl - TINY, TINY) == await cached.answer(kind.question)
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
        expected = stale(old, age, kind.ttl - age)
        assert expected == await cached.answer(kind.question)
    [call] = await source.until_asked(1)
    assert call.is_renewal
    call.answer()
    await landed(cached)
    renewed = await cached.answer(kind.question)
    assert (0.0, f"hit; ttl={int(kind.ttl)}") == (renewed.age, cache_status(renewed))
    assert old != renewed.value
    assert [call] == source.calls


@every_kind
async def test_an_answer_past_renewing_is_waited_for(
    cached: CachedSource, source: ScriptedSource, clock: Clock, kind: Kind
) -> None:
    """Once the window for renewals is over, callers wait for a new answer, which is no renewal."""
    old = await remembered(kind, cached, source, clock, kind.renewable)
    source.holds = True
    asking = asyncio.ensure_future(cached.answer(kind.question))
    [call] = await source.until_asked(1)
    assert not call.is_renewal
    clock.tick(0.5)
    call.answer()
    answer = await asking
    assert (0.0, "fwd=stale", 0.5) == (answer.age, cache_status(answer), answer.waited)
    assert old != answer.value


@every_kind
async def test_a_failure_is_bridged_by_the_last_answer(
    cached: CachedSource, source: ScriptedSource, clock: Clock, kind: Kind
) -> None:
    """Where MLflow fails, what it said last is given until stale-if-error is over, and then the failure."""
    age = kind.usable - 2
    old = await remembered(kind, cached, source, clock, age)
    source.fails = UpstreamError("told to fail")
    expected = stale(old, age, kind.ttl - age)
    assert expected == await cached.answer(kind.question)
    clock.tick(2 - TINY)
    assert old == (await cached.answer(kind.question)).value
    clock.tick(TINY)
    with pytest.raises(UpstreamError):
        await cached.answer(kind.question)
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
    await cached.answer(GetRun("done"))
    clock.tick(KINDS["a run that ended"].renewable)
    source.fails = error
    assert source.stored["done"] == (await cached.answer(GetRun("done"))).value
    with pytest.raises(type(error)) as caught:
        await cached.answer(GetRun("running"))
    assert error is caught.value


async def test_a_defect_is_not_bridged(
    cached: CachedSource, source: ScriptedSource, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not a failure of MLflow's is raised, whatever is remembered."""
    await cached.answer(GetRun("done"))
    clock.tick(KINDS["a run that ended"].renewable)

    async def defect(question: Question[Any]) -> Answer[None]:
        raise ZeroDivisionError

    monkeypatch.setattr(source, "answer", defect)
    with pytest.raises(ZeroDivisionError):
        await cached.answer(GetRun("done"))


@every_kind
async def test_a_renewal_that_failed_rests_for_a_moment(
    cached: CachedSource, source: ScriptedSource, clock: Clock, kind: Kind
) -> None:
    """A failing MLflow is asked for a renewal four times a second at most; the old answer serves."""
    old = await remembered(kind, cached, source, clock, kind.ttl)
    source.fails = UpstreamError("told to fail")
    for seconds, expected in ((0, 1), (0.1875, 0), (0.0625, 1), (0.125, 0), (0.125, 1)):
        clock.tick(seconds)
        assert old == (await cached.answer(kind.question)).value
        await landed(cached)
        assert expected == len(source.taken())
    source.fails = None
    clock.tick(1)
    assert old == (await cached.answer(kind.question)).value
    await landed(cached)
    assert "hit; ttl=" + str(int(kind.ttl)) == cache_status(await cached.answer(kind.question))


@every_kind
async def test_a_failure_past_renewing_rests_for_a_moment(
    cached: CachedSource, source: ScriptedSource, clock: Clock, kind: Kind
) -> None:
    """Callers do not wait one after another for what has just failed; afterwards they see it healed."""
    old = await remembered(kind, cached, source, clock, kind.renewable)
    source.fails = UpstreamError("told to fail")
    assert old == (await cached.answer(kind.question)).value
    source.fails = None
    clock.tick(0.1875)
    assert old == (await cached.answer(kind.question)).value
    await settle()
    assert 1 == len(source.taken())
    clock.tick(0.0625)
    assert old != (await cached.answer(kind.question)).value


async def test_what_does_not_exist_is_believed_for_a_while(
    cached: CachedSource, source: ScriptedSource, clock: Clock
) -> None:
    """A run or an experiment that is missing is not asked for again in its time to live."""
    questions: list[Question[Any]] = [GetRun("new"), GetExperiment("new")]
    for question in questions:
        assert Answer(None) == await cached.answer(question)
        clock.tick(2 - TINY)
        assert hit(None, 2 - TINY, TINY) == await cached.answer(question)
        await settle()
        assert 1 == len(source.taken())


async def test_what_did_not_exist_is_asked_for_and_waited_for(
    cached: CachedSource, source: ScriptedSource, clock: Clock
) -> None:
    """After its time to live nobody is told that a run is missing without MLflow saying so again."""
    await cached.answer(GetRun("new"))
    source.put(make_run("new"))
    clock.tick(2)
    assert Answer(make_run("new"), expired=True) == await cached.answer(GetRun("new"))


async def test_a_failure_is_never_taken_for_missing(
    cached: CachedSource, source: ScriptedSource, clock: Clock
) -> None:
    """Where MLflow fails, an old word that there is no such run is not given."""
    await cached.answer(GetRun("new"))
    clock.tick(2)
    source.fails = UpstreamError("told to fail")
    with pytest.raises(UpstreamError):
        await cached.answer(GetRun("new"))


async def test_an_empty_list_of_experiments_lives_as_long_as_a_full_one(
    cached: CachedSource, source: ScriptedSource, clock: Clock
) -> None:
    """A server without experiments is asked for them as seldom as one that has some."""
    source.listed = []
    assert Answer(()) == await cached.answer(ListExperiments())
    clock.tick(15)
    assert hit((), 15.0, 1.0) == await cached.answer(ListExperiments())
    assert 1 == len(source.calls)


async def test_what_is_gone_leaves_the_store(
    cached: CachedSource, source: ScriptedSource, clock: Clock
) -> None:
    """Once MLflow says that a run does not exist, it is not given any more, even if MLflow fails then."""
    await cached.answer(GetRun("done"))
    del source.stored["done"]
    clock.tick(32)
    assert (await cached.answer(GetRun("done"))).value is not None
    await landed(cached)
    assert hit(None, 0.0, 2.0) == await cached.answer(GetRun("done"))
    clock.tick(2)
    source.fails = UpstreamError("told to fail")
    with pytest.raises(UpstreamError):
        await cached.answer(GetRun("done"))
