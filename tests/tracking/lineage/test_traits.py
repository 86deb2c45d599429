"""What a run says of its code."""

import pytest

from service.tracking.lineage.completeness import completeness_of
from service.tracking.lineage.traits import uncommitted
from tests.tracking.lineage.runs import COMMIT, WHOLE, lineage_run, with_dataset, without


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({}, (None, None)),
        ({"mlflow.source.git.dirty": "true"}, (True, "mlflow.source.git.dirty")),
        ({"mlflow.source.git.dirty": "False"}, (False, "mlflow.source.git.dirty")),
        ({"git_dirty": "1"}, (True, "git_dirty")),
        ({"git.dirty": "clean"}, (False, "git.dirty")),
        ({"mlflow.source.git.dirty": "perhaps"}, (None, None)),
        ({"mlflow.source.git.diff": "+ x"}, (True, "mlflow.source.git.diff")),
        ({"git_commit": f"{COMMIT}-dirty"}, (True, "git_commit")),
        ({"git_commit": f"{COMMIT}+"}, (True, "git_commit")),
        ({"git_commit": COMMIT}, (None, None)),
    ],
)
def test_changes_that_were_not_committed(
    tags: dict[str, str], expected: tuple[bool | None, str | None]
) -> None:
    """They are known by a tag, by a diff or by a mark behind the commit, and unknown without any."""
    assert expected == uncommitted(lineage_run(tags=tags))


def test_what_is_missing_is_named() -> None:
    """Each lineage tag is present with its value, or missing; an empty one is missing."""
    run = lineage_run(
        tags={**without("model_version"), "feature_version": ""}, params={"seed": "1", "x": "2"}
    )
    found = completeness_of(run)
    assert ("feature_version", "model_version") == found.missing
    assert {"run_type": "backtest", **without("model_version", "feature_version")} == found.present
    assert (2, ("seed",)) == (found.params, found.seeds)


def test_mlflows_commit_stands_in() -> None:
    """A run with MLflow's own tag of the commit does not lack it, and the tag is named."""
    found = completeness_of(
        lineage_run(
            tags={**without("git_commit"), "mlflow.source.git.commit": COMMIT}, recorded=with_dataset("d")
        )
    )
    assert ((), {"git_commit": "mlflow.source.git.commit"}) == (found.missing, found.stand_ins)
    assert (1, 0) == (found.datasets, found.models)


def test_a_complete_run_lacks_nothing() -> None:
    """A run with all tags has none missing."""
    assert () == completeness_of(lineage_run(tags=WHOLE)).missing
