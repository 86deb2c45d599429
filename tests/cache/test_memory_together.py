"""Several entries of the memory, read as one answer."""

from itertools import product

from service.answer import Origin, combine
from service.cache.freshness import Windows
from service.cache.memory import Memory
from service.cache.policy import remembered
from tests.cache.test_memory import Ask, names, put
from tests.tracking.values import make_run


def test_fresh_entries_together_are_the_combined_answer() -> None:
    """One answer to several questions is what combining makes, and there is none where one is stale."""
    now, windows = 7.0, [Windows(8, 16, 64), Windows(16, 32, 64), Windows(7, 16, 64)]
    for first, second in product(product([0.0, 2.0, 7.0], windows), product([1.0], windows)):
        memory = Memory(2**20)
        entries = [
            memory.put(Ask(name), make_run(name), 0, arrived, window)
            for name, (arrived, window) in (("a", first), ("b", second))
        ]
        answers = [remembered(entry, now) for entry in entries]
        together = memory.fresh_together([Ask("a"), Ask("b")], now)
        assert (together is None) == any(answer.origin is Origin.STALE for answer in answers)
        if together is not None:
            assert combine(tuple(entry.value for entry in entries), answers) == together


def test_entries_that_are_read_together_are_dropped_last() -> None:
    """Reading several entries at once is to read each of them; where one is lacking, there is no answer."""
    memory = Memory(2**20)
    for name in ("a", "b", "c"):
        put(memory, name, None)
    assert memory.fresh_together([Ask("b"), Ask("a")], 0.5) is not None
    assert ["c", "b", "a"] == names(memory)
    assert memory.fresh_together([Ask("a"), Ask("x")], 0.5) is None
