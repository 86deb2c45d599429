"""The names of metrics, params and tags count in the memory's bound, each once."""

import msgspec
import pytest

from service.cache.memory import Memory
from tests.cache.test_memory import put
from tests.tracking.values import make_run


def test_a_name_that_runs_share_counts_once() -> None:
    """The next run with the same names costs its values only, and the last one that has them frees them."""
    memory = Memory(2**30)
    names = [f"{place:0>1000}" for place in range(100)]
    put(memory, "a", make_run("a", metrics=dict.fromkeys(names, 1.0), tags={names[0]: "x"}))
    alone = memory.used
    put(memory, "b", make_run("b", metrics=dict.fromkeys(names, 2.0)))
    assert alone > 100_000
    assert memory.used - alone < 10_000
    put(memory, "a", None, asked=1)
    assert memory.used > 100_000
    put(memory, "b", None, asked=1)
    assert memory.used < 2_000


@pytest.mark.parametrize("name", ["é", "漢", "🙂"])
def test_a_name_that_was_answered_leaves_what_it_took(name: str) -> None:
    """Encoding a name that is not ASCII grows it in memory; what is taken off is what was put on."""
    memory, empty = Memory(2**20), Memory(2**20)
    run = make_run(metrics={name * 1_000: 1.0})
    put(memory, "a", run)
    msgspec.json.encode(run)
    put(memory, "a", None, asked=1)
    put(empty, "a", None)
    assert empty.used == memory.used
