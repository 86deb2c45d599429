"""`experiment-tracking serve`: prepares the process, starts a local MLflow if needed, and serves."""

from __future__ import annotations

import gc
import logging
import sys
from collections.abc import Callable

import uvloop

from service.allocator import keep_no_large_blocks
from service.app import build
from service.commands.descriptors import fitted
from service.commands.welcome import welcome
from service.console.routes import CONSOLE
from service.http.server import Stopping
from service.http.server import serve as serve_handler
from service.local.first_run import finish
from service.local.installed import LocalError, examined, installed_mlflow
from service.local.server import local_mlflow
from service.local.store import Store
from service.settings.load import Settings, SettingsError, unknown_variables
from service.telemetry.logs import LineWriter, Render, as_json, as_text, logging_to
from service.upstream.access import Access
from service.wiring.connection import connection
from service.wiring.local_store import local_store, remarks, settled

Say = Callable[[str], object]

log = logging.getLogger("service")

_SWITCH_SECONDS = 0.001  # that the event loop waits for a thread that computes; Python's own are 5 ms
_CREDENTIAL = '-H "Authorization: Bearer $KEY"'  # for curl; the reader sets the variable


def serve(settings: Settings, say: Say, *, sample: bool) -> None:
    """Serve until a signal stops the service.

    say: called with what the operator reads. sample: whether the new store of a local MLflow gets the sample.
    SettingsError, LocalError or OSError if the service cannot start.
    """
    keep_no_large_blocks()
    sys.setswitchinterval(_SWITCH_SECONDS)
    with logging_to(sys.stderr.buffer, settings.log_level, _rendering(settings)) as log_lines:
        for name in unknown_variables():
            log.warning("%s is not a setting of this service", name)
        way = connection(settings)
        for remark in way.remarks:
            log.log(logging.WARNING if remark.is_odd else logging.INFO, remark.text)
        store = local_store(settings)
        if store is None:
            uvloop.run(_serve_at(settings, settings.mlflow_tracking_uri, way.access, log_lines, say))
        else:
            _serve_locally(settings, store, way.access, log_lines, say, sample=sample)


def _rendering(settings: Settings) -> Render:
    is_json = settings.log_format == "json" or (settings.log_format == "auto" and not sys.stderr.isatty())
    return as_json if is_json else as_text


def _serve_locally(
    settings: Settings, store: Store, access: Access, log_lines: LineWriter, say: Say, *, sample: bool
) -> None:
    mlflow = installed_mlflow()
    if mlflow is None:
        raise LocalError(
            f"{store.uri} needs a local MLflow, which is not installed. Set MLFLOW_TRACKING_URI to the "
            "address of your MLflow server, or: pip install 'experiment-tracking[embedded]'"
        )
    store = examined(store, mlflow)
    for remark in remarks(store):
        log.warning("%s", remark)
    with local_mlflow(store, say) as url:
        finish(store, url, settings.mlflow_experiment_name, sample=sample)
        uvloop.run(_serve_at(settled(settings, store), url, access, log_lines, say))


async def _serve_at(
    settings: Settings, mlflow_url: str, access: Access, log_lines: LineWriter, say: Say
) -> None:
    observers = [log_lines.write] if settings.access_log else []
    try:
        service = build(settings, mlflow_url, observers, lost_lines=lambda: log_lines.lost, access=access)
        descriptors = fitted(settings.max_connections, settings.upstream.max_in_flight)
    except (ValueError, OSError) as error:
        raise SettingsError(str(error)) from error
    for warning in filter(None, (*service.warnings, descriptors.warning)):
        log.warning("%s", warning)

    async def ready(url: str) -> None:
        gc.collect()
        gc.freeze()  # the objects made at start stay, so the collector need not examine them again and again
        credential = "" if settings.auth.mode == "none" else _CREDENTIAL
        console = f"{CONSOLE}/" if settings.console.enabled else ""
        say(await welcome(url, service.queries, console=console, credential=credential))

    async with service.open():
        await serve_handler(
            service.handler,
            service.unreadable,
            settings.hosts,
            settings.port,
            ready,
            # By the deadline and a little more each request in flight has its answer.
            stopping=Stopping(service.drain, settings.drain_seconds, settings.deadline + 1.0),
            max_connections=descriptors.connections,
            reuse_port=settings.reuse_port,
        )
