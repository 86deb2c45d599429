"""Builds the service: the one file that knows every room, and decides what wraps what."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, nullcontext, suppress
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from prometheus_client.registry import Collector

from service.api.answering import Answering, Searching
from service.api.event_hub import EventHub
from service.api.events import EventRoutes
from service.api.health import HealthRoutes
from service.api.metrics import MetricsRoutes
from service.api.resources import all_routes
from service.cache.cached_source import CachedSource
from service.cache.memory import Memory
from service.cache.revalidating_source import RevalidatingSource
from service.http.access_record import Observer, RequestTimes
from service.http.authentication import Authentication
from service.http.body import BodyReader
from service.http.capacity import Capacity
from service.http.client_address import ClientAddresses
from service.http.cors import Cors
from service.http.handler import Stage
from service.http.labels import Labels
from service.http.pipeline import RequestPipeline
from service.http.representations import Representations
from service.http.route import Access, Route, methods_of, open_paths
from service.http.routing import Router
from service.http.streams import Streams
from service.index.change_log import ChangeLog
from service.index.feeding_source import FeedingSource
from service.service import Service
from service.settings.groups import AuthSettings
from service.settings.load import Settings, config_dir, traces
from service.telemetry.index_metrics import IndexCollector
from service.telemetry.loop_lag import LoopLag
from service.telemetry.metrics import Exposition, Instruments, ServiceCollector
from service.telemetry.query_times import QueryCollector, QueryTimes, TimedIndex, TimedSource
from service.telemetry.store_metrics import StoreCollector
from service.telemetry.stream_metrics import StreamCollector
from service.tracking.directions import Directions, load_directions
from service.tracking.queries import TrackingQueries
from service.tracking.questions import GetExperiment
from service.tracking.runs import Run
from service.tracking.search.searches import AnewSearches, RunSearches
from service.upstream.access import DIRECT
from service.upstream.access import Access as MlflowAccess
from service.upstream.client import MlflowClient
from service.upstream.conditions import conditions_of
from service.upstream.experiment import ensure_experiment
from service.upstream.experiment_state import ExperimentState, State
from service.upstream.transport import Limits, MlflowTransport
from service.upstream.watched_experiment import WatchedExperiment
from service.wiring.authentication import identification
from service.wiring.console import console
from service.wiring.index import Indexing, indexed_runs, indexing
from service.wiring.sources import Sources, sources
from service.workers import Workers

if TYPE_CHECKING:
    from service.telemetry.tracing import Tracing

_NOW = partial(datetime.now, UTC)


def build(
    settings: Settings,
    mlflow_url: str,
    observers: Sequence[Observer] = (),
    clock: Callable[[], datetime] = _NOW,
    lost_lines: Callable[[], int] = lambda: 0,
    access: MlflowAccess = DIRECT,
    monotonic: Callable[[], float] = time.monotonic,
) -> Service:
    """The service over the MLflow at this address; ValueError or OSError for a bad file of a setting.

    observers: told of every request, besides the metrics. clock: the time, for the log.
    lost_lines: how many lines the log has lost, for the metrics. access: how MLflow is reached.
    monotonic: seconds, for deadlines and ages.
    """
    tracing, warnings = _tracing()
    transport = MlflowTransport(
        mlflow_url,
        Limits(deadline=settings.deadline, **settings.upstream.model_dump()),
        access=access,
        experiment=settings.mlflow_experiment_name,
        wrap_request=None if tracing is None else tracing.calls(mlflow_url),
        clock=monotonic,
    )
    client = MlflowClient(transport, monotonic)
    directions = _directions(settings)
    state = ExperimentState()
    watched = WatchedExperiment(
        client,
        settings.mlflow_experiment_name,
        state,
        monotonic,
        to_be_created=settings.create_experiment,
        identifier=os.environ.get("MLFLOW_EXPERIMENT_ID", ""),
    )
    indexed = indexed_runs(settings)

    def passed(run: Run, asked: float) -> None:
        if index is not None:
            index.passed(run, asked)

    fed = watched if indexed is None else FeedingSource(watched, passed, monotonic)
    remembering = sources(settings, fed, transport.layers.limit, monotonic)
    source, sharing = remembering.cached, remembering.sharing
    queries = TrackingQueries(source, settings.mlflow_experiment_name, directions)
    anew = TrackingQueries(RevalidatingSource(source), settings.mlflow_experiment_name, directions)
    log_of = None if sharing is None else sharing.index_log
    index = (
        None
        if indexed is None
        else indexing(settings, mlflow_url, indexed, client, source, monotonic, log_of)
    )
    times_of_queries = QueryTimes(monotonic)
    searching = _searching(settings, index, source, directions, times_of_queries)
    hub = EventHub(ChangeLog() if indexed is None else indexed.changes, searching.cached)
    streams = Streams(settings.max_streams, settings.drain_seconds, monotonic)
    workers = Workers()
    identify, keys = identification(settings.auth, os.environ)
    resources = [
        lambda: tracing or nullcontext(),
        lambda: keys,
        lambda: transport,
        *remembering.resources,
        lambda: workers,
        hub.running,
    ]
    if index is not None:
        resources.append(index.running)

    times = RequestTimes()
    capacity = Capacity(settings.max_requests)
    answers = Representations(remembering.bytes_left, remembering.words)
    metrics = None
    if settings.metrics:
        lag = LoopLag()
        counted = Instruments(
            times, capacity, transport.layers, source, remembering.memory, answers, lag, lost_lines
        )
        exposition = Exposition(
            [
                ServiceCollector(counted),
                *_collectors(index, remembering),
                QueryCollector(times_of_queries),
                StreamCollector(streams, hub),
            ]
        )
        metrics = MetricsRoutes(exposition, exposition.content_type)
        resources.append(lag.watched)
    routes = (
        *all_routes(
            Answering(queries, anew, searching, answers, BodyReader(settings.max_body_bytes), workers),
            EventRoutes(hub, streams),
            HealthRoutes(
                capacity,
                lambda: {
                    **transport.condition(),
                    "experiment": _experiment(state, remembering.memory, settings.mlflow_experiment_name),
                    "index": "off" if index is None else index.index.condition,
                    "store": "off" if sharing is None else sharing.condition,
                },
            ),
            metrics,
            settings.auth.mode,
        ),
        *console(settings, mlflow_url),
    )
    if settings.create_experiment:
        resources.append(partial(_experiment_created, watched, settings.mlflow_experiment_name))

    addresses = ClientAddresses(settings.proxies)
    cors = Cors(settings.cors.origins, methods_of(routes)) if settings.cors.origins else None
    pipeline = RequestPipeline(
        deadline=settings.deadline,
        capacity=capacity,
        always_answered={route.path for route in routes if route.always_answered},
        labels=Labels(capacity, cors),
        observers=[*observers, times] if settings.metrics else observers,
        addresses=addresses,
        clock=clock,
    )
    stages: list[Stage] = [] if cors is None else [cors]
    if identify is not None:
        stages.append(Authentication(identify, _open_paths(settings.auth, routes)))
    handler = pipeline.wrap(Router(routes).respond, stages)
    if tracing is not None:
        untraced = {route.path for route in routes if not route.traced}
        handler = tracing.requests(addresses, untraced).wrap(handler)
    return Service(
        handler=handler,
        unreadable=pipeline.unreadable,
        routes=routes,
        warnings=warnings,
        capacity=capacity,
        streams=streams,
        transport=transport,
        client=client,
        source=source,
        queries=queries,
        experiment=state,
        indexing=index,
        sharing=sharing,
        resources=resources,
    )


def _experiment(state: ExperimentState, memory: Memory, name: str) -> State:
    """What became of the experiment, as far as this replica, or one that shares its answers, has found."""
    remembered = memory.peek(GetExperiment(name))
    return state.state if remembered is None else state.beside(remembered.value, remembered.asked)


def _searching(
    settings: Settings,
    indexing: Indexing | None,
    source: CachedSource,
    directions: Directions,
    times: QueryTimes,
) -> Searching:
    """What answers searches, from the cache or anew; each is counted."""
    index = None if indexing is None else TimedIndex(indexing.index, times)
    name, anew = settings.mlflow_experiment_name, RevalidatingSource(source)
    return Searching(
        RunSearches(index, TimedSource(source, times), name, conditions_of),
        AnewSearches(index, TimedSource(anew, times), name, conditions_of),
        directions,
    )


def _collectors(indexing: Indexing | None, sources: Sources) -> Iterator[Collector]:
    """The metrics of parts that are not always there."""
    if indexing is not None:
        yield IndexCollector(indexing.index, indexing.runs, indexing.snapshot)
    if sources.sharing is not None and sources.shared is not None:
        replica = None if indexing is None or indexing.shared is None else indexing.shared.replica
        yield StoreCollector(sources.sharing.link, sources.shared, sources.sharing.answers, replica)


def _open_paths(auth: AuthSettings, routes: Sequence[Route]) -> frozenset[str]:
    accesses = {Access.OPEN}
    if auth.open_docs:
        accesses.add(Access.DOCS)
    if auth.open_metrics:
        accesses.add(Access.METRICS)
    return open_paths(routes, accesses)


def _tracing() -> tuple[Tracing | None, tuple[str, ...]]:
    """Spans, where they are wanted and can be made, and what to warn of."""
    wanted, warnings = traces()
    if not wanted:
        return None, warnings
    try:
        from service.telemetry.tracing import Tracing  # noqa: PLC0415 - needs the extra

        return Tracing(), warnings
    except ImportError:
        why = "traces need more: pip install 'experiment-tracking[otel]'; no traces are sent"
    except Exception as error:  # noqa: BLE001 - whatever its SDK makes of variables that are meant for others
        why = f"no traces are sent, for the SDK says: {error}"
    return None, (*warnings, f"{wanted}: {why}")


def _directions(settings: Settings) -> Directions:
    try:
        return load_directions(settings.metrics_file or config_dir() / "metrics.toml")
    except ValueError as error:
        raise ValueError(f"TRACKING_METRICS_FILE: {error}") from error


@asynccontextmanager
async def _experiment_created(watched: WatchedExperiment, name: str) -> AsyncIterator[None]:
    """Try in the background until MLflow is there: the service takes requests meanwhile."""
    task = asyncio.create_task(ensure_experiment(watched, name))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
