"""However questions, changes, loads, failures and time follow: no answer is older than promised."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, NamedTuple

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from service.answer import Answer, Origin
from service.cache.freshness import Freshness
from service.cache.revalidating_source import RevalidatingSource
from service.errors import UpstreamError
from service.tracking.questions import GetRun, ListRuns, Question
from service.tracking.runs import Place, Run
from service.tracking.source import Source
from tests.cache.scripted import Call, Clock, ScriptedSource, caching, compared, settle
from tests.tracking.values import make_run, matching

FRESHNESS = Freshness(
    terminal_ttl=8,
    active_ttl=2,
    list_ttl=4,
    experiments_ttl=8,
    missing_ttl=2,
    revalidate_factor=2,
    stale_if_error=40,
)
LOAD = 3.0  # seconds that a call of the source takes at most
REST = 1.0  # seconds after a failure in which it may be bridged without asking again

run_ids = st.sampled_from("abc")
questions = st.builds(
    ListRuns,
    st.just("0"),
    st.sampled_from([None, "cpcv"]),
    st.sampled_from([None, "carry"]),
    st.integers(1, 4),
    st.sampled_from([None, None, Place(1, "a"), Place(1, "b")]),
)
tags = st.fixed_dictionaries(
    {}, optional={"run_type": st.just("cpcv"), "strategy_id": st.sampled_from(["carry", "trend"])}
)


# A question, the value that was answered, and how to find the value in what MLflow held at some time.
Part = tuple[Question[Any], Any, Callable[[dict[str, Run]], Any]]


class Asked(NamedTuple):
    """A question, who waits for its answer, and since when; parts: how to see that an answer was true."""

    answer: asyncio.Future[Answer[Any]]
    parts: Callable[[Any], Iterator[Part]]
    since: float
    is_forced: bool
    is_several: bool


def is_renewed(answer: Answer[Any]) -> bool:
    """Whether an answer is past its time to live, so that it is renewed behind the caller's back."""
    return answer.origin in {Origin.STALE, Origin.SHARED} and answer.left <= 0


class FreshnessMachine(RuleBasedStateMachine):
    """A store over an MLflow of which everything that was ever true is known."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.clock = Clock()
        self.source = ScriptedSource()
        self.source.holds = True
        self.cached = caching(self.source, self.clock, FRESHNESS)
        self.history: list[tuple[float, dict[str, Run]]] = [(self.clock.now, {})]
        self.in_the_air: list[tuple[float, Call]] = []
        self.waiting: list[Asked] = []
        self.is_failing = False
        self.failed_at = -1_000.0
        self.versions = 0

    @initialize(known=st.lists(run_ids))
    def begin(self, known: list[str]) -> None:
        for run_id in known:
            self.log(run_id, True, {})

    @rule(run_id=run_ids, has_ended=st.booleans(), tags=tags)
    def log(self, run_id: str, has_ended: bool, tags: dict[str, str]) -> None:
        """A run appears, or is another from now on."""
        self.versions += 1
        self.source.put(
            make_run(
                run_id,
                status="FINISHED" if has_ended else "RUNNING",
                start_time=self.versions % 3,
                metrics={"version": float(self.versions)},
                tags=tags,
            )
        )
        self.history.append((self.clock.now, dict(self.source.stored)))

    @rule(run_id=run_ids)
    def delete(self, run_id: str) -> None:
        """A run is gone from now on."""
        self.source.stored.pop(run_id, None)
        self.history.append((self.clock.now, dict(self.source.stored)))

    @rule(run_id=run_ids, is_forced=st.booleans())
    def read(self, run_id: str, is_forced: bool) -> None:
        """Somebody asks for a run."""

        def parts(run: Run | None) -> Iterator[Part]:
            yield GetRun(run_id), run, lambda stored: stored.get(run_id)

        self.ask(lambda source: source.answer(GetRun(run_id)), parts, is_forced=is_forced)

    @rule(question=questions, is_forced=st.booleans())
    def search(self, question: ListRuns, is_forced: bool) -> None:
        """Somebody asks for a list."""

        def parts(runs: tuple[Run, ...]) -> Iterator[Part]:
            yield question, runs, lambda stored: matching(stored.values(), question)

        self.ask(lambda source: source.answer(question), parts, is_forced=is_forced)

    @rule(run_ids=st.permutations("abc"), several=st.integers(2, 3), is_forced=st.booleans())
    def compare(self, run_ids: list[str], several: int, is_forced: bool) -> None:
        """Somebody asks for several runs."""
        asked = run_ids[:several]

        def parts(runs: tuple[Run | None, ...]) -> Iterator[Part]:
            for run_id, run in zip(asked, runs, strict=True):
                yield GetRun(run_id), run, lambda stored, run_id=run_id: stored.get(run_id)  # type: ignore[misc]

        self.ask(lambda source: compared(source, asked), parts, is_forced=is_forced, is_several=True)

    def ask(
        self,
        question: Callable[[Source], Awaitable[Answer[Any]]],
        parts: Callable[[Any], Iterator[Part]],
        *,
        is_forced: bool,
        is_several: bool = False,
    ) -> None:
        source = RevalidatingSource(self.cached) if is_forced else self.cached
        before = len(self.source.calls)

        async def answer() -> Answer[Any]:
            return await question(source)

        asked = Asked(self.loop.create_task(answer()), parts, self.clock.now, is_forced, is_several)
        self.waiting.append(asked)
        self.go_on()
        if asked.answer.done() and not is_several and not is_renewed(asked.answer.result()):
            assert before == len(self.source.calls)  # what is fresh is not asked for

    @precondition(lambda self: self.in_the_air)
    @rule(place=st.integers(0, 9))
    def land(self, place: int) -> None:
        """A call returns."""
        self.release(self.in_the_air[place % len(self.in_the_air)])

    @rule(seconds=st.sampled_from([0.5, 1, 2, 4, 8, 16, 45]))
    def tick(self, seconds: float) -> None:
        """Time passes; a call that has taken as long as any may returns when it has."""
        until = self.clock.now + seconds
        while self.in_the_air and self.in_the_air[0][0] + LOAD <= until:
            self.clock.now = self.in_the_air[0][0] + LOAD
            self.release(self.in_the_air[0])
        self.clock.now = until

    @rule(is_failing=st.booleans())
    def fall_ill_or_heal(self, is_failing: bool) -> None:
        self.is_failing = is_failing

    @rule(looks_late=st.booleans())
    def look_early_or_late(self, looks_late: bool) -> None:
        """Calls bring what is true when they are made, or when they return."""
        self.source.looks_late = looks_late

    def release(self, flying: tuple[float, Call]) -> None:
        self.in_the_air.remove(flying)
        if self.is_failing:
            self.failed_at = self.clock.now
            flying[1].fail()
        else:
            flying[1].answer()
        self.go_on()

    def go_on(self) -> None:
        """Let everything happen that can, then look at what was answered."""
        known = len(self.source.calls)
        self.loop.run_until_complete(settle())
        self.in_the_air += [(self.clock.now, call) for call in self.source.calls[known:]]
        waiting, self.waiting = self.waiting, []
        for asked in waiting:
            if asked.answer.done():
                self.judge(asked)
            else:
                self.waiting.append(asked)

    def judge(self, asked: Asked) -> None:
        now = self.clock.now
        error = asked.answer.exception()
        if error is not None:
            assert isinstance(error, UpstreamError)
            assert now == self.failed_at
            return
        answer = asked.answer.result()
        # Of several runs one may wait for another: that is a load more, and what was given is so still.
        loads, given = (LOAD * 2, asked.since) if asked.is_several else (LOAD, now)
        is_bridging = given - self.failed_at < REST
        for question, value, look in asked.parts(answer.value):
            windows = FRESHNESS.windows(question.freshness_of(value))
            oldest = now - loads - (windows.usable if is_bridging else windows.renewable)
            earliest = asked.since if asked.is_forced else oldest
            assert self.was_true(value, look, earliest, now)
            came = now - answer.age  # the oldest of several
            assert self.was_true(value, look, came - LOAD, now if asked.is_several else came)

    def was_true(
        self, value: Any, look: Callable[[dict[str, Run]], Any], earliest: float, latest: float
    ) -> bool:
        """Whether the value was what MLflow held at some moment between these."""
        untils = [since for since, _ in self.history[1:]] + [self.clock.now]
        return any(
            since <= latest and until >= earliest and look(stored) == value
            for (since, stored), until in zip(self.history, untils, strict=True)
        )

    @invariant()
    def nothing_is_asked_twice_at_once(self) -> None:
        asked: list[object] = []
        for _, call in self.in_the_air:
            asked += call.asked if isinstance(call.asked, tuple) else [call.asked]
        assert len(set(asked)) == len(asked)

    def teardown(self) -> None:
        self.is_failing = False
        while self.in_the_air:
            self.release(self.in_the_air[0])
        assert [] == self.waiting
        self.loop.run_until_complete(self.cached.aclose())
        self.loop.close()


FreshnessMachine.TestCase.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
TestFreshness = FreshnessMachine.TestCase
