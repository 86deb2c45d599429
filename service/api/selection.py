"""Is the best trial of a strategy more than luck?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from service.api import selection_examples as examples
from service.api import selection_schemas as schemas
from service.api.answering import BASE, SEARCH_ERRORS, Answering
from service.api.parsing import memoized
from service.api.search import state_of
from service.api.selection_parsing import SelectionQuery, selection_of_query
from service.api.strategies import STRATEGY_ID, TAG
from service.http.route import Content, Operation, Route
from service.tracking.analysis.reading_selection import SelectionReport, report_of
from service.tracking.analysis.reading_trials import sources_of


class SelectionRoutes:
    """The handler of selections, and the route that leads to it."""

    def __init__(self, answering: Answering) -> None:
        self._asked = answering.asked
        self._respond = answering.respond
        self._holds = answering.holds
        self._parse_query = memoized(selection_of_query)

    def routes(self) -> list[Route]:
        """The route."""
        return [
            Route(
                method="GET",
                path=f"{BASE}/strategies/{{strategy_id}}/selection",
                handler=self.get_selection,
                operation=Operation(
                    id="getSelection",
                    tag=TAG,
                    summary="Is the best trial of a strategy more than luck?",
                    path_parameters=(STRATEGY_ID,),
                    query=schemas.SelectionParameters,
                    answers={200: Content(schemas.SelectionReport, examples.SELECTION)},
                    errors=SEARCH_ERRORS,
                    cached=True,
                ),
            )
        ]

    async def get_selection(self, request: web.BaseRequest, path: Mapping[str, str]) -> web.StreamResponse:
        """The report on the trials of this strategy."""
        strategy_id = path["strategy_id"]
        query = self._parse_query(request.rel_url.raw_query_string)
        asked = self._asked(request)
        sources = await sources_of(asked, strategy_id, query.experiment_ids)
        key = ("selection", strategy_id, query, sources.experiments.value)
        identity = sources.identity
        if identity is not None and self._holds(key, identity):
            return await self._respond(request, sources.answer(None), key, identity, dict)
        answer = await report_of(asked, sources, query.question)
        report = answer.value
        of = (report,) if identity is None else identity
        return await self._respond(request, answer, key, of, lambda: _body(strategy_id, query, report))


def _body(strategy_id: str, query: SelectionQuery, report: SelectionReport) -> Mapping[str, Any]:
    selection = report.selection
    trials = selection.trials
    return {
        "strategy_id": strategy_id,
        "metric": selection.metric,
        "method": selection.formula,
        "level": selection.level,
        "trials": {
            "all": trials.all,
            "distinct": trials.distinct,
            "with_sharpe": trials.with_sharpe,
            "failed": trials.failed,
            "running": trials.running,
            "deleted": None if report.deleted_reason else trials.deleted,
            "deleted_reason": report.deleted_reason,
            "parts": report.parts,
            "run_types": trials.run_types,
            "run_types_source": "query" if query.question.run_types else "derived",
            "other_run_types": report.other_run_types,
        },
        "best_run_id": selection.best_run_id,
        "verdict": selection.verdict,
        "sharpe": selection.sharpe,
        "deviation": selection.deviation,
        "expected_best_of_noise": selection.expected_best_of_noise,
        "deflation_benchmark": selection.deflation_benchmark,
        "psr": selection.psr,
        "dsr": selection.dsr,
        "dsr_distinct": selection.dsr_distinct,
        "dsr_effective": selection.dsr_effective,
        "effective_trials": selection.effective_trials,
        "min_track_record": selection.min_track_record,
        "min_backtest_length": selection.min_backtest_length,
        "trial_budget": selection.trial_budget,
        "break_even_trials": selection.break_even_trials,
        "haircut": selection.haircut,
        "fold_metric": report.fold_metric,
        "pbo": selection.pbo,
        "degradation": selection.degradation,
        "probability_of_loss": selection.probability_of_loss,
        "sensitivity": selection.sensitivity,
        "warnings": report.warnings,
        "index": state_of(report.index),
    }
