"""Puts lists together from pages, whatever order they come in. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from service.tracking.questions import ListRuns
from service.tracking.runs import Experiment, Run

_MOST_DIGITS = 100  # of an id that is read as a number
_NO_START = float("inf")  # a run that does not say when it started comes last


class Listing:
    """The newest runs that a question asks for. Some servers ignore an order or a filter: all is checked."""

    def __init__(self, question: ListRuns) -> None:
        self._question = question
        self._found: dict[str, Run] = {}  # by id: a run that is created between two pages moves the others on
        self._earliest = -_NO_START
        self.is_ordered = True  # so far
        self.is_exact = True  # all that came was asked for, so far

    def add(self, runs: Sequence[Run]) -> None:
        """The runs of the next page."""
        for run in runs:
            age = _age(run)
            self.is_ordered = self.is_ordered and age >= self._earliest
            self._earliest = age
            if self._question.asks_for(run):
                self._found[run.run_id] = run
            else:
                self.is_exact = False
        if not self.is_ordered:
            self._found = {run.run_id: run for run in self.newest()}

    @property
    def is_complete(self) -> bool:
        """Whether no further page can hold a newer one, as far as the order so far tells."""
        return self.is_ordered and len(self._found) >= self._question.limit

    def newest(self) -> tuple[Run, ...]:
        """The newest of what was added, in order."""
        return tuple(newest_first(self._found.values()))[: self._question.limit]


def newest_first(runs: Iterable[Run]) -> list[Run]:
    """Newest start first, the id as the tie-break: MLflow's own order."""
    return sorted(runs, key=lambda run: (_age(run), run.run_id))


def oldest_first(experiments: Iterable[Experiment]) -> tuple[Experiment, ...]:
    """The active experiments, oldest first; by their ids, which MLflow counts up, where they do not say."""
    active = {one.experiment_id: one for one in experiments if one.is_active}
    return tuple(sorted(active.values(), key=_birth))


def _age(run: Run) -> float:
    return _NO_START if run.start_time is None else -run.start_time


def _birth(experiment: Experiment) -> tuple[int, int]:
    text = experiment.experiment_id
    return experiment.creation_time or 0, int(text) if text.isdecimal() and len(text) < _MOST_DIGITS else 0
