"""Builds the application: the one file that knows every room, and decides what wraps what."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager, suppress

from aiohttp import web
from pydantic import SecretStr

from service.api.capacity import Capacity
from service.api.entrance import ENTRANCE, Entrance
from service.api.health import HealthRoutes
from service.api.observation import Observer, RequestTimes
from service.api.openapi import DocumentationRoutes
from service.api.representations import Representations
from service.api.routes import TrackingRoutes
from service.metrics import MetricsRoute, ServiceCollector
from service.settings import Settings, config_dir
from service.tracking.cached_source import CachedSource
from service.tracking.directions import Directions, load_directions
from service.tracking.freshness import Freshness
from service.tracking.memory import Memory
from service.tracking.queries import TrackingQueries
from service.upstream.access import authorization, tls
from service.upstream.client import MlflowClient
from service.upstream.door import Door, Limits
from service.upstream.experiment import ensure_experiment

DOOR = web.AppKey("door", Door)
CAPACITY = web.AppKey("capacity", Capacity)
CLIENT = web.AppKey("client", MlflowClient)
SOURCE = web.AppKey("source", CachedSource)
QUERIES = web.AppKey("queries", TrackingQueries)


def create_app(
    settings: Settings,
    mlflow_url: str,
    observers: Sequence[Observer] = (),
    clock: Callable[[], float] = time.time,
) -> web.Application:
    """The application over the MLflow at this address; ValueError or OSError for a bad file of a setting.

    observers: told of every request, besides the metrics. clock: seconds since 1970, for the log.
    """
    door = Door(
        mlflow_url,
        Limits(deadline=settings.deadline, **settings.upstream.model_dump()),
        headers=authorization(
            settings.mlflow_tracking_username,
            _secret(settings.mlflow_tracking_password),
            _secret(settings.mlflow_tracking_token),
        ),
        ssl_context=tls(
            settings.mlflow_tracking_server_cert_path,
            settings.mlflow_tracking_client_cert_path,
            insecure=settings.mlflow_tracking_insecure_tls,
        ),
    )
    client = MlflowClient(door)
    directions = _directions(settings)
    cache = settings.cache
    for_runs = cache.max_bytes * 3 // 4  # and the rest for the answers made of them
    memory = Memory(for_runs)
    source = CachedSource(
        client,
        memory,
        Freshness(**cache.model_dump(exclude={"max_bytes"})),
    )
    queries = TrackingQueries(source, settings.mlflow_experiment_name, directions)
    anew = TrackingQueries(source.past_memory(), settings.mlflow_experiment_name, directions)

    times = RequestTimes()
    capacity = Capacity(settings.max_requests)
    app = web.Application(client_max_size=settings.max_body_bytes)
    app[ENTRANCE] = Entrance(
        [*observers, times] if settings.metrics else observers, capacity, settings.deadline, clock
    )
    app[DOOR] = door
    app[CLIENT] = client
    app[CAPACITY] = capacity
    app[SOURCE] = source
    app[QUERIES] = queries
    routes = [
        *TrackingRoutes(queries, anew, Representations(cache.max_bytes - for_runs)).table(),
        *HealthRoutes(capacity, door.condition).table(),
        *DocumentationRoutes().table(),
    ]
    if settings.metrics:
        routes += MetricsRoute(ServiceCollector(times, door, source, memory)).table()
    app.add_routes(routes)
    app.cleanup_ctx.append(_opened)
    if settings.create_experiment:
        app.cleanup_ctx.append(lambda app: _experiment_created(app, settings.mlflow_experiment_name))
    return app


def _directions(settings: Settings) -> Directions:
    try:
        return load_directions(settings.metrics_file or config_dir() / "metrics.toml")
    except ValueError as error:
        raise ValueError(f"TRACKING_METRICS_FILE: {error}") from error


def _secret(value: SecretStr | None) -> str | None:
    return None if value is None else value.get_secret_value()


async def _opened(app: web.Application) -> AsyncIterator[None]:
    async with app[DOOR], aclosing(app[SOURCE]):
        yield


@asynccontextmanager
async def _experiment_created(app: web.Application, name: str) -> AsyncIterator[None]:
    """Try in the background until MLflow is there: the service takes requests meanwhile."""
    task = asyncio.create_task(ensure_experiment(app[CLIENT], name))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
