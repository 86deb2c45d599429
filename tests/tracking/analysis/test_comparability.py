"""What makes a comparison of runs doubtful."""

import math
from typing import Any

import msgspec
import pytest

from service.tracking.analysis.comparability import RunWarning, repeats_of, warnings_of
from service.tracking.directions import Decision, Direction
from service.tracking.runs import Run
from tests.tracking.values import make_run

LINEAGE = {
    "dataset_version": "d1",
    "feature_version": "f1",
    "git_commit": "3f9a1c2",
    "run_type": "training",
}
KNOWN = {"sharpe": Decision(Direction.MAX, "*_sharpe_*")}


def run_of(run_id: str, tags: dict[str, str] | None = None, **more: Any) -> Run:
    """A run with all of the lineage, but for these tags; "" is a tag that it lacks."""
    own = {name: value for name, value in (LINEAGE | (tags or {})).items() if value}
    fields = {name: more.pop(name) for name in ("experiment_id", "is_deleted") if name in more}
    run = make_run(run_id, tags=own, **{"params": {"depth": "6"}, "metrics": {"sharpe": 1.0}, **more})
    return msgspec.structs.replace(run, **fields)


def warnings(*runs: Run, decisions: dict[str, Decision] | None = None) -> dict[str, RunWarning]:
    """By their codes, with the first run as the baseline."""
    found = warnings_of(runs, runs[0], KNOWN if decisions is None else decisions)
    assert len(found) == len({each.code for each in found})
    return {each.code: each for each in found}


def test_runs_that_may_be_compared() -> None:
    """Where all is the same and known there is no warning."""
    assert {} == warnings(run_of("a"), run_of("b"))


@pytest.mark.parametrize(
    ("tag", "other", "code", "unknown"),
    [
        ("dataset_version", "d2", "other_dataset", "dataset_unknown"),
        ("feature_version", "f2", "other_features", "features_unknown"),
        ("git_commit", "b04e7d8", "other_code", "code_unknown"),
        ("run_type", "cpcv", "other_run_type", "run_type_unknown"),
    ],
)
def test_what_is_made_of_something_else(tag: str, other: str, code: str, unknown: str) -> None:
    """Runs that differ from the baseline are named, and apart from them those that do not say it."""
    found = warnings(run_of("a"), run_of("b", {tag: other}), run_of("c", {tag: ""}), run_of("d"))
    assert {code: ["b"], unknown: ["c"]} == {name: each.run_ids for name, each in found.items()}
    assert tag in found[code].text
    found = warnings(run_of("a", {tag: ""}), run_of("b", {tag: other}))
    assert {unknown: ["a"]} == {name: each.run_ids for name, each in found.items()}
    assert {} == warnings(run_of("a", {tag: ""}), run_of("b", {tag: ""}))


def test_a_commit_in_short_is_the_same_commit() -> None:
    """A hash and its beginning are one commit, and MLflow's own tag stands in for git_commit."""
    full = "3F9A1C2d5e6f708192a3b4c5d6e7f8091a2b3c4d"
    by_mlflow = {"git_commit": "", "mlflow.source.git.commit": full}
    assert {} == warnings(run_of("a"), run_of("b", {"git_commit": full}), run_of("c", by_mlflow))
    assert ["other_code"] == [*warnings(run_of("a"), run_of("b", {"git_commit": "3f9a1"}))]


def test_what_happened_to_runs() -> None:
    """Runs of another experiment, active, failed, deleted and of code that was not committed are named."""
    found = warnings(
        run_of("a"),
        run_of("b", status="RUNNING", end_time=None),
        run_of("c", status="FAILED"),
        run_of("d", status="KILLED", is_deleted=True),
        run_of("e", {"mlflow.source.git.dirty": "True"}, experiment_id="7"),
    )
    assert {
        "other_experiment": ["e"],
        "uncommitted_code": ["e"],
        "not_finished": ["b"],
        "failed": ["c", "d"],
        "deleted": ["d"],
    } == {name: each.run_ids for name, each in found.items()}


def test_a_value_at_the_limit_of_what_mlflow_keeps() -> None:
    """An infinite metric, and a parameter as long as MLflow keeps it, may have been cut off."""
    infinite = run_of("b", metrics={"sharpe": math.inf, "other": math.inf, "none": None})
    found = warnings(run_of("a"), infinite)["value_cut_off"]
    assert (["b"], ["sharpe"], []) == (found.run_ids, found.metrics, found.params)
    found = warnings(run_of("a"), run_of("b", params={"long": "x" * 6_000, "short": "x"}))["value_cut_off"]
    assert (["b"], [], ["long"]) == (found.run_ids, found.metrics, found.params)


def test_what_is_not_known_of_metrics() -> None:
    """A metric whose direction is assumed, and one that no run has, are named."""
    decisions = {**KNOWN, "foo": Decision(Direction.MAX, None)}
    found = warnings(run_of("a"), run_of("b"), decisions=decisions)
    assert (["foo"], ["foo"]) == (found["direction_assumed"].metrics, found["metric_missing"].metrics)


def test_repetitions_of_a_configuration() -> None:
    """Runs of the same parameters, code and data repeat one another; seeds may differ."""
    runs = [
        run_of("a", params={"depth": "6", "seed": "1"}),
        run_of("b", params={"depth": "6", "seed": "2"}),
        run_of("c", params={"depth": "6", "model.randomState": "3"}),
        run_of("d", params={"depth": "7", "seed": "1"}),
        run_of("e", {"git_commit": "b04e7d8"}),
        run_of("f", {"dataset_version": "d2"}),
    ]
    assert [["a", "b", "c"]] == repeats_of(runs)


@pytest.mark.parametrize(
    "tags", [{"git_commit": ""}, {"dataset_version": ""}, {"mlflow.source.git.dirty": "true"}]
)
def test_what_is_not_known_to_be_repeated(tags: dict[str, str]) -> None:
    """Runs that do not say their code or data, or were made by changed code, are not taken as the same."""
    assert [] == repeats_of([run_of("a", tags), run_of("b", tags)])
    assert [] == repeats_of([run_of("a", params={"seed": "1"}), run_of("b", params={"seed": "1"})])
