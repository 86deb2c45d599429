"""Groups of runs: how many share some fields, and what their metrics come to."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from aiohttp import web

from service.api import search_examples as examples
from service.api import search_schemas as schemas
from service.api.answering import BASE, SEARCH_ERRORS, Answering
from service.api.links import link_line, searched
from service.api.parsing import memoized
from service.api.schemas import projection
from service.api.search import TAG, state_of
from service.api.search_parsing import groups_of_query
from service.http.representations import WithLines
from service.http.route import Content, Operation, Route
from service.tracking.search.searches import FoundGroups

_group = projection(schemas.RunGroup)


class GroupRoutes:
    """The handler of groups, and the route that leads to it."""

    def __init__(self, answering: Answering) -> None:
        self._searches = answering.searches
        self._respond = answering.respond
        self._holds = answering.holds
        self._parse_query = memoized(partial(groups_of_query, directions=answering.directions))

    def routes(self) -> list[Route]:
        """The route."""
        return [
            Route(
                method="GET",
                path=f"{BASE}/runs/groups",
                handler=self.list_groups,
                operation=Operation(
                    id="groupRuns",
                    tag=TAG,
                    summary="The runs that match a filter, counted and summed up by the values of fields",
                    query=schemas.GroupParameters,
                    answers={200: Content(schemas.RunGroups, examples.RUN_GROUPS)},
                    errors=SEARCH_ERRORS,
                    cached=True,
                    paged=True,
                ),
            )
        ]

    async def list_groups(self, request: web.BaseRequest, _path: Mapping[str, str]) -> web.StreamResponse:
        """The groups that the query asks for."""
        query = self._parse_query(request.rel_url.raw_query_string)
        searches = self._searches(request)
        experiments = await searches.experiment_ids(query.experiment_ids)
        state = await searches.state(experiments.value)
        key = ("groups", query, experiments.value)
        if state is not None and self._holds(key, state.value):
            return await self._respond(request, state, key, state.value, dict)
        answer = await searches.groups(query.of(experiments.value), query.page_token)
        found = answer.value
        return await self._respond(
            request,
            answer.after(experiments) if state is None else state,
            key,
            (found,) if state is None else state.value,
            lambda: WithLines(
                _body(found),
                link_line(request, searched(request, schemas.GroupParameters), found.next_page_token),
            ),
        )


def _body(found: FoundGroups) -> Mapping[str, Any]:
    return {
        "groups": list(map(_group, found.groups)),
        "total": found.total,
        "next_page_token": found.next_page_token,
        "index": state_of(found.index),
    }
