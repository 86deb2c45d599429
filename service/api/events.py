"""What happens to runs, as it happens: as a stream of server-sent events, or for those who poll."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from aiohttp import hdrs, web
from multidict import istr

from service.api import event_schemas as schemas
from service.api.answering import BASE, SEARCH_ERRORS
from service.api.event_hub import EventHub
from service.api.event_parsing import EventQuery, events_of_query, position_of_header
from service.api.parsing import memoized
from service.errors import InvalidRequest
from service.http.event_stream import TEXT
from service.http.negotiation import listed, prefers
from service.http.representations import accepts_gzip
from service.http.route import Content, Operation, Route, Tag
from service.http.streams import Opening, Streams
from service.tracking.events import Position

_TAG = Tag("events", "Changes of runs, as they are noticed.")
_JSON = "application/json"
_LAST_EVENT_ID = istr("Last-Event-ID")
_HEADERS = {"Cache-Control": "no-store", "Vary": "Accept, Accept-Encoding"}
_GZIP_FROM = 1_024  # bytes; below a packet's size compressing wins nothing

_encode = msgspec.json.Encoder().encode


class EventRoutes:
    """The handler of events, and the route that leads to it."""

    def __init__(self, hub: EventHub, streams: Streams) -> None:
        self._hub = hub
        self._streams = streams
        self._parse = memoized(events_of_query)

    def routes(self) -> list[Route]:
        """The route."""
        return [
            Route(
                method="GET",
                path=f"{BASE}/events",
                handler=self.events,
                operation=Operation(
                    id="listenToEvents",
                    tag=_TAG,
                    summary="What happens to the runs that match a filter: a stream, or a list where Accept "
                    "prefers JSON",
                    query=schemas.EventParameters,
                    answers={
                        200: Content(schemas.EventList, schemas.EXAMPLE, texts={TEXT: schemas.STREAM_EXAMPLE})
                    },
                    errors=SEARCH_ERRORS,
                    resumable=True,
                ),
            )
        ]

    async def events(self, request: web.BaseRequest, _path: Mapping[str, str]) -> web.StreamResponse:
        """The events that the query asks for: a stream, unless JSON is asked for."""
        query = self._parse(request.rel_url.raw_query_string)
        accept = listed(request.headers, hdrs.ACCEPT)
        if prefers(accept, _JSON, TEXT) and not prefers(accept, TEXT, _JSON):
            return await self._poll(request, query)
        last_event_id = request.headers.get(_LAST_EVENT_ID, "")
        since = _known(last_event_id) if last_event_id else query.since

        async def opening() -> Opening:
            listening = await self._hub.listening(query.experiment_ids, query.filter)
            is_new = not last_event_id and query.since is None
            return await self._hub.opening(listening, since, is_new=is_new)

        return await self._streams.open(opening)

    async def _poll(self, request: web.BaseRequest, query: EventQuery) -> web.StreamResponse:
        last_event_id = request.headers.get(_LAST_EVENT_ID, "")
        since = position_of_header(last_event_id) if last_event_id else query.since
        told = await self._hub.told(await self._hub.listening(query.experiment_ids, query.filter), since)
        events = [one._asdict() for one in told.events]
        body = _encode({"events": events, "next": told.next, "reset": told.is_reset})
        response = web.Response(body=body, content_type=_JSON, headers=_HEADERS)
        if len(body) >= _GZIP_FROM and accepts_gzip(listed(request.headers, hdrs.ACCEPT_ENCODING) or ""):
            response.enable_compression(web.ContentCoding.gzip)
        return response


def _known(last_event_id: str) -> Position | None:
    """The position that a browser sends again; None for what is none: a refusal would end it for good."""
    try:
        return position_of_header(last_event_id)
    except InvalidRequest:
        return None
