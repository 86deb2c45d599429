"""What runs have recorded, in a table."""

from msgspec.structs import replace

from service.index.table import RunTable
from service.tracking.recorded import Dataset, Recorded
from tests.tracking.values import make_run


def recorded(*model_outputs: str, digest: str = "d1") -> Recorded:
    return Recorded((Dataset("prices", digest, "s3", "s3://bucket/prices", "training"),), (), model_outputs)


def test_a_run_that_records_later_has_changed() -> None:
    """Inputs that come, become others and go are each a change, and the table has the last ones."""
    table = RunTable()
    table.put(make_run(), 0.0)
    for second, value in enumerate([recorded(), recorded("m-1"), None], 1):
        run = replace(make_run(), recorded=value)
        assert table.put(run, float(second))
        assert not table.put(run, float(second))
        assert run == table.run("r")
        assert (run,) == table.runs_at([0])


def test_runs_share_what_they_recorded() -> None:
    """Equal records are one object, and so are equal datasets of records that differ in their models."""
    table = RunTable()
    for number, outputs in enumerate([("m-1",), ("m-2",), ("m-2",)]):
        table.put(replace(make_run(f"r{number}"), recorded=recorded(*outputs)), 0.0)
    first, second, third = (run.recorded for run in table.runs_at([0, 1, 2]))
    assert first is not None
    assert second is not None
    assert second is third
    assert first.datasets[0] is second.datasets[0]


def test_what_was_recorded_takes_no_memory_once_it_is_dropped() -> None:
    """The table counts as many bytes after as before, however many runs shared a record."""
    table = RunTable()
    for number in range(300):
        table.put(make_run(f"r{number}"), 0.0)
    before = table.bytes_used
    for number in range(300):
        value = recorded(f"m-{number // 3}", digest=f"d{number // 100}")
        table.put(replace(make_run(f"r{number}"), recorded=value), 1.0)
    assert 300 * 100 < table.bytes_used - before < 300 * 700
    for number in range(300):
        table.put(make_run(f"r{number}"), 2.0)
    assert before == table.bytes_used
    assert 0 == len(table.columns.recorded)
