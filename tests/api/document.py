"""The routes and the OpenAPI document as such: no handler of these routes is ever called."""

import json
from functools import cache
from typing import Any, cast

from service.api.answering import Answering, Searching
from service.api.event_hub import EventHub
from service.api.events import EventRoutes
from service.api.health import HealthRoutes
from service.api.metrics import MetricsRoutes
from service.api.openapi import openapi_json
from service.api.resources import all_routes
from service.http.body import BodyReader
from service.http.capacity import Capacity
from service.http.representations import Representations
from service.http.streams import Streams
from service.tracking.directions import Directions
from service.tracking.queries import TrackingQueries
from service.tracking.search.searches import RunSearches
from service.workers import Workers

_NOTHING = cast("TrackingQueries", None)
_NO_SEARCHES = Searching(cast("RunSearches", None), cast("RunSearches", None), Directions([]))

ROUTES = all_routes(
    Answering(_NOTHING, _NOTHING, _NO_SEARCHES, Representations(0), BodyReader(0), Workers()),
    EventRoutes(cast("EventHub", None), cast("Streams", None)),
    HealthRoutes(Capacity(0), dict),
    MetricsRoutes(bytes, "text/plain"),
    "none",
)
DESCRIBED = [route for route in ROUTES if route.operation is not None]


def document(auth: str = "none") -> dict[str, Any]:
    """The document of a service that authenticates callers in this way."""
    return dict(json.loads(_json(auth)))


@cache
def _json(auth: str) -> bytes:
    return openapi_json(ROUTES, auth)


def closed_document(auth: str = "none") -> dict[str, Any]:
    """The document, with answers that have no fields but those described.

    Clients are to take more fields than they know; what this version answers has exactly these.
    """
    closed = document(auth)
    for name, schema in closed["components"]["schemas"].items():
        if "properties" in schema and not name.endswith("Request"):
            schema["additionalProperties"] = False
    return closed
