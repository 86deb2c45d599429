"""Folds of several runs as a matrix."""

import math

import pytest

from service.tracking.analysis.refusals import Refusal
from service.tracking.analysis.selecting.fold_matrix import FoldVector, fold_matrix
from tests.tracking.values import make_run

FOLDS: FoldVector = {3: 0.3, 1: 0.1, 2: 0.2}


def test_rows_are_in_the_order_of_steps() -> None:
    """Whatever order they were logged in; columns are in the order of run ids."""
    vectors = {"a": FOLDS, "b": {1: 1, 2: 2, 3: 3}}
    matrix = fold_matrix([make_run("b"), make_run("a")], {"a": 0, "b": 1}, vectors)
    assert [[0.1, 1], [0.2, 2], [0.3, 3]] == matrix.values.tolist()
    assert ((1, 2, 3), ("a", "b"), ()) == matrix[1:]


def test_a_configuration_is_a_column_once() -> None:
    """Of several runs of it the newest one that has folds."""
    runs = [make_run(run_id, start_time=start) for run_id, start in (("old", 1), ("new", 2), ("newest", 3))]
    matrix = fold_matrix(runs, dict.fromkeys(("old", "new", "newest"), 7), {"old": FOLDS, "new": FOLDS})
    assert ("new",) == matrix.run_ids


def test_folds_at_other_steps_are_left_out_and_said() -> None:
    """Two have the same three folds; of the others one has a fold less, and one's fold is NaN."""
    vectors = {"a": FOLDS, "b": FOLDS, "c": {1: 1.0, 2: 2.0}, "d": {**FOLDS, 3: math.nan}}
    runs = [make_run(run_id) for run_id in vectors]
    matrix = fold_matrix(runs, {run_id: number for number, run_id in enumerate(vectors)}, vectors)
    assert ("a", "b") == matrix.run_ids
    assert ("Configurations that are left out, since their folds are at other steps: 2.",) == matrix.warnings


def test_several_versions_of_the_data_are_refused() -> None:
    """Their folds are not of the same days, or not of the same prices."""
    runs = [make_run("a", tags={"dataset_version": "v1"}), make_run("b", tags={"dataset_version": "v2"})]
    with pytest.raises(Refusal, match="v1, v2") as refusal:
        fold_matrix(runs, {"a": 0, "b": 1}, {"a": FOLDS, "b": FOLDS})
    assert "mixed_dataset_version" == refusal.value.reason.code


def test_no_folds_are_refused() -> None:
    """Runs without a fold vector make no matrix."""
    with pytest.raises(Refusal, match="once for each walk-forward fold"):
        fold_matrix([make_run("a")], {"a": 0}, {})


def test_folds_without_a_number_have_no_vote() -> None:
    """Three configurations logged only NaN, infinity or what has no square; the two others are the matrix."""
    nothing = ({1: math.nan}, {1: math.inf, 2: math.nan}, {1: 1e308, 2: -1e308})
    vectors: dict[str, FoldVector] = {"a": FOLDS, "b": FOLDS, **dict(zip("cde", nothing, strict=True))}
    matrix = fold_matrix(
        [make_run(run_id) for run_id in vectors], {run_id: at for at, run_id in enumerate(vectors)}, vectors
    )
    assert ("a", "b") == matrix.run_ids
    assert (
        "Configurations that are left out, since none of their folds has a number up to 1e+150: 3.",
    ) == matrix.warnings


def test_only_folds_without_a_number_are_refused() -> None:
    """They are no folds to compute with."""
    with pytest.raises(Refusal, match="numbers up to"):
        fold_matrix([make_run("a")], {"a": 0}, {"a": {1: math.nan}})


@pytest.mark.parametrize("status", ["FAILED", "KILLED", "RUNNING", "SCHEDULED"])
def test_a_run_that_finished_stands_for_its_configuration(status: str) -> None:
    """A newer one that did not changes nothing."""
    runs = [make_run("old", start_time=1, status="FINISHED"), make_run("new", start_time=2, status=status)]
    matrix = fold_matrix(runs, {"old": 7, "new": 7}, {"old": FOLDS, "new": {1: 0.1}})
    assert (("old",), (1, 2, 3)) == (matrix.run_ids, matrix.steps)
