"""The values that everything is about: runs and experiments, frozen.

They are shared between answers and never copied: whoever holds one may read it for ever and must not change
the mappings inside. msgspec's structs take a third of a dataclass's time to make and, with gc=False, tens of
thousands of them cost the garbage collector nothing (they hold only strings, numbers and mappings of those).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

# What MLflow allows (mlflow/utils/validation.py): no run of another id can exist.
RUN_ID_PATTERN = r"^[a-zA-Z0-9][a-zA-Z0-9_\-]{0,255}$"
MAX_LIMIT = 100  # runs in a list at most
_RUN_ID = re.compile(RUN_ID_PATTERN, re.ASCII)
TERMINAL = frozenset({"FINISHED", "FAILED", "KILLED"})


def is_run_id(text: str) -> bool:
    """Whether MLflow allows such a run id."""
    return _RUN_ID.fullmatch(text) is not None


class Run(msgspec.Struct, frozen=True, gc=False):
    """One MLflow run as it was when it was read.

    start_time and end_time are Unix epoch milliseconds; end_time is None while the run is active. metrics
    holds the last value of each metric, None where that is not a finite number. experiment_id is "" where the
    server does not say it.
    """

    run_id: str
    run_name: str
    status: str
    start_time: int | None
    end_time: int | None
    artifact_uri: str
    params: Mapping[str, str]
    metrics: Mapping[str, float | None]
    tags: Mapping[str, str]
    experiment_id: str = ""
    is_deleted: bool = False

    @property
    def is_terminal(self) -> bool:
        """Whether the run has ended, so that it hardly ever changes any more."""
        return self.status in TERMINAL

    @property
    def run_type(self) -> str:
        """The run's tag of this name, "unknown" where it has none."""
        return self.tags.get("run_type", "unknown")


class Experiment(msgspec.Struct, frozen=True, gc=False):
    """One MLflow experiment. lifecycle_stage is "active" or "deleted".

    creation_time is in Unix epoch milliseconds; None where the server does not say it.
    """

    experiment_id: str
    name: str
    artifact_location: str
    lifecycle_stage: str
    creation_time: int | None = None

    @property
    def is_active(self) -> bool:
        """Whether the experiment has not been deleted."""
        return self.lifecycle_stage == "active"


class RunQuestion(msgspec.Struct, frozen=True, gc=False):
    """Which runs of an experiment are wanted: at most `limit`, newest start first.

    run_type and strategy_id ask for runs whose tag of that name is exactly this text; None asks for nothing.
    """

    experiment_id: str
    run_type: str | None
    strategy_id: str | None
    limit: int

    @property
    def tags(self) -> dict[str, str]:
        """The tags that a run must bear, by name."""
        wanted = {"run_type": self.run_type, "strategy_id": self.strategy_id}
        return {name: value for name, value in wanted.items() if value is not None}

    def asks_for(self, run: Run) -> bool:
        """Whether this run is wanted; one whose experiment the server does not say is taken for one of it."""
        return (
            not run.is_deleted
            and run.experiment_id in ("", self.experiment_id)
            and all(run.tags.get(name) == value for name, value in self.tags.items())
        )
