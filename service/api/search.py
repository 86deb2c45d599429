"""Searching runs: any filter, any order, by pages, with counts; as rows, as columns or as CSV."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec
from aiohttp import HttpVersion11, hdrs, web

from service.answer import Answer
from service.api import search_examples as examples
from service.api import search_schemas as schemas
from service.api.answering import BASE, SEARCH_ERRORS, Answering
from service.api.links import link_line, searched
from service.api.parsing import BODY_ERRORS, json_body, memoized
from service.api.schemas import projection
from service.api.search_parsing import SearchQuery, search_of_body, search_of_query
from service.api.search_rows import (
    RUN_ID,
    columns_of,
    head_of,
    lines_of,
    names_in,
    needs_names,
    not_finite_in,
    reader_of,
    row_of,
)
from service.checkpoint import checkpoint
from service.http.negotiation import listed, prefers
from service.http.representations import WithLines
from service.http.route import Content, Operation, Route, Tag
from service.tracking.runs import Run
from service.tracking.search.fields import Field
from service.tracking.search.queries import RunSearch
from service.tracking.search.searches import EXPORT_LIMIT, FoundRuns, RunSearches

TAG = Tag("search", "All runs of an experiment, found, sorted, counted and summed up.")
CSV = "text/csv"

_ROWS_AT_ONCE = 100  # about 1 ms of work
_LINES_AT_ONCE = 100  # about 2 ms of work, for runs of 40 fields
_ANSWERS = {200: Content(schemas.FoundRuns, examples.FOUND_RUNS, texts={CSV: examples.CSV})}

state_of = projection(schemas.IndexState)
_encode = msgspec.json.Encoder().encode


class SearchRoutes:
    """The handlers of searches, and the routes that lead to them."""

    def __init__(self, answering: Answering) -> None:
        self._searches = answering.searches
        self._respond = answering.respond
        self._holds = answering.holds
        self._headers = answering.headers
        self._read_body = answering.read_body
        self._parse_query = memoized(search_of_query)
        self._parse_body = memoized(search_of_body)

    def routes(self) -> list[Route]:
        """One route for each handler below, in their order."""
        return [
            Route(
                method="GET",
                path=f"{BASE}/runs/search",
                handler=self.search_by_query,
                operation=Operation(
                    id="searchRuns",
                    tag=TAG,
                    summary="The runs that match a filter, sorted and by pages",
                    query=schemas.SearchParameters,
                    answers=_ANSWERS,
                    errors=SEARCH_ERRORS,
                    cached=True,
                    paged=True,
                ),
            ),
            Route(
                method="POST",
                path=f"{BASE}/runs/search",
                handler=self.search_by_body,
                operation=Operation(
                    id="searchRunsByBody",
                    tag=TAG,
                    summary="The same, for filters that are too long for a URL",
                    body=Content(schemas.SearchRequest, examples.SEARCH_REQUEST),
                    answers=_ANSWERS,
                    errors=(*BODY_ERRORS, *SEARCH_ERRORS[1:]),
                    cached=True,
                ),
            ),
        ]

    async def search_by_query(self, request: web.BaseRequest, _path: Mapping[str, str]) -> web.StreamResponse:
        """The runs that match the query."""
        return await self._search(request, self._parse_query(request.rel_url.raw_query_string))

    async def search_by_body(self, request: web.BaseRequest, _path: Mapping[str, str]) -> web.StreamResponse:
        """The runs that match the search in the body."""
        return await self._search(request, self._parse_body(await json_body(request, self._read_body)))

    async def _search(self, request: web.BaseRequest, query: SearchQuery) -> web.StreamResponse:
        searches = self._searches(request)
        experiments = await searches.experiment_ids(query.experiment_ids)
        state = await searches.state(experiments.value)
        if prefers(listed(request.headers, hdrs.ACCEPT), CSV):
            told = self._headers(state or experiments)
            return await _export(request, searches, query, experiments.value, told)
        key: tuple[object, ...] = ("search", query, experiments.value)
        if state is not None and self._holds(key, state.value):
            return await self._respond(request, state, key, state.value, _nothing)
        answer = await searches.search(query.of(experiments.value), query.page_token, query.place)
        found = answer.value
        of: tuple[object, ...] = (found.runs, found.index)
        answered: Answer[object] = state or answer
        if state is not None and found.total is not None:
            of = state.value
        else:  # what MLflow said is as good as the runs that it was read from
            answered, key = answer.after(experiments), (*key, found.next_page_token)
        shown = {} if self._holds(key, of) else await _shown(query, found.runs)

        def build() -> WithLines:
            following = searched(request, schemas.SearchParameters)
            link = link_line(request, following, found.next_page_token)
            return WithLines({**shown, **_beside(query, found)}, f"Vary: Accept\r\n{link}")

        return await self._respond(request, answered, key, of, build)


def _nothing() -> object:
    raise LookupError("a representation that is held needs nothing built")


def _beside(query: SearchQuery, found: FoundRuns) -> Mapping[str, Any]:
    return {
        "total": found.total,
        "reason": found.reason,
        "next_page_token": found.next_page_token,
        "facets": {
            field.name: [{"value": one.value, "count": one.count} for one in values]
            for field, values in zip(query.facets, found.facets, strict=True)
        },
        "index": state_of(found.index),
    }


async def _shown(query: SearchQuery, runs: tuple[Run, ...]) -> Mapping[str, Any]:
    """The runs, as rows or columns. Many of them are encoded here already, some in a turn of the loop."""
    if query.format == "rows":
        row = row_of(query.choice)
        if len(runs) <= _ROWS_AT_ONCE:
            return {"runs": list(map(row, runs))}
        rows: list[msgspec.Raw] = []
        for start in range(0, len(runs), _ROWS_AT_ONCE):
            rows += [msgspec.Raw(_encode(row(run))) for run in runs[start : start + _ROWS_AT_ONCE]]
            await checkpoint()
        return {"runs": rows}
    columns: dict[str, msgspec.Raw] = {}
    not_finite: dict[str, list[int]] = {}
    for field in columns_of(query.choice, names_in(query.choice, runs)):
        values = list(map(reader_of(field), runs))
        columns[field.name] = msgspec.Raw(_encode(values))
        if places := not_finite_in(field, values, runs):
            not_finite[field.name] = places
        if len(runs) > _ROWS_AT_ONCE:
            await checkpoint()
    return {"columns": columns, "not_finite": not_finite} if not_finite else {"columns": columns}


async def _export(
    request: web.BaseRequest,
    searches: RunSearches,
    query: SearchQuery,
    experiment_ids: tuple[str, ...],
    told: Mapping[str, str],
) -> web.StreamResponse:
    """All hits as CSV, streamed. What can be refused is refused before the first line.

    Whatever goes wrong later breaks the response off, which a caller can tell from its end.
    """
    search = query.of(experiment_ids)
    fields, total = await _surveyed(searches, query, search)
    lines = _csv(searches, search, query.place, fields)
    headers = {
        "Content-Disposition": 'attachment; filename="runs.csv"',
        "X-Total-Count": str(total),
        "X-Run-Limit": str(EXPORT_LIMIT),
        "Cache-Control": "private, no-store",
        "Vary": "Accept",
        **told,
    }
    # In HTTP/1.0 the end of the connection is the end of the body, however it came about.
    body = lines if request.version >= HttpVersion11 else b"".join([chunk async for chunk in lines])
    return web.Response(body=body, content_type=CSV, charset="utf-8", headers=headers)


async def _surveyed(
    searches: RunSearches, query: SearchQuery, search: RunSearch
) -> tuple[tuple[Field, ...], int]:
    """The columns, of which run_id is the first, and the number of hits."""
    names: set[Field] = set()
    total = 0
    async for page in searches.every(search, query.place):
        total = page.total or 0
        if not needs_names(query.choice):
            break
        names |= names_in(query.choice, page.runs)
        await checkpoint()
    return tuple(dict.fromkeys((RUN_ID, *columns_of(query.choice, names)))), total


async def _csv(
    searches: RunSearches, search: RunSearch, place: str, fields: tuple[Field, ...]
) -> AsyncIterator[bytes]:
    yield head_of(fields)
    async for page in searches.every(search, place):
        for start in range(0, len(page.runs), _LINES_AT_ONCE):
            yield lines_of(fields, page.runs[start : start + _LINES_AT_ONCE])
            await checkpoint()
