"""The service as a whole: what is built, served, tested and embedded."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.cache.cached_source import CachedSource
from service.http.aiohttp_internals import Unreadable
from service.http.capacity import Capacity
from service.http.handler import Respond
from service.http.route import Route
from service.http.streams import Streams
from service.tracking.queries import TrackingQueries
from service.upstream.client import MlflowClient
from service.upstream.experiment_state import ExperimentState
from service.upstream.transport import MlflowTransport
from service.wiring.index import Indexing

if TYPE_CHECKING:
    from service.wiring.store import Sharing


@dataclass(frozen=True, kw_only=True)
class Service:
    """The service over one MLflow: the handler that answers every request, and the parts behind it.

    The handler is complete: authentication, the form of errors, request ids, deadlines, the limit of a body,
    CORS and the headers for browsers are inside, so that any server of aiohttp's that calls it serves them:

        service = build(settings, "http://127.0.0.1:5000")
        async with service.open():
            runner = web.ServerRunner(web.Server(service.handler, handler_cancellation=True))
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 8080).start()
            ...
            await runner.cleanup()

    What a connection itself needs is not the handler's: `service.http.server.Server` also ends slow callers,
    bounds the connections, and answers bytes that are no HTTP request by `unreadable`.

    handler: takes a `web.BaseRequest`; to be called only while `open()` is entered.
    routes: all that it answers. warnings: what the settings ask for and do not get, a sentence each.
    capacity, streams, transport, client, source, queries, experiment, indexing, sharing: the parts, for
    measuring and examining them.
    resources: what is opened and closed with the service, in this order and its reverse.
    """

    handler: Respond
    unreadable: Unreadable
    routes: tuple[Route, ...]
    warnings: tuple[str, ...]
    capacity: Capacity
    streams: Streams
    transport: MlflowTransport
    client: MlflowClient
    source: CachedSource
    queries: TrackingQueries
    experiment: ExperimentState
    indexing: Indexing | None
    sharing: Sharing | None
    resources: Sequence[Callable[[], AbstractAsyncContextManager[object]]]

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Open the connections and start what runs beside requests; all of it ends with the context."""
        async with AsyncExitStack() as stack:
            for resource in self.resources:
                await stack.enter_async_context(resource())
            yield

    def drain(self) -> None:
        """Tell callers and load balancers from now on to go elsewhere; requests are still answered.

        Streams end one after another, within the setting TRACKING_DRAIN_SECONDS.
        """
        self.capacity.drain()
        self.streams.drain()

    def end_streams(self) -> None:
        """End all streams now, so that nothing is left in flight but requests."""
        self.streams.end()
