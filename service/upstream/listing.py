"""Puts lists together from pages, whatever order they come in. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from service.tracking.questions import ListRuns
from service.tracking.runs import Experiment, Run

_MOST_DIGITS = 100  # of an id that is read as a number
_FIRST = (float("-inf"), "")


class Listing:
    """The newest runs that a question asks for. Some servers ignore an order or a filter: all is checked."""

    def __init__(self, question: ListRuns) -> None:
        self._question = question
        self._found: dict[str, Run] = {}  # by id: a run that is created between two pages moves the others on
        self._last: tuple[float, str] = _FIRST  # of what was added
        self._ids_are_ordered = True  # of runs that started together, so far
        self.is_ordered = True  # so far
        self.is_exact = True  # all that came was asked for, so far

    def add(self, runs: Sequence[Run]) -> None:
        """The runs of the next page."""
        for run in runs:
            rank = run.place.rank
            self.is_ordered = self.is_ordered and rank[0] >= self._last[0]
            self._ids_are_ordered = self._ids_are_ordered and rank >= self._last
            self._last = rank
            if self._question.asks_for(run):
                self._found[run.run_id] = run
            else:
                self.is_exact = False
        if not self.is_ordered:
            self._found = {run.run_id: run for run in self.newest()}

    @property
    def is_complete(self) -> bool:
        """Whether no further page can hold a newer one, as far as the order so far tells.

        Where a server sorts runs that started together in another way, all of those are needed.
        """
        if not self.is_ordered or len(self._found) < self._question.limit:
            return False
        return self._ids_are_ordered or self._last[0] > self.newest()[-1].place.rank[0]

    def newest(self) -> tuple[Run, ...]:
        """The newest of what was added, in order."""
        return tuple(newest_first(self._found.values()))[: self._question.limit]


def newest_first(runs: Iterable[Run]) -> list[Run]:
    """Newest start first, the id as the tie-break: MLflow's own order."""
    return sorted(runs, key=lambda run: run.place.rank)


def oldest_first(experiments: Iterable[Experiment]) -> tuple[Experiment, ...]:
    """The active experiments, oldest first; by their ids, which MLflow counts up, where they do not say."""
    active = {one.experiment_id: one for one in experiments if one.is_active}
    return tuple(sorted(active.values(), key=_birth))


def _birth(experiment: Experiment) -> tuple[int, int]:
    text = experiment.experiment_id
    return experiment.creation_time or 0, int(text) if text.isdecimal() and len(text) < _MOST_DIGITS else 0
