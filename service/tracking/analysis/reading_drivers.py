"""Which change drove a metric of a strategy: its trials are read here, and analysed in a thread."""

from __future__ import annotations

from functools import partial

import msgspec

from service.answer import Answer
from service.tracking.analysis.drivers import Drivers, drivers_of
from service.tracking.analysis.reading_trials import TrialSources, read_trials
from service.tracking.asked import Asked
from service.tracking.directions import Decision
from service.tracking.search.expressions import Expression
from service.tracking.search.fields import Field
from service.tracking.search.queries import IndexStatus


class DriversQuestion(msgspec.Struct, frozen=True, gc=False, cache_hash=True):
    """What is asked. ignore: parameters and tags that are results, and no causes."""

    metric: str
    filter: Expression | None = None
    ignore: tuple[Field, ...] = ()


class DriversReport(msgspec.Struct, frozen=True, gc=False):
    """What drove the metric, which way it is better, and how fresh the runs are."""

    drivers: Drivers
    decision: Decision
    index: IndexStatus


async def there_of(asked: Asked, strategy_id: str, experiment_ids: tuple[str, ...] = ()) -> TrialSources:
    """What the runs of a strategy that are there are read from; nobody asks for those that were deleted.

    experiment_ids: () for the default experiment.
    """
    experiments = await asked.searches.experiment_ids(experiment_ids)
    state = await asked.searches.state(experiments.value)
    return TrialSources(strategy_id, experiments, state, None)


async def drivers_in(asked: Asked, sources: TrialSources, question: DriversQuestion) -> Answer[DriversReport]:
    """The drivers among those runs. It fails as `read_trials` does."""
    trials = await read_trials(asked, sources, question.filter)
    decision = asked.directions.decide(question.metric)
    work = partial(drivers_of, trials.value.runs, question.metric, decision.direction, question.ignore)
    report = DriversReport(await asked.workers.run(work), decision, trials.value.index)
    return msgspec.structs.replace(trials, value=report)  # type: ignore[arg-type] # another value
