"""Builds the application: the one file that knows every room, and decides what wraps what."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager, nullcontext, suppress
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web

from service.api.health import HealthRoutes
from service.api.openapi import DocumentationRoutes
from service.api.routes import TrackingRoutes
from service.cache.cached_source import CachedSource
from service.cache.freshness import Freshness
from service.cache.memory import Memory
from service.cache.revalidating_source import RevalidatingSource
from service.http.access_record import Observer, RequestTimes
from service.http.authentication import Authentication, Identify
from service.http.capacity import Capacity
from service.http.client_address import Clients
from service.http.cors import Cors
from service.http.pipeline import ENTRANCE, UNREADABLE, RequestPipeline
from service.http.representations import Representations
from service.settings.groups import AuthSettings, listed
from service.settings.load import Settings, config_dir, traces
from service.telemetry.loop_lag import LoopLag
from service.telemetry.metrics import Instruments, MetricsRoute, ServiceCollector
from service.tracking.directions import Directions, load_directions
from service.tracking.queries import TrackingQueries
from service.upstream.access import DIRECT, Access
from service.upstream.client import MlflowClient
from service.upstream.door import Door, Limits
from service.upstream.experiment import ensure_experiment
from service.upstream.experiment_state import ExperimentState
from service.upstream.watched_experiment import WatchedExperiment
from service.wiring.authentication import identification

if TYPE_CHECKING:
    from service.telemetry.tracing import Tracing

DOOR = web.AppKey("door", Door)
CAPACITY = web.AppKey("capacity", Capacity)
CLIENT = web.AppKey("client", MlflowClient)
EXPERIMENT_STATE = web.AppKey("experiment_state", ExperimentState)
SOURCE = web.AppKey("source", CachedSource)
QUERIES = web.AppKey("queries", TrackingQueries)
WARNINGS: web.AppKey[tuple[str, ...]] = web.AppKey("warnings")  # what the settings ask for and do not get

_NOW = partial(datetime.now, UTC)


def create_app(
    settings: Settings,
    mlflow_url: str,
    observers: Sequence[Observer] = (),
    clock: Callable[[], datetime] = _NOW,
    lost_lines: Callable[[], int] = lambda: 0,
    access: Access = DIRECT,
) -> web.Application:
    """The application over the MLflow at this address; ValueError or OSError for a bad file of a setting.

    observers: told of every request, besides the metrics. clock: the time, for the log.
    lost_lines: how many lines the log has lost, for the metrics. access: how MLflow is reached.
    """
    tracing, warnings = _tracing()
    door = Door(
        mlflow_url,
        Limits(deadline=settings.deadline, **settings.upstream.model_dump()),
        access=access,
        experiment=settings.mlflow_experiment_name,
        around=None if tracing is None else tracing.calls(mlflow_url),
    )
    client = MlflowClient(door)
    directions = _directions(settings)
    cache = settings.cache
    for_runs = cache.max_bytes * 3 // 4  # and the rest for the answers made of them
    memory = Memory(for_runs)
    state = ExperimentState()
    watched = WatchedExperiment(
        client,
        settings.mlflow_experiment_name,
        state,
        to_be_created=settings.create_experiment,
        identifier=os.environ.get("MLFLOW_EXPERIMENT_ID", ""),
    )
    source = CachedSource(
        watched,
        memory,
        Freshness(**cache.model_dump(exclude={"max_bytes"})),
    )
    queries = TrackingQueries(source, settings.mlflow_experiment_name, directions)
    anew = TrackingQueries(RevalidatingSource(source), settings.mlflow_experiment_name, directions)

    times = RequestTimes()
    capacity = Capacity(settings.max_requests)
    documentation = DocumentationRoutes(settings.auth.mode).table()
    identify, keys = identification(settings.auth, os.environ)
    app = web.Application(client_max_size=settings.max_body_bytes)
    clients = Clients(listed(settings.trusted_proxies))
    entrance = RequestPipeline(
        [*observers, times] if settings.metrics else observers,
        capacity,
        settings.deadline,
        stages=[] if identify is None else [_callers(settings.auth, identify, documentation)],
        cors=Cors(origins) if (origins := listed(settings.cors.allowed_origins)) else None,
        clients=clients,
        clock=clock,
    )
    app[UNREADABLE] = entrance.unreadable
    app[ENTRANCE] = entrance if tracing is None else tracing.requests(entrance, clients)
    app[DOOR] = door
    app[CLIENT] = client
    app[EXPERIMENT_STATE] = state
    app[CAPACITY] = capacity
    app[WARNINGS] = warnings
    app[SOURCE] = source
    app[QUERIES] = queries
    answers = Representations(cache.max_bytes - for_runs)
    routes = [
        *TrackingRoutes(queries, anew, answers).table(),
        *HealthRoutes(capacity, lambda: {**door.condition(), "experiment": state.state}).table(),
        *documentation,
    ]
    if settings.metrics:
        lag = LoopLag()
        counted = Instruments(times, capacity, door, source, memory, answers, lag, lost_lines)
        routes += MetricsRoute(ServiceCollector(counted)).table()
        app.cleanup_ctx.append(lag.watched)
    app.add_routes(routes)

    async def opened(_app: web.Application) -> AsyncIterator[None]:
        async with tracing or nullcontext(), keys, door, aclosing(source):
            yield

    app.cleanup_ctx.append(opened)
    if settings.create_experiment:
        app.cleanup_ctx.append(lambda _: _experiment_created(watched, settings.mlflow_experiment_name))
    return app


def _callers(auth: AuthSettings, identify: Identify, documentation: Sequence[web.RouteDef]) -> Authentication:
    open_paths = {"/livez", "/readyz"}
    if auth.open_docs:
        open_paths |= {route.path for route in documentation}
    if auth.open_metrics:
        open_paths.add("/metrics")
    return Authentication(identify, open_paths)


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
