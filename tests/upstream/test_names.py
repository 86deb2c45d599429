"""The table of names: one object for equal names, and a bound of memory."""

import gc
import json
import tracemalloc
from sys import getsizeof

import pytest

from service.upstream import wire
from service.upstream.names import Names


def test_equal_names_are_one_object() -> None:
    """Runs of several replies share the objects of their names and statuses."""
    names = Names()
    body = json.dumps(
        {
            "run": {
                "info": {"run_id": "r", "status": "FINISHED"},
                "data": {
                    "metrics": [{"key": "one metric", "value": 1.0}],
                    "params": [{"key": "one param", "value": "x"}],
                    "tags": [{"key": "one tag", "value": "y"}],
                },
            }
        }
    ).encode()
    first, second = wire.read_run(body, names), wire.read_run(body, names)
    for mapping in ("metrics", "params", "tags"):
        [name], [same] = getattr(first, mapping), getattr(second, mapping)
        assert name is same
    assert first.status is second.status


def test_the_table_is_bounded() -> None:
    """However many names there are, the table takes eight mebibytes, and goes on sharing new ones."""
    names = Names()
    for number in range(100_000):
        name = f"metric {number}"
        assert name is names[name]
        assert name is names[f"metric {number}"]
    assert getsizeof(names) + sum(map(getsizeof, names)) < 8 * 2**20


def test_a_long_name_is_not_kept() -> None:
    """A very long name is returned as it is: one name cannot fill the table."""
    names = Names()
    assert "x" * 5_000 == names["x" * 5_000]
    assert {} == names


@pytest.mark.thorough
def test_names_of_runs_that_are_gone_are_gone() -> None:
    """Reading ever new names leaves no more in memory than the table."""
    names = Names()

    def read(number: int) -> None:
        metrics = [{"key": f"fold {number}/{place} {'of' * 100}", "value": 0.5} for place in range(2_000)]
        run = {"info": {"run_id": "r", "status": "FINISHED"}, "data": {"metrics": metrics}}
        wire.read_run(json.dumps({"run": run}).encode(), names)

    read(0)
    gc.collect()
    tracemalloc.start()
    try:
        for number in range(30):
            read(number)
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] < 9 * 2**20
    finally:
        tracemalloc.stop()
