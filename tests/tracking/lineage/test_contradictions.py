"""What runs say that cannot all be true."""

import math

import pytest
from msgspec.structs import replace

from service.tracking.lineage.contradictions import MOST_RUN_IDS, ContradictionKind, contradictions_in
from tests.tracking.lineage.runs import COMMIT, WHOLE, lineage_run, with_dataset


def test_one_version_with_two_digests() -> None:
    """The version, the dataset, both digests and the runs of each are named, oldest first."""
    runs = [
        lineage_run(f"r{at}", recorded=with_dataset(digest), start_time=9 - at)
        for at, digest in enumerate(["a", "b", "a"])
    ]
    (found,) = contradictions_in(runs)
    assert (ContradictionKind.DATASET, "prices") == (found.kind, found.what)
    assert {"dataset_version": "d1", "context": "training"} == dict(found.shared)
    assert [("a", 2, ("r2", "r0")), ("b", 1, ("r1",))] == [
        (one.value, one.runs, one.run_ids) for one in found.variants
    ]


def test_other_versions_contexts_and_names_are_other_contents() -> None:
    """Another version, a dataset for evaluation and another name may have another digest."""
    runs = [
        lineage_run("a", recorded=with_dataset("a")),
        lineage_run("b", tags={**WHOLE, "dataset_version": "d2"}, recorded=with_dataset("b")),
        lineage_run("c", recorded=with_dataset("c", context="evaluation")),
        lineage_run("d", recorded=with_dataset("d", name="volumes")),
        lineage_run("e"),
    ]
    assert () == contradictions_in(runs)


def test_the_same_work_with_other_results() -> None:
    """Which metric differs, between which runs, and how far apart the results are."""
    runs = [
        lineage_run("a", metrics={"sharpe": 1.0, "trades": 10.0}),
        lineage_run("b", metrics={"sharpe": 1.5, "trades": 10.0}, start_time=2),
    ]
    (found,) = contradictions_in(runs)
    assert (ContradictionKind.RESULTS, "sharpe", 0.5) == (found.kind, found.what, found.absolute)
    assert found.relative == pytest.approx(1 / 3)
    assert [(1.0, ("a",)), (1.5, ("b",))] == [(one.value, one.run_ids) for one in found.variants]
    assert {"run_type": "backtest", **WHOLE} == dict(found.shared)


def test_results_whose_difference_is_no_float() -> None:
    """They are two apart, relative to the larger one, as all results of both signs may be."""
    runs = [
        lineage_run("a", metrics={"sharpe": 1e308}),
        lineage_run("b", metrics={"sharpe": -1e308}, start_time=2),
    ]
    (found,) = contradictions_in(runs)
    assert (math.inf, 2.0) == (found.absolute, found.relative)


@pytest.mark.parametrize("tag", [name for name in WHOLE if name != "dataset_version"])
def test_other_work_may_have_other_results(tag: str) -> None:
    """Runs that differ in a lineage tag contradict nothing."""
    runs = [
        lineage_run("a", metrics={"sharpe": 1.0}),
        lineage_run("b", tags={**WHOLE, tag: "0ther"}, metrics={"sharpe": 1.5}),
    ]
    assert () == contradictions_in(runs)


def test_what_is_no_contradiction() -> None:
    """Other params, data, types and parts, active runs, runs without commit, and what is no result."""
    first = lineage_run("a", metrics={"sharpe": 1.0, "fit_time": 1.0})
    others = [
        replace(first, run_id="b", params={"lookback": "21"}, metrics={"sharpe": 2.0}),
        replace(first, run_id="c", status="RUNNING", metrics={"sharpe": 2.0}),
        replace(first, run_id="d", tags={**first.tags, "run_type": "cpcv"}, metrics={"sharpe": 2.0}),
        replace(first, run_id="e", tags={**first.tags, "fold": "3"}, metrics={"sharpe": 2.0}),
        replace(first, run_id="f", recorded=with_dataset("x"), metrics={"sharpe": 2.0}),
        replace(first, run_id="g", metrics={"sharpe": 1.0 + 1e-12, "fit_time": 5.0}),
        replace(first, run_id="h", metrics={"sharpe": None}),
    ]
    assert () == contradictions_in([first, *others])
    bare = [
        lineage_run(one, tags={"dataset_version": "d1"}, metrics={"m": float(at)})
        for at, one in enumerate("xy")
    ]
    assert () == contradictions_in(bare)


def test_folds_of_one_parent_are_not_compared() -> None:
    """Children of one run are parts of it; a child of another run is compared."""
    child = {**WHOLE, "mlflow.parentRunId": "p"}
    runs = [lineage_run(f"r{at}", tags=child, metrics={"sharpe": float(at)}) for at in range(3)]
    assert () == contradictions_in(runs)
    other = lineage_run("q", tags={**WHOLE, "mlflow.parentRunId": "q"}, metrics={"sharpe": 1.0})
    again = lineage_run("s", tags={**WHOLE, "mlflow.parentRunId": "t"}, metrics={"sharpe": 2.0})
    (found,) = contradictions_in([*runs, other, again])
    assert ["q", "s"] == [run_id for one in found.variants for run_id in one.run_ids]


def test_the_text_says_what_may_be_the_reason() -> None:
    """Code that was not committed, or chance without a seed."""

    def text(tags: dict[str, str], params: dict[str, str]) -> str:
        runs = [
            lineage_run(one, tags=tags, params=params, metrics={"m": float(at)})
            for at, one in enumerate("ab")
        ]
        return contradictions_in(runs)[0].text

    assert "not committed" in text({**WHOLE, "mlflow.source.git.dirty": "true"}, {"seed": "1"})
    assert "No parameter is a seed" in text(WHOLE, {"lookback": "20"})
    assert "2 runs with the same commit, parameters and data differ in m." == text(WHOLE, {"seed": "1"})


def test_one_run_that_names_two_commits() -> None:
    """MLflow's own tag says another commit than the run's; one that is cut short is no other."""
    tags = {**WHOLE, "mlflow.source.git.commit": "b" * 40}
    (found,) = contradictions_in([lineage_run(tags=tags)])
    assert (ContradictionKind.COMMIT, [COMMIT, "b" * 40]) == (
        found.kind,
        [one.value for one in found.variants],
    )
    assert () == contradictions_in([lineage_run(tags={**WHOLE, "mlflow.source.git.commit": COMMIT[:8]})])


def test_many_runs_are_counted() -> None:
    """All runs of a value are counted, and some are named."""
    runs = [lineage_run(f"r{at:03}", recorded=with_dataset("a" if at else "b")) for at in range(100)]
    (found,) = contradictions_in(runs)
    assert [(1, 1), (99, MOST_RUN_IDS)] == sorted((one.runs, len(one.run_ids)) for one in found.variants)
