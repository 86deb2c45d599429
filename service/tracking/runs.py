"""The values that everything is about: runs and experiments, frozen."""

from __future__ import annotations

import re
from collections.abc import Mapping
from sys import getsizeof
from typing import Annotated

import msgspec

from service.tracking.entity import Entity, size_of_texts
from service.tracking.recorded import Recorded

# What MLflow allows (mlflow/utils/validation.py): no run of another id can exist.
RUN_ID_PATTERN = r"^[a-zA-Z0-9][a-zA-Z0-9_\-]{0,255}$"
MAX_LIMIT = 100  # runs in a list at most
_RUN_ID = re.compile(RUN_ID_PATTERN, re.ASCII)
# MLflow counts ids up, or makes up 18 digits of them (mlflow/store/tracking/file_store.py).
_EXPERIMENT_ID = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)
_NO_START = float("inf")
TERMINAL = frozenset({"FINISHED", "FAILED", "KILLED"})


def is_run_id(text: str) -> bool:
    """Whether MLflow allows such a run id."""
    return _RUN_ID.fullmatch(text) is not None


def is_experiment_id(text: str) -> bool:
    """Whether an experiment of MLflow's can have such an id."""
    return _EXPERIMENT_ID.fullmatch(text) is not None


class Place(msgspec.Struct, frozen=True, gc=False):
    """Where a run stands in a list of runs: newest start first, then by id. Without a start it comes last."""

    start_time: Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)] | None
    run_id: str

    @property
    def rank(self) -> tuple[float, str]:
        """What lists are sorted by."""
        return _NO_START if self.start_time is None else -self.start_time, self.run_id


class Run(Entity, frozen=True, gc=False):
    """One MLflow run as it was when it was read.

    start_time and end_time are Unix epoch milliseconds; end_time is None while the run is active. metrics
    holds the last value of each metric: None for NaN, and it may be infinite. experiment_id and user_id are
    "" where the server does not say them. recorded is None where the run has logged no input and no output.
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
    user_id: str = ""
    recorded: Recorded | None = None

    @property
    def is_terminal(self) -> bool:
        """Whether the run has ended, so that it hardly ever changes any more."""
        return self.status in TERMINAL

    @property
    def place(self) -> Place:
        """Where it stands in lists."""
        return Place(self.start_time, self.run_id)

    @property
    def run_type(self) -> str:
        """The run's tag of this name, "unknown" where it has none."""
        return self.tags.get("run_type", "unknown")

    @property
    def shared_names(self) -> tuple[str, ...]:
        """The names of its metrics, params and tags."""
        return (*self.metrics, *self.params, *self.tags)

    @property
    def footprint(self) -> int:
        """Bytes of memory that it takes, without what runs share: those names, its status and other ids."""
        size = getsizeof(self) + size_of_texts((self.run_id, self.run_name, self.artifact_uri))
        if self.recorded is not None:
            size += self.recorded.footprint
        for texts in (self.params, self.tags):
            size += getsizeof(texts) + size_of_texts(texts.values())
        return size + getsizeof(self.metrics) + getsizeof(0.0) * len(self.metrics)


class Experiment(Entity, frozen=True, gc=False):
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
