"""All trials of a strategy: those that are there from the index, the deleted ones from MLflow."""

from __future__ import annotations

from typing import Final, TypeVar

import msgspec

from service.answer import Answer, combine
from service.checkpoint import checkpoint
from service.errors import FieldError, InvalidRequest
from service.tracking.analysis.strategies import STRATEGY_ID
from service.tracking.analysis.trials import MOST_TRIALS, Trials
from service.tracking.asked import Asked
from service.tracking.deleted_runs import DeletedRuns, ListDeletedRuns
from service.tracking.runs import Run
from service.tracking.search.expressions import And, Comparison, Expression, Operator
from service.tracking.search.matching import matches
from service.tracking.search.queries import IndexStatus, RunSearch
from service.tracking.search.searches import State

T = TypeVar("T")

_AT_ONCE: Final = 50  # runs that are read in one turn of the loop: 3 ms for runs of 70 fields
_PLACE: Final = "query"
_NO_RUNS: Final = IndexStatus(complete=True, runs=0)


class TrialSources(msgspec.Struct, frozen=True):
    """What the trials of a strategy are read from, as it is now.

    experiments: to search; none where the default one does not exist. state: of the index; None where it does
    not have all their runs. deleted: what MLflow says; None where it was not asked.
    """

    strategy_id: str
    experiments: Answer[tuple[str, ...]]
    state: Answer[State] | None
    deleted: Answer[DeletedRuns] | None

    @property
    def identity(self) -> tuple[object, ...] | None:
        """Objects that are others as soon as the trials may be others; None where nobody can tell."""
        if self.state is None or self.deleted is None:
            return None
        return (*self.state.value, self.deleted.value)

    def answer(self, value: T) -> Answer[T]:
        """A value that was made from them, as old as they are."""
        asked = [one for one in (self.state, self.deleted) if one is not None]
        if not asked:
            return combine(value, [self.experiments])
        return combine(value, asked).after(self.experiments)


async def sources_of(asked: Asked, strategy_id: str, experiment_ids: tuple[str, ...] = ()) -> TrialSources:
    """What the trials of a strategy can be read from. experiment_ids: () for the default experiment.

    UpstreamFailure where MLflow fails to list deleted runs, and nothing lately remembered can stand in.
    """
    experiments = await asked.searches.experiment_ids(experiment_ids)
    state = await asked.searches.state(experiments.value)
    if state is None:
        return TrialSources(strategy_id, experiments, None, None)
    question = ListDeletedRuns(experiments.value, strategy_id, MOST_TRIALS + 1)
    return TrialSources(strategy_id, experiments, state, await asked.queries.answer(question))


async def trials_of(
    asked: Asked,
    strategy_id: str,
    expression: Expression | None = None,
    experiment_ids: tuple[str, ...] = (),
) -> Answer[Trials]:
    """Every run whose tag strategy_id is this text and that satisfies the filter, the deleted ones included.

    experiment_ids: () for the default experiment. A strategy that nobody knows has no trials.

    InvalidRequest where there are more than MOST_TRIALS, or where no index will ever answer; IndexNotReady
    where it will, and UpstreamFailure where MLflow fails.
    """
    return await read_trials(asked, await sources_of(asked, strategy_id, experiment_ids), expression)


async def read_trials(asked: Asked, sources: TrialSources, expression: Expression | None) -> Answer[Trials]:
    """The trials from their sources, as `trials_of`."""
    if not sources.experiments.value:
        return sources.answer(Trials((), (), _NO_RUNS))
    runs, index = await _there(asked, sources, expression)
    deleted = DeletedRuns(()) if sources.deleted is None else sources.deleted.value
    return sources.answer(await _together(runs, index, deleted, expression))


async def _there(
    asked: Asked, sources: TrialSources, expression: Expression | None
) -> tuple[list[Run], IndexStatus]:
    is_of_strategy = Comparison(STRATEGY_ID, Operator.EQ, sources.strategy_id)
    wanted = is_of_strategy if expression is None else And((is_of_strategy, expression))
    search = RunSearch(sources.experiments.value, wanted)
    runs: list[Run] = []
    index = _NO_RUNS
    async for page in asked.searches.every(search, _PLACE, "experiment_id", _AT_ONCE):
        _check(page.total or 0)
        runs += page.runs
        index = page.index
        await checkpoint()
    return runs, index


async def _together(
    runs: list[Run], index: IndexStatus, deleted: DeletedRuns, expression: Expression | None
) -> Trials:
    if not deleted.is_listed:
        unlisted = "the tracking server does not list deleted runs, so that nobody knows how many there were"
        return Trials(tuple(runs), (), index, unlisted)
    _check(len(deleted.runs))
    matching: list[Run] = []
    there = {run.run_id for run in runs}  # a run may have been restored meanwhile
    for start in range(0, len(deleted.runs), _AT_ONCE):
        matching += [
            run
            for run in deleted.runs[start : start + _AT_ONCE]
            if run.run_id not in there and (expression is None or matches(run, expression))
        ]
        await checkpoint()
    _check(len(runs) + len(matching))
    count = deleted.unreadable
    reason = f"{count} deleted run{'s' * (count > 1)} cannot be read" if count else None
    return Trials(tuple(runs), tuple(matching), index, reason)


def _check(number: int) -> None:
    if number > MOST_TRIALS:
        message = f"at most {MOST_TRIALS:,} trials, and these are {number:,} or more; narrow them by a filter"
        raise InvalidRequest([FieldError(f"{_PLACE}.filter", message)])
