"""Which change did it: what drove a metric of a strategy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from aiohttp import web

from service.api import drivers_examples as examples
from service.api import drivers_schemas as schemas
from service.api.answering import BASE, SEARCH_ERRORS, Answering
from service.api.examples import STRATEGY
from service.api.parsing import memoized, validated
from service.api.search import state_of
from service.api.search_parsing import Reader, experiment_ids_of, parameters_of
from service.api.strategies import TAG
from service.http.route import Content, Operation, PathParameter, Route
from service.tracking.analysis import associations, confounding, pairs
from service.tracking.analysis.associations import Association
from service.tracking.analysis.confounding import Confounded
from service.tracking.analysis.pairs import Change
from service.tracking.analysis.reading_drivers import DriversQuestion, DriversReport, drivers_in, there_of
from service.tracking.search.fields import Field, FieldKind
from service.tracking.search.listing import parse_names
from service.tracking.search.parsing import parse_filter

_METHODS: Final = {
    "pairs": pairs.METHOD,
    "spearman": associations.SPEARMAN,
    "kruskal_wallis": associations.KRUSKAL_WALLIS,
    "q_value": associations.Q_VALUE,
    "together": confounding.METHOD,
}
_NOTES: Final = {
    "pairs": "Runs that differ in one parameter alone show what that change did, in the settings in which it "
    "was tried. Runs of one configuration count once, with their mean.",
    "associations": "An association, not a cause: what changed along with the parameter may have done it.",
    "confounded": "What never varied, and what moved together: these runs cannot tell what each does.",
}


class DriversQuery(msgspec.Struct, frozen=True, gc=False, cache_hash=True):
    """What was asked. experiment_ids: () for the default one."""

    experiment_ids: tuple[str, ...]
    question: DriversQuestion


class DriversRoutes:
    """The handler of drivers, and the route that leads to it."""

    def __init__(self, answering: Answering) -> None:
        self._asked = answering.asked
        self._respond = answering.respond
        self._holds = answering.holds
        self._parse_query = memoized(drivers_of_query)

    def routes(self) -> list[Route]:
        """The route."""
        return [
            Route(
                method="GET",
                path=f"{BASE}/strategies/{{strategy_id}}/drivers",
                handler=self.get_drivers,
                operation=Operation(
                    id="getDrivers",
                    tag=TAG,
                    summary="Which change did it: matched pairs, associations and what is confounded",
                    path_parameters=(
                        PathParameter("strategy_id", "The tag strategy_id of the runs.", STRATEGY),
                    ),
                    query=schemas.DriversParameters,
                    answers={200: Content(schemas.Drivers, examples.DRIVERS)},
                    errors=SEARCH_ERRORS,
                    cached=True,
                ),
            )
        ]

    async def get_drivers(self, request: web.BaseRequest, path: Mapping[str, str]) -> web.StreamResponse:
        """What drove the metric among the runs of this strategy."""
        strategy_id = path["strategy_id"]
        query = self._parse_query(request.rel_url.raw_query_string)
        asked = self._asked(request)
        sources = await there_of(asked, strategy_id, query.experiment_ids)
        key = ("drivers", strategy_id, query, sources.experiments.value)
        state = sources.state
        if state is not None and self._holds(key, state.value):
            return await self._respond(request, sources.answer(None), key, state.value, dict)
        answer = await drivers_in(asked, sources, query.question)
        report = answer.value
        of = (report,) if state is None else state.value
        return await self._respond(
            request, answer, key, of, lambda: _body(strategy_id, query.question.metric, report)
        )


def drivers_of_query(query_string: str) -> DriversQuery:
    """The question in a query. InvalidRequest, with every fault that was found."""
    given = validated(schemas.DriversParameters, parameters_of(query_string), "query")
    read = Reader("query")
    expression = read("filter", lambda: parse_filter(given.filter or ""), None)
    nothing: tuple[Field, ...] = ()
    ignore = read("ignore", lambda: _causes(parse_names(given.ignore or "", schemas.MOST_IGNORED)), nothing)
    experiments = given.experiment_id.split(",") if given.experiment_id else []
    none: tuple[str, ...] = ()
    experiment_ids = read("experiment_id", lambda: experiment_ids_of(experiments), none)
    read.end()
    return DriversQuery(experiment_ids, DriversQuestion(given.metric, expression, ignore))


def _causes(fields: tuple[Field, ...]) -> tuple[Field, ...]:
    for field in fields:
        if field.kind not in {FieldKind.PARAM, FieldKind.TAG}:
            raise ValueError(f"must be parameters and tags, which {field} is not")
    return fields


def _body(strategy_id: str, metric: str, report: DriversReport) -> Mapping[str, Any]:
    drivers = report.drivers
    return {
        "strategy_id": strategy_id,
        "metric": metric,
        "direction": report.decision.direction,
        "rule": report.decision.rule,
        "runs": drivers.runs,
        "used": drivers.used,
        "run_types": drivers.strata,
        "pairs": list(map(_pairs, drivers.changes)),
        "pairs_total": drivers.total_changes,
        "associations": list(map(_association, drivers.associations)),
        "confounded": _confounded(drivers.confounded),
        "methods": _METHODS,
        "notes": _NOTES,
        "index": state_of(report.index),
    }


def _named(field: Field) -> Mapping[str, str]:
    return {"kind": field.kind, "parameter": field.key}


def _pairs(change: Change) -> Mapping[str, Any]:
    return {
        "run_type": change.run_type,
        **_named(change.field),
        "from": change.before,
        "to": change.after,
        "n": change.n,
        "mean": change.mean,
        "median": change.median,
        "share_positive": change.share_positive,
        "share_better": change.share_better,
        "interval": None if change.reason else {"low": change.ci_low, "high": change.ci_high},
        "reason": change.reason,
        "examples": [{"from_run_id": one, "to_run_id": other} for one, other in change.examples],
    }


def _association(association: Association) -> Mapping[str, Any]:
    return {
        "run_type": association.run_type,
        **_named(association.field),
        "method": association.method.name,
        "value": association.value,
        "n": association.n,
        "missing": association.missing,
        "values": association.levels,
        "p_value": association.p_value,
        "q_value": association.q_value,
        "rise_is_better": association.is_rise_better,
        "reason": association.reason,
    }


def _confounded(confounded: Confounded) -> Mapping[str, Any]:
    return {
        "constant": [
            {"run_type": each.run_type, **_named(each.field), "value": each.level}
            for each in confounded.constant
        ],
        "together": [
            {
                "run_type": group.run_type,
                "parameters": list(map(_named, group.fields)),
                "strength": group.strength,
            }
            for group in confounded.together
        ],
        "ignored": [{"run_type": each.run_type, **_named(each.field)} for each in confounded.ignored],
        "reason": confounded.reason,
    }
