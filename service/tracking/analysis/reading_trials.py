"""All trials of a strategy: those that are there from the index, the deleted ones from MLflow."""

from __future__ import annotations

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

_AT_ONCE = 50  # runs that are read in one turn of the loop: 5 ms for runs of 100 fields
_PLACE = "query"
_NO_RUNS = IndexStatus(complete=True, runs=0)


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
    experiments = await asked.searches.experiment_ids(experiment_ids)
    if not experiments.value:
        return combine(Trials((), (), _NO_RUNS), [experiments])
    state = await asked.searches.state(experiments.value)
    runs, index = await _there(asked, strategy_id, expression, experiments.value)
    deleted = await asked.queries.answer(ListDeletedRuns(experiments.value, strategy_id, MOST_TRIALS + 1))
    trials = await _together(runs, index, deleted.value, expression)
    return combine(trials, [deleted if state is None else state, deleted]).after(experiments)


async def _there(
    asked: Asked, strategy_id: str, expression: Expression | None, experiment_ids: tuple[str, ...]
) -> tuple[list[Run], IndexStatus]:
    is_of_strategy = Comparison(STRATEGY_ID, Operator.EQ, strategy_id)
    wanted = is_of_strategy if expression is None else And((is_of_strategy, expression))
    search = RunSearch(experiment_ids, wanted)
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
        message = (
            f"at most {MOST_TRIALS:,} trials, of which this has {number:,} or more; narrow them by a filter"
        )
        raise InvalidRequest([FieldError(f"{_PLACE}.filter", message)])
