"""The pipeline of requests by itself."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from service.http.access_record import Observer
from service.http.capacity import Capacity
from service.http.client_address import ClientAddresses
from service.http.labels import Labels
from service.http.pipeline import RequestPipeline


def pipeline(
    capacity: Capacity, observers: Sequence[Observer] = (), always_answered: Collection[str] = ()
) -> RequestPipeline:
    """A pipeline of this capacity, whose requests are told to these observers."""
    return RequestPipeline(
        deadline=10.0,
        capacity=capacity,
        always_answered=always_answered,
        labels=Labels(capacity),
        observers=observers,
        addresses=ClientAddresses(()),
        clock=lambda: datetime(2026, 11, 28, tzinfo=UTC),
    )
