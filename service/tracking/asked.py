"""What the use cases beyond single questions read through, for one request."""

from __future__ import annotations

from typing import NamedTuple

from service.tracking.directions import Directions
from service.tracking.queries import TrackingQueries
from service.tracking.search.searches import RunSearches
from service.workers import Workers


class Asked(NamedTuple):
    """The queries and the searches that a request may be answered from: remembered, or MLflow's own word.

    directions: of the metrics. workers: threads for long work.
    """

    queries: TrackingQueries
    searches: RunSearches
    directions: Directions
    workers: Workers
