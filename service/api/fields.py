"""The fields that runs have: which there are, how many runs have each, and what the values are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from aiohttp import web

from service.api import field_schemas as schemas
from service.api import search_examples as examples
from service.api.answering import BASE, SEARCH_ERRORS, Answering
from service.api.parsing import memoized
from service.api.search import TAG, state_of
from service.api.search_parsing import fields_of_query
from service.checkpoint import checkpoint
from service.http.route import Content, Operation, Route
from service.tracking.directions import Directions
from service.tracking.search.fields import FieldKind
from service.tracking.search.queries import FieldPage, FieldSummary

_AT_ONCE: Final = 100  # about 1 ms of work where the directions of the names are not known yet

_encode = msgspec.json.Encoder().encode


class FieldRoutes:
    """The handler of fields, and the route that leads to it."""

    def __init__(self, answering: Answering) -> None:
        self._searches = answering.searches
        self._respond = answering.respond
        self._holds = answering.holds
        self._directions = answering.directions
        self._parse_query = memoized(fields_of_query)

    def routes(self) -> list[Route]:
        """The route."""
        return [
            Route(
                method="GET",
                path=f"{BASE}/runs/fields",
                handler=self.list_fields,
                operation=Operation(
                    id="listFields",
                    tag=TAG,
                    summary="The fields that the runs have which match a filter",
                    query=schemas.FieldParameters,
                    answers={200: Content(schemas.RunFields, examples.RUN_FIELDS)},
                    errors=SEARCH_ERRORS,
                    cached=True,
                ),
            )
        ]

    async def list_fields(self, request: web.BaseRequest, _path: Mapping[str, str]) -> web.StreamResponse:
        """The fields that the query asks for."""
        query = self._parse_query(request.rel_url.raw_query_string)
        searches = self._searches(request)
        experiments = await searches.experiment_ids(query.experiment_ids)
        state = await searches.state(experiments.value)
        key = ("fields", query, experiments.value)
        if state is not None and self._holds(key, state.value):
            return await self._respond(request, state, key, state.value, dict)
        answer = await searches.fields(msgspec.structs.replace(query, experiment_ids=experiments.value))
        body = await _body(answer.value, self._directions)
        return await self._respond(
            request,
            answer.after(experiments) if state is None else state,
            key,
            (answer.value,) if state is None else state.value,
            lambda: body,
        )


async def _body(page: FieldPage, directions: Directions) -> Mapping[str, Any]:
    fields: list[msgspec.Raw] = []
    for start in range(0, len(page.fields), _AT_ONCE):
        some = page.fields[start : start + _AT_ONCE]
        fields += [msgspec.Raw(_encode(_field(summary, directions))) for summary in some]
        await checkpoint()
    return {
        "fields": fields,
        "counts": {name: page.counts.get(FieldKind(name), 0) for name in schemas.FieldCounts.model_fields},
        "total": page.total,
        "index": state_of(page.index),
    }


def _field(summary: FieldSummary, directions: Directions) -> Mapping[str, Any]:
    field = summary.field
    is_attribute = field.kind is FieldKind.ATTRIBUTE
    direction, rule = directions.decide(field.key) if field.kind is FieldKind.METRIC else (None, None)
    low, high = summary.low, summary.high
    if is_attribute and low is not None and high is not None:
        low, high = int(low), int(high)  # milliseconds
    return {
        "name": field.name,
        "written": field.key if is_attribute else str(field),
        "kind": field.kind,
        "runs": summary.runs,
        "distinct": summary.distinct,
        "numeric": summary.is_numeric,
        "min": low,
        "max": high,
        "direction": direction,
        "rule": rule,
    }
