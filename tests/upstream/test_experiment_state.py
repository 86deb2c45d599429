"""What became of the experiment, by whichever look was the last one."""

import pytest

from service.tracking.runs import Experiment
from service.upstream.experiment_state import ExperimentState

ACTIVE = Experiment("1", "research", "s3://1", "active", 0)
DELETED = Experiment("1", "research", "s3://1", "deleted", 0)


@pytest.mark.parametrize(
    ("experiment", "expected"), [(ACTIVE, "ok"), (DELETED, "deleted"), (None, "missing")]
)
def test_what_another_replica_found_is_known(experiment: Experiment | None, expected: str) -> None:
    """A replica that never looked itself knows what MLflow told another one."""
    assert expected == ExperimentState().beside(experiment, 1.0)


def test_the_last_look_counts() -> None:
    """An answer from before this replica's own look says nothing new, and a later one does."""
    state = ExperimentState()
    state.note("forbidden", 5.0)
    assert "forbidden" == state.beside(ACTIVE, 4.0)
    assert "ok" == state.beside(ACTIVE, 6.0)
