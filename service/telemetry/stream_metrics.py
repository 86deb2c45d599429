"""The metrics of the streams of events for Prometheus."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from service.http.streams import Streams
from service.telemetry.families import counter, gauge


class Sent(Protocol):
    """What has been sent to listeners: events, and among them those that let a listener read anew."""

    events: int
    resets: int


class StreamCollector(Collector):
    """Collects the metrics of the streams, and of what they were sent."""

    def __init__(self, streams: Streams, sent: Sent) -> None:
        self._streams = streams
        self._sent = sent

    def collect(self) -> Iterable[Metric]:
        """The metrics as they are now."""
        yield gauge("tracking_streams", "Streams of events that are open.", len(self._streams))
        yield counter(
            "tracking_streams_refused",
            "Streams that could not be opened for a while, such as for want of room.",
            (),
            [((), self._streams.refused)],
        )
        yield counter(
            "tracking_stream_events", "Events that streams were sent.", (), [((), self._sent.events)]
        )
        yield counter(
            "tracking_stream_resets",
            "How often listeners were told to read anew, since too much was missed.",
            (),
            [((), self._sent.resets)],
        )
