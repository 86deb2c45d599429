"""The strategies that runs belong to."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from aiohttp import web

from service.api import strategy_examples as examples
from service.api import strategy_schemas as schemas
from service.api.answering import BASE, SEARCH_ERRORS, Answering
from service.api.examples import STRATEGY
from service.api.links import link_line, searched
from service.api.parsing import memoized
from service.api.search import state_of
from service.api.search_parsing import strategies_of_query
from service.http.representations import WithLines
from service.http.route import Content, Operation, PathParameter, Route, Tag
from service.tracking.analysis.strategies import FoundStrategies, Strategy, strategies_of

TAG: Final = Tag("strategies", "All runs of a strategy: what was tried, and what is more than luck.")
STRATEGY_ID: Final = PathParameter("strategy_id", "The tag strategy_id of the runs.", STRATEGY)


class StrategyRoutes:
    """The handler of strategies, and the route that leads to it."""

    def __init__(self, answering: Answering) -> None:
        self._searches = answering.searches
        self._respond = answering.respond
        self._holds = answering.holds
        self._parse_query = memoized(partial(strategies_of_query, directions=answering.directions))

    def routes(self) -> list[Route]:
        """The route."""
        return [
            Route(
                method="GET",
                path=f"{BASE}/strategies",
                handler=self.list_strategies,
                operation=Operation(
                    id="listStrategies",
                    tag=TAG,
                    summary="The strategies that runs belong to, counted and summed up",
                    query=schemas.StrategyParameters,
                    answers={200: Content(schemas.StrategyList, examples.STRATEGIES)},
                    errors=SEARCH_ERRORS,
                    cached=True,
                    paged=True,
                ),
            )
        ]

    async def list_strategies(self, request: web.BaseRequest, _path: Mapping[str, str]) -> web.StreamResponse:
        """The strategies that the query asks for."""
        query = self._parse_query(request.rel_url.raw_query_string)
        searches = self._searches(request)
        experiments = await searches.experiment_ids(query.experiment_ids)
        state = await searches.state(experiments.value)
        key = ("strategies", query, experiments.value)
        if state is not None and self._holds(key, state.value):
            return await self._respond(request, state, key, state.value, dict)
        answer = await strategies_of(searches, query.of(experiments.value), query.page_token)
        found = answer.value
        return await self._respond(
            request,
            answer.after(experiments) if state is None else state,
            key,
            (found,) if state is None else state.value,
            lambda: WithLines(
                _body(found),
                link_line(request, searched(request, schemas.StrategyParameters), found.next_page_token),
            ),
        )


def _body(found: FoundStrategies) -> Mapping[str, Any]:
    return {
        "strategies": list(map(_strategy, found.strategies)),
        "total": found.total,
        "next_page_token": found.next_page_token,
        "index": state_of(found.index),
    }


def _strategy(strategy: Strategy) -> Mapping[str, Any]:
    group = strategy.group
    return {
        "strategy_id": group.key[0],
        "runs": group.runs,
        "statuses": group.statuses,
        "run_types": strategy.run_types,
        "first_start_time": group.first_start_time,
        "last_start_time": group.last_start_time,
        "metrics": group.metrics,
    }
