"""The memory: its bound, its order and what it counts."""

import gc
import tracemalloc
from collections import OrderedDict
from collections.abc import Callable
from sys import intern
from typing import Any

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from service.cache.freshness import Windows
from service.cache.memory import Entry, Memory, size_of, size_of_name
from service.tracking.entity import Entity
from service.tracking.questions import Question
from service.tracking.runs import Run
from tests.tracking.values import make_experiment, make_run

Value = Entity | tuple[Entity, ...] | None

WINDOWS = Windows(1.0, 2.0, 3.0)
POOL = [
    make_run(
        f"r{number % 4}", params={"p": "x" * 150 * number}, metrics={"m": float(number), f"own{number}": 0.0}
    )
    for number in range(8)
]
EXPERIMENTS = [make_experiment("1", "a" * 300), make_experiment("2", "b")]

runs = st.sampled_from(POOL)
values = st.one_of(
    st.none(),
    runs,
    st.lists(runs, max_size=6).map(tuple),
    st.sampled_from(EXPERIMENTS),
    st.lists(st.sampled_from(EXPERIMENTS), max_size=2).map(tuple),
)


class Ask(Question[Value], frozen=True, gc=False):
    """A question that may have any value."""

    name: str


questions = st.sampled_from("abcdefgh").map(Ask)
asked = st.integers(0, 40)


def copied(value: Value) -> Value:
    """An equal value that shares no object with it."""
    if isinstance(value, tuple):
        return tuple(map(msgspec.structs.replace, value))
    return None if value is None else msgspec.structs.replace(value)


def put(memory: Memory, name: str, value: Value, asked: int = 0) -> Entry[Value]:
    return memory.put(Ask(name), value, asked, 0.0, WINDOWS)


def held(memory: Memory) -> OrderedDict[Question[Any], Entry[Any]]:
    """The entries, the next to be dropped first."""
    return OrderedDict((key, entry) for key in memory._entries if (entry := memory.peek(key)) is not None)


def names(memory: Memory) -> list[str]:
    """The names of the questions that are held, the next to be dropped first."""
    return [question.name for question in held(memory) if isinstance(question, Ask)]


def weighed(memory: Memory) -> int:
    """The bytes of all entries, and of every object and every name that they hold, once."""
    entries = held(memory).values()
    objects = {id(entity): entity for entry in entries for entity in Ask("").entities(entry.value)}
    names = {id(name): name for entity in objects.values() for name in entity.shared_names}
    return (
        sum(entry.size for entry in entries)
        + sum(map(size_of, objects.values()))
        + sum(map(size_of_name, names.values()))
    )


class MemoryMachine(RuleBasedStateMachine):
    """A memory beside a model of it: which values, in which order, are held."""

    def __init__(self) -> None:
        super().__init__()
        self.memory = Memory(0)
        self.max_bytes = 0
        self.model: OrderedDict[Question[Any], tuple[Value, int]] = OrderedDict()

    @initialize(max_bytes=st.sampled_from([0, 600, 2_000, 5_000, 20_000]))
    def begin(self, max_bytes: int) -> None:
        self.memory = Memory(max_bytes)
        self.max_bytes = max_bytes

    @rule(question=questions, value=values, asked=asked, is_copy=st.booleans())
    def put(self, question: Ask, value: Value, asked: int, is_copy: bool) -> None:
        value = copied(value) if is_copy else value
        evictions = self.memory.evictions
        entry = self.memory.put(question, value, asked, 0.0, WINDOWS)
        old, old_asked = self.model.get(question, (None, -1))
        if old_asked > asked:
            assert (old, old_asked) == (entry.value, entry.asked)
            assert old is entry.value
            return
        if question in self.model and old == value:
            value = old  # the object before stays
        assert value is entry.value
        self.model[question] = (value, asked)
        self.model.move_to_end(question)
        for _ in range(self.memory.evictions - evictions):
            self.model.popitem(last=False)

    @rule(question=questions)
    def get(self, question: Ask) -> None:
        entry = self.memory.get(question)
        assert (entry is not None) == (question in self.model)
        if entry is not None:
            assert self.model[question] == (entry.value, entry.asked)
            self.model.move_to_end(question)

    @rule(question=questions)
    def peek(self, question: Ask) -> None:
        assert (self.memory.peek(question) is not None) == (question in self.model)

    @invariant()
    def its_bytes_are_counted_and_bounded(self) -> None:
        assert weighed(self.memory) == self.memory.used
        assert self.memory.used <= self.max_bytes

    @invariant()
    def it_holds_what_was_read_last(self) -> None:
        assert len(self.model) == len(self.memory)
        found = {key: (entry.value, entry.asked) for key, entry in held(self.memory).items()}
        assert list(self.model.items()) == list(found.items())
        assert all(found[key][0] is value for key, (value, _) in self.model.items())


MemoryMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestMemoryMachine = MemoryMachine.TestCase


def test_nothing_is_dropped_while_there_is_room() -> None:
    """A put that fits drops nobody, and one byte less of room drops the one that was read longest ago."""
    for spare, expected in ((0, ["a", "b", "c"]), (-1, ["c", "a"])):
        roomy = Memory(2**20)
        for key in ("a", "b", "c"):
            put(roomy, key, make_run(key))
        memory = Memory(roomy.used + spare)
        put(memory, "a", make_run("a"))
        put(memory, "b", make_run("b"))
        memory.get(Ask("a"))
        put(memory, "c", make_run("c"))
        assert sorted(expected) == sorted(names(memory))
        assert 3 - len(expected) == memory.evictions


def test_to_peek_is_not_to_read() -> None:
    """peek leaves an entry where it stands in the order, get makes it the last to be dropped."""
    memory = Memory(2**20)
    for key in ("a", "b"):
        put(memory, key, None)
    memory.peek(Ask("a"))
    assert ["a", "b"] == names(memory)
    memory.get(Ask("a"))
    assert ["b", "a"] == names(memory)


def test_a_value_larger_than_all_room_is_answered_and_not_kept() -> None:
    """The entry is given all the same; the memory is empty then."""
    memory = Memory(1_000)
    put(memory, "a", None)
    large = make_run(params={"p": "x" * 10_000})
    assert large is put(memory, "b", large).value
    assert (0, 0) == (len(memory), memory.used)


def test_a_run_of_two_lists_counts_once() -> None:
    """A list of remembered runs costs its tuple and its entry only."""
    memory = Memory(2**30)
    run = make_run(params={"p": "x" * 100_000})
    put(memory, "run", run)
    alone = memory.used
    put(memory, "list", (run,))
    put(memory, "other list", (run, run))
    assert memory.used - alone < 2_000
    put(memory, "run", None, asked=1)
    assert memory.used > 100_000
    put(memory, "list", (), asked=1)
    put(memory, "other list", (), asked=1)
    assert memory.used < 2_000


@pytest.mark.parametrize("text", ["é", "漢", "🙂"])
def test_a_value_that_was_answered_leaves_what_it_took(text: str) -> None:
    """Encoding a text that is not ASCII grows it in memory; what is taken off for it is what was put on."""
    memory = Memory(2**20)
    run = make_run(tags={"note": text * 1_000})
    put(memory, "a", run)
    msgspec.json.encode(run)
    put(memory, "b", run)
    put(memory, "a", None, asked=1)
    put(memory, "b", None, asked=1)
    empty = Memory(2**20)
    put(empty, "a", None)
    put(empty, "b", None)
    assert empty.used == memory.used


def text(size: int, number: int) -> str:
    """A text that no other run shares."""
    return f"{number:0{size}d}"


def bare(number: int) -> Run:
    return make_run(text(32, number), name=text(12, number))


def usual(number: int) -> Run:
    return make_run(
        text(32, number),
        name=text(12, number),
        params={intern(f"param_{place}"): text(6, number) for place in range(20)},
        metrics={intern(f"metric_{place}"): number + place / 7 for place in range(30)},
        tags={intern(f"tag_{place}"): text(24, number) for place in range(8)},
    )


def wide(number: int) -> Run:
    return make_run(
        text(32, number), metrics={intern(f"metric_{place}"): number + place / 7 for place in range(1_000)}
    )


def wordy(number: int) -> Run:
    return make_run(
        text(32, number), tags={intern(f"tag_{place}"): text(4_000, number) for place in range(3)}
    )


def foreign(number: int) -> Run:
    return make_run(
        text(32, number), tags={intern(f"tag_{place}"): "é漢" * 500 + text(9, number) for place in range(3)}
    )


def original(number: int) -> Run:
    return make_run(
        text(32, number),
        params={f"param_{number}_{place}": text(6, number) for place in range(100)},
        metrics={f"fold/{number}/{place}/sharpe": number + place / 7 for place in range(500)},
    )


@pytest.mark.thorough
@pytest.mark.parametrize("together", [True, False], ids=["in one list", "one by one"])
@pytest.mark.parametrize("shape", [bare, usual, wide, wordy, foreign, original])
def test_the_count_is_near_the_truth(shape: Callable[[int], Run], together: bool) -> None:
    """The bytes that are counted for remembered runs are within a quarter of those that they take."""
    shape(0)  # the names that all runs share
    encode = msgspec.json.Encoder().encode
    gc.collect()
    tracemalloc.start()
    try:
        memory = Memory(2**30)
        if together:
            put(memory, "list", tuple(shape(number) for number in range(1_000, 1_100)))
        else:
            for number in range(1_000, 1_100):
                put(memory, text(32, number), shape(number))
        for entry in list(held(memory).values()):
            encode(entry.value)
        del entry
        used = memory.used
        with_it = tracemalloc.get_traced_memory()[0]
        del memory
        gc.collect()
        without = tracemalloc.get_traced_memory()[0]  # what other threads have taken meanwhile is in both
    finally:
        tracemalloc.stop()
    assert pytest.approx(with_it - without, rel=0.25) == used
