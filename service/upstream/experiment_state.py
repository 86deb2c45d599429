"""What became of the experiment whose runs are listed, when it was last looked for."""

from __future__ import annotations

from math import inf
from typing import Literal

from service.tracking.runs import Experiment

State = Literal["unknown", "ok", "missing", "deleted", "forbidden"]


def state_of(experiment: Experiment | None) -> State:
    """What became of an experiment, by MLflow's answer."""
    if experiment is None:
        return "missing"
    return "ok" if experiment.is_active else "deleted"


class ExperimentState:
    """Set by whoever looks for the experiment, and told to whoever asks for the service's health.

    state: by the last look of this replica. at: when that was, in seconds.
    """

    def __init__(self) -> None:
        self.state: State = "unknown"
        self.at = -inf

    def note(self, state: State, at: float) -> None:
        """This replica has looked for it."""
        self.state, self.at = state, at

    def beside(self, experiment: Experiment | None, asked: float) -> State:
        """The state, where MLflow said this of the experiment to whoever asked, perhaps another replica."""
        return state_of(experiment) if asked > self.at else self.state
