"""Builds the application: the one file that knows every room, and decides what wraps what."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager, suppress

from aiohttp import web
from pydantic import SecretStr

from service.api.health import HealthRoutes
from service.api.middleware import entrance
from service.api.observation import Observer, RequestTimes
from service.api.openapi import DocumentationRoutes
from service.api.representations import Representations
from service.api.routes import TrackingRoutes
from service.metrics import MetricsRoute, ServiceCollector
from service.settings import Settings, config_dir
from service.tracking.cached_source import CachedSource, Freshness
from service.tracking.directions import load_directions
from service.tracking.memory import Memory
from service.tracking.queries import TrackingQueries
from service.upstream.access import authorization, tls
from service.upstream.client import Limits, MlflowClient
from service.upstream.experiment import ensure_experiment

CLIENT = web.AppKey("client", MlflowClient)
SOURCE = web.AppKey("source", CachedSource)
QUERIES = web.AppKey("queries", TrackingQueries)


def create_app(settings: Settings, mlflow_url: str, observers: Sequence[Observer] = ()) -> web.Application:
    """The application over the MLflow at this address; ValueError or OSError for a bad file of a setting.

    observers: told of every request, besides the metrics.
    """
    client = MlflowClient(
        mlflow_url,
        Limits(
            timeout=settings.deadline,
            connect_timeout=settings.upstream.connect_timeout,
            max_connections=settings.upstream.max_connections,
            keepalive=settings.upstream.keepalive,
            max_body_bytes=settings.upstream.max_body_bytes,
        ),
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
    directions = load_directions(settings.metrics_file or config_dir() / "metrics.toml")
    cache = settings.cache
    for_runs = cache.max_bytes * 3 // 4  # and the rest for the answers made of them
    memory = Memory(for_runs)
    source = CachedSource(
        client,
        memory,
        Freshness(
            terminal=cache.terminal_ttl,
            active=cache.active_ttl,
            list=cache.list_ttl,
            experiments=cache.experiments_ttl,
            missing=cache.missing_ttl,
            revalidate_factor=cache.revalidate_factor,
            stale_if_error=cache.stale_if_error,
        ),
    )
    queries = TrackingQueries(source, settings.mlflow_experiment_name, directions)
    anew = TrackingQueries(source.past_memory(), settings.mlflow_experiment_name, directions)

    times = RequestTimes()
    app = web.Application(
        middlewares=[entrance([*observers, times] if settings.metrics else observers)],
        client_max_size=settings.max_body_bytes,
    )
    app[CLIENT] = client
    app[SOURCE] = source
    app[QUERIES] = queries
    app.add_routes(TrackingRoutes(queries, anew, Representations(cache.max_bytes - for_runs)).table())
    app.add_routes(HealthRoutes(lambda: client.health).table())
    app.add_routes(DocumentationRoutes().table())
    if settings.metrics:
        app.add_routes(MetricsRoute(ServiceCollector(times, source, memory)).table())
    app.cleanup_ctx.append(_opened)
    if settings.create_experiment:
        app.cleanup_ctx.append(lambda app: _experiment_created(app, settings.mlflow_experiment_name))
    return app


def _secret(value: SecretStr | None) -> str | None:
    return None if value is None else value.get_secret_value()


async def _opened(app: web.Application) -> AsyncIterator[None]:
    async with app[CLIENT], aclosing(app[SOURCE]):
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
