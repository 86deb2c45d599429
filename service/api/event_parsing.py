"""What listeners ask for, in a query and in a header, into what is asked of the tracking room. Pure."""

from __future__ import annotations

import msgspec

from service.api.event_schemas import EventParameters
from service.api.parsing import validated
from service.api.search_parsing import Reader, experiment_ids_of, parameters_of
from service.errors import FieldError, InvalidRequest
from service.tracking.events import Position, position_of
from service.tracking.search.expressions import Expression
from service.tracking.search.parsing import parse_filter


class EventQuery(msgspec.Struct, frozen=True):
    """Which events are asked for. experiment_ids: () for the default one. since: None for from now on."""

    experiment_ids: tuple[str, ...]
    filter: Expression | None
    since: Position | None


def events_of_query(query_string: str) -> EventQuery:
    """The events in a query. InvalidRequest, with every fault that was found."""
    given = validated(EventParameters, parameters_of(query_string), "query")
    read = Reader("query")
    experiments = given.experiment_id.split(",") if given.experiment_id else []
    none: tuple[str, ...] = ()
    experiment_ids = read("experiment_id", lambda: experiment_ids_of(experiments), none)
    expression = read("filter", lambda: parse_filter(given.filter or ""), None)
    since = read("since", lambda: position_of(given.since) if given.since else None, None)
    read.end()
    return EventQuery(experiment_ids, expression, since)


def position_of_header(text: str) -> Position:
    """The position in a Last-Event-ID. InvalidRequest."""
    try:
        return position_of(text)
    except ValueError as error:
        raise InvalidRequest([FieldError("header.Last-Event-ID", str(error))]) from None
