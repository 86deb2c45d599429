"""A table of runs gives back what was put into it, and takes little memory."""

import random
import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from service.index.table import RunTable
from service.tracking.runs import Run
from tests.tracking.search.strategies import runs_of
from tests.tracking.values import make_run

IDS = [f"r{number:03}" for number in range(8)]


@given(st.data())
def test_a_table_is_a_dict_of_runs(data: st.DataObject) -> None:
    """Runs are put, changed and dropped in any order, and each is as it was put last."""
    table, known = RunTable(), dict[str, Run]()
    for asked in range(data.draw(st.integers(0, 12))):
        run_id = data.draw(st.sampled_from(IDS))
        if data.draw(st.integers(0, 3)):
            run = data.draw(runs_of(run_id))
            is_changed = table.put(run, asked)
            assert (known.get(run_id) != run) == (is_changed is not None)
            known[run_id] = run
        else:
            is_known = known.pop(run_id, None) is not None
            assert is_known == (table.drop(run_id, asked) is not None)
    assert known == {run_id: table.run(run_id) for run_id in table.run_ids()}
    for run_id, run in known.items():
        assert list(run.metrics) == list(getattr(table.run(run_id), "metrics", ()))
    assert len(known) == len(table)
    assert sum(run.experiment_id == "1" for run in known.values()) == table.count(("1", "1", "none"))
    assert {run.run_id for run in known.values() if not run.is_terminal} == set(table.active_ids())


def test_an_older_answer_changes_nothing() -> None:
    """What was asked for earlier and arrives later is neither taken nor does it bring a dropped run back."""
    table = RunTable()
    table.put(make_run(name="new"), 2.0)
    assert not table.put(make_run(name="old"), 1.0)
    assert not table.drop("r", 1.0)
    assert (make_run(name="new"), 2.0) == (table.run("r"), table.asked_of("r"))
    assert table.drop("r", 3.0)
    assert not table.put(make_run(), 2.5)
    assert (None, None) == (table.run("r"), table.asked_of("r"))
    assert table.put(make_run(), 3.5)


def test_a_run_that_is_the_same_is_known_to_be_fresh() -> None:
    """The same again is no change, and is remembered as asked for later."""
    table = RunTable()
    table.put(make_run(), 1.0)
    assert not table.put(make_run(), 5.0)
    assert 5.0 == table.asked_of("r")


def test_a_deleted_run_is_dropped() -> None:
    """A run that MLflow says is deleted leaves the table, and is not taken where it was not there."""
    table = RunTable()
    table.put(make_run(), 1.0)
    deleted = Run("r", "n", "FINISHED", 1, 2, "", {}, {}, {}, is_deleted=True)
    assert table.put(deleted, 2.0)
    assert not table.put(deleted, 3.0)
    assert 0 == len(table)


def test_runs_are_known_by_experiment_and_start() -> None:
    """The first bound is included, the second is not, and a run without a start is in no window."""
    table = RunTable()
    for start in (None, 1, 2, 3):
        table.put(make_run(f"r{start}", start_time=start), 0.0)
    assert ["r1", "r2"] == sorted(table.known_between(("",), 1, 3))
    assert [] == table.known_between(("1",), 1, 3)


def test_an_artifact_uri_comes_back_as_it_was() -> None:
    """With the run's id in it once, twice or not at all, and with the mark that stands for it."""
    table = RunTable()
    for uri in ("", "r", "s3://r/x/r", "a\0b", "r\0", "=r", "~"):
        table.put(Run("r", "", "FINISHED", 1, 2, uri, {}, {}, {}), 0.0)
        run = table.run("r")
        assert run is not None
        assert uri == run.artifact_uri


def made_up(number: int, randomness: random.Random) -> Run:
    """A run of 43 fields: an id, a name and a note of its own, and texts of which few or many differ."""
    run_id = f"{randomness.getrandbits(128):032x}"
    start = 1_700_000_000_000 + number * 1_000
    return Run(
        run_id,
        f"run-{randomness.getrandbits(40):x}",
        "FINISHED",
        start,
        start + number,
        f"mlflow-artifacts:/0/{run_id}/artifacts",
        {f"param_{at}": str(randomness.randrange(1_000)) for at in range(15)},
        {f"metric_{at}": randomness.gauss(0, 1) for at in range(20)},
        {"note": f"note {number}", **{f"tag_{at}": f"value {randomness.randrange(20)}" for at in range(7)}},
        "0",
    )


def test_a_run_takes_little_memory() -> None:
    """Runs of 43 fields take about a kilobyte each, and the table knows how much it takes."""
    randomness = random.Random(7)
    tracemalloc.start()
    try:
        table = RunTable()
        for number in range(8_000):
            table.put(made_up(number, randomness), 0.0)
        taken = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert taken / len(table) < 1_200
    assert 0.7 < table.bytes_used / taken < 1.4


def test_what_is_dropped_takes_no_memory() -> None:
    """After as many drops as puts nothing but the arrays is left, and they are used again."""
    randomness, table = random.Random(7), RunTable()
    before = table.bytes_used
    for number in range(3_000):
        run = made_up(number, randomness)
        table.put(run, number)
        if number > 10:
            table.drop(run.run_id, number)
    assert table.rows < 20
    assert table.bytes_used - before < 300_000


def test_ten_thousand_names_do_no_harm() -> None:
    """Metrics that one run each has take memory for that run only."""
    table = RunTable()
    for number in range(10_000):
        table.put(make_run(f"r{number}", metrics={f"m{number}": 1.0, "all": 2.0}), 0.0)
    assert table.bytes_used < 10_000 * 3_000
    run = table.run("r77")
    assert run is not None
    assert {"m77": 1.0, "all": 2.0} == run.metrics


def test_a_column_is_a_dict_or_an_array() -> None:
    """A name that few have, then many, then few again, keeps its values."""
    table, expected = RunTable(), dict[str, Run]()
    for number in range(4_000):
        has_it = number < 2 or 500 <= number < 700 or number == 3_999
        run = make_run(
            f"r{number}", metrics={"m": float(number)} if has_it else {}, params={"p": "x"} if has_it else {}
        )
        table.put(run, 0.0)
        expected[run.run_id] = run
    assert expected == {run_id: table.run(run_id) for run_id in expected}
