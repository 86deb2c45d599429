"""Is the best trial of a strategy more than luck? From the trials, and the folds of those that have some."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import msgspec

from service.answer import Answer, combine
from service.tracking.analysis.counting import Counted, counted
from service.tracking.analysis.declared import Declaration
from service.tracking.analysis.reading_folds import Folds, fold_metric_of, folds_of
from service.tracking.analysis.reading_trials import TrialSources, read_trials
from service.tracking.analysis.selection import Selection, SelectionInputs, selection_of
from service.tracking.asked import Asked
from service.tracking.search.expressions import Expression
from service.tracking.search.queries import IndexStatus


class SelectionQuestion(msgspec.Struct, frozen=True, gc=False, cache_hash=True):
    """What is asked of a strategy: metric to autocorrelation are of SelectionInputs.

    fold_metric: whose steps are folds; None for a usual one. run_types: those that may count as trials; ()
    for all that log the metric.
    """

    metric: str
    declared: Declaration = Declaration()
    benchmark: float | None = None
    target: float | None = None
    alpha: float = 0.05
    formula: str = "bailey2012"
    autocorrelation: float | None = None
    fold_metric: str | None = None
    run_types: tuple[str, ...] = ()
    filter: Expression | None = None


class SelectionReport(msgspec.Struct, frozen=True, gc=False):
    """The selection, and what it was made of.

    parts, other_run_types: runs that are no trials, as of Counted. deleted_reason: why deleted ones are not
    all known; None where they are. warnings: on the whole report.
    """

    selection: Selection
    fold_metric: str
    parts: int
    other_run_types: Mapping[str, int]
    deleted_reason: str | None
    warnings: tuple[str, ...]
    index: IndexStatus


async def report_of(
    asked: Asked, sources: TrialSources, question: SelectionQuestion
) -> Answer[SelectionReport]:
    """The report on the trials of a strategy. A strategy that nobody knows has a report on no trials.

    Errors as of `trials_of`.
    """
    answer = await read_trials(asked, sources, question.filter)
    metric = question.metric
    tried = await asked.workers.run(partial(counted, answer.value, metric, question.run_types))
    folds = await folds_of(asked, tried.trials, question.fold_metric or fold_metric_of(tried.trials, metric))
    report = await asked.workers.run(partial(_report, tried, folds.value, question))
    answers = [answer] if folds.value.reason else [answer, folds.after(answer)]
    return combine(report, answers)


def _report(tried: Counted, folds: Folds, question: SelectionQuestion) -> SelectionReport:
    inputs = SelectionInputs(
        question.metric,
        question.declared,
        question.benchmark,
        question.target,
        question.alpha,
        question.formula,
        question.autocorrelation,
        folds.vectors,
        folds.reason,
        0 if question.run_types else sum(tried.other_run_types.values()),
    )
    selection = selection_of(tried.trials, inputs)
    return SelectionReport(
        selection,
        folds.metric,
        tried.parts,
        tried.other_run_types,
        tried.trials.deleted_reason,
        (*selection.warnings, *tried.warnings(question.metric)),
        tried.trials.index,
    )
