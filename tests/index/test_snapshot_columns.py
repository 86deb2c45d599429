"""A table goes through a snapshot and comes back as it was."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from service.index import snapshot_columns, texts
from service.index.snapshot import Stamp, read_snapshot, write_snapshot
from service.index.snapshot_columns import sections_of, table_of
from service.index.table import RunTable
from service.tracking.recorded import Dataset, Recorded
from service.tracking.runs import Run

SINCE = 1_700_000_000.0  # seconds from 1970 to when the first clock began ...
SINCE_LATER = SINCE + 3_600.0  # ... and to when that of the next process did
STAMP = Stamp(mlflow="m", experiments=(), synced_ms=0)

names = st.sampled_from(["a", "b", "metrics/0", "Größe", ""])
short = st.text(max_size=3)
numbers = st.none() | st.floats(allow_nan=False)
datasets = st.builds(Dataset, names, short, context=names)
model_ids = st.lists(st.sampled_from(["m-1", "m-2"]), max_size=2).map(tuple)
recorded = st.none() | st.builds(Recorded, st.lists(datasets, max_size=2).map(tuple), model_ids, model_ids)
runs = st.builds(
    Run,
    run_id=st.sampled_from([f"run{number}" for number in range(12)]),
    run_name=short,
    status=st.sampled_from(["RUNNING", "FINISHED"]),
    start_time=st.none() | st.integers(0, 2**53),
    end_time=st.none() | st.integers(0, 2**53),
    artifact_uri=st.sampled_from(["", "s3://b/run1/artifacts", "dbfs:/run7", "\0"]),
    params=st.dictionaries(names, short),
    metrics=st.dictionaries(names, numbers),
    tags=st.dictionaries(names, short),
    experiment_id=st.sampled_from(["0", "1"]),
    is_deleted=st.just(False),
    recorded=recorded,
)
steps = st.lists(st.tuples(runs, st.booleans()), max_size=40)


def table_from(changes: list[tuple[Run, bool]]) -> RunTable:
    """A table into which runs came, each a second after the one before; some left it again."""
    table = RunTable()
    for second, (run, is_left) in enumerate(changes):
        if is_left:
            table.drop(run.run_id, float(second))
        else:
            table.put(run, float(second))
    return table


def passed(table: RunTable) -> RunTable:
    """The table that the next process has."""
    return table_of({name: bytearray(data) for name, data in sections_of(table, SINCE)}, SINCE_LATER)


def content(table: RunTable) -> dict[str, Run | None]:
    """Each run by its id."""
    return {run_id: table.run(run_id) for run_id in table.run_ids()}


@given(steps)
def test_every_run_comes_back(changes: list[tuple[Run, bool]]) -> None:
    """The runs are equal, names of metrics, params and tags in their order, and so is all that is counted."""
    before = table_from(changes)
    after = passed(before)
    assert content(before) == content(after)
    for one, other in zip(
        content(before).values(), (after.run(run) for run in before.run_ids()), strict=True
    ):
        assert one is not None
        assert other is not None
        assert [*one.shared_names] == [*other.shared_names]
    assert len(before) == len(after) == after.rows
    assert [before.count([one]) for one in "01"] == [after.count([one]) for one in "01"]
    assert sorted(before.active_ids()) == sorted(after.active_ids())
    assert sorted(before.known_between(["0"], 0, math.inf)) == sorted(after.known_between(["0"], 0, math.inf))


@given(steps, steps)
def test_it_lives_on(changes: list[tuple[Run, bool]], later: list[tuple[Run, bool]]) -> None:
    """A table that came back takes changes as one that never went away."""
    before = table_from(changes)
    after = passed(before)
    for table in (before, after):
        for run, is_left in later:
            if is_left:
                table.drop(run.run_id, 10_000.0)
            else:
                table.put(run, 10_000.0)
    assert content(before) == content(after)


@given(steps)
def test_what_it_takes_of_memory_is_known(changes: list[tuple[Run, bool]]) -> None:
    """A table that came back and is emptied takes as little as one that was filled and emptied."""
    before = table_from(changes)
    after = passed(before)
    for table in (before, after):
        for run_id in list(table.run_ids()):
            table.drop(run_id, 10_000.0)
    assert 0 == len(after) == len(before)
    arrays = 20_000  # bytes of columns that every table has, as long as they were
    assert abs(before.bytes_used - after.bytes_used) < arrays


def run_of(number: int) -> Run:
    """A run with metrics that all have, that every third has, and that nobody else has."""
    metrics = {"loss": number / 3, "nan": None, "inf": math.inf}
    if number % 3 == 0:
        metrics["third"] = float(number)
    if number % 40 == 7:
        metrics[f"only{number}"] = -1.0
    return Run(
        f"id{number}",
        f"name{number % 7}",
        "FINISHED",
        number,
        None,
        f"s3://bucket/id{number}/artifacts",
        {"seed": str(number)},
        metrics,
        {"strategy_id": str(number % 5)},
        experiment_id="0",
    )


@pytest.mark.parametrize("many", [0, 1, 300])
def test_columns_of_any_density(many: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Columns that all rows have, some, one or none come back, in however many parts texts are written."""
    monkeypatch.setattr(snapshot_columns, "_AT_ONCE", 64)
    monkeypatch.setattr(texts, "_AT_ONCE", 50)
    before = table_from([(run_of(number), False) for number in range(many)])
    for number in range(0, many, 9):
        before.drop(f"id{number}", 10_000.0)
    after = passed(before)
    assert content(before) == content(after)
    assert not [run_id for run_id in content(after) if int(run_id.removeprefix("id")) % 9 == 0]


def test_a_file_holds_a_table(tmp_path: Path) -> None:
    """What is read from a file is the table that was written into it."""
    before = table_from([(run_of(number), False) for number in range(50)])
    write_snapshot(tmp_path / "s", STAMP, sections_of(before, SINCE))
    read = read_snapshot(tmp_path / "s", mlflow="m", experiments=(), now_ms=0, max_age=0.0, max_bytes=2**20)
    assert content(before) == content(table_of(read.sections, SINCE_LATER))


def test_when_a_run_was_asked_for_is_known_in_the_next_clock() -> None:
    """A run keeps its age: to a clock that began an hour later, it was asked for an hour earlier."""
    after = passed(table_from([(run_of(0), False), (run_of(1), False)]))
    assert [-3_600.0, -3_599.0] == [after.asked_of("id0"), after.asked_of("id1")]
    assert after.put(replace(run_of(0), run_name="new"), -3_599.5)
    assert not after.put(replace(run_of(1), run_name="old"), -3_599.5)


def test_numbers_come_back_bit_by_bit() -> None:
    """A metric that is NaN, one that is missing and negative zero stay what they are."""
    run = replace(run_of(0), metrics={"nan": None, "zero": -0.0, "tiny": 5e-324})
    table = table_from([(run, False), (replace(run_of(1), metrics={}), False)])
    after = passed(table)
    for name in run.metrics:
        column, other = table.metrics.column(name), after.metrics.column(name)
        assert column is not None
        assert other is not None
        assert np.array_equal(column.numbers().view(np.int64), other.numbers().view(np.int64))
