"""The command line: reads the arguments and settings, and runs a command."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
from collections.abc import Sequence

import uvloop

from service.app import build
from service.auth.api_keys import new_key
from service.commands.allocator import keep_no_large_blocks
from service.commands.arguments import parser
from service.commands.check import check
from service.commands.descriptors import fitted
from service.commands.welcome import welcome
from service.http.server import Stopping, serve
from service.local.first_run import finish
from service.local.installed import LocalError, examined, installed_mlflow
from service.local.server import local_mlflow
from service.local.store import Store
from service.settings.load import Settings, SettingsError, load_settings, unknown_variables
from service.telemetry.logs import LineWriter, Render, as_json, as_text, logging_to
from service.upstream.access import Access
from service.wiring.connection import connection
from service.wiring.local_store import local_store, remarks, settled

_CREDENTIAL = '-H "Authorization: Bearer $KEY"'  # for curl; the reader sets the variable


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command of this command line and return the exit code, which `--help` explains."""
    arguments = parser().parse_args(argv)
    try:
        if arguments.command == "new-key":
            return _new_key(arguments.name)
        settings = load_settings()
        if arguments.command == "check":
            return asyncio.run(check(settings, unknown_variables(), _say))
        return _serve(settings, sample=arguments.sample)
    except SettingsError as error:
        return _fail(str(error), 2)
    except (LocalError, OSError) as error:
        return _fail(str(error), 1)
    except KeyboardInterrupt:
        return 130


def _new_key(name: str) -> int:
    try:
        key, line = new_key(name)
    except ValueError as error:
        return _fail(str(error), 2)
    _say(f"The key, which is not shown again:\n\n  {key}\n")
    _say(f"The line to add to the file of TRACKING_AUTH__API_KEYS_FILE:\n\n  {line}")
    return 0


def _serve(settings: Settings, *, sample: bool) -> int:
    keep_no_large_blocks()
    with logging_to(sys.stderr.buffer, settings.log_level, _rendering(settings)) as log_lines:
        for name in unknown_variables():
            logging.getLogger("service").warning("%s is not a setting of this service", name)
        way = connection(settings)
        for remark in way.remarks:
            logging.getLogger("service").log(logging.WARNING if remark.is_odd else logging.INFO, remark.text)
        _run(settings, way.access, log_lines, sample=sample)
    return 0


def _rendering(settings: Settings) -> Render:
    wants_json = settings.log_format == "json" or (settings.log_format == "auto" and not sys.stderr.isatty())
    return as_json if wants_json else as_text


def _run(settings: Settings, access: Access, log_lines: LineWriter, *, sample: bool) -> None:
    store = local_store(settings)
    if store is None:
        uvloop.run(_serve_at(settings, settings.mlflow_tracking_uri, access, log_lines))
    else:
        _run_locally(settings, store, access, log_lines, sample=sample)


def _run_locally(
    settings: Settings, store: Store, access: Access, log_lines: LineWriter, *, sample: bool
) -> None:
    mlflow = installed_mlflow()
    if mlflow is None:
        raise LocalError(
            f"{store.uri} needs a local MLflow, which is not installed. Set MLFLOW_TRACKING_URI to the "
            "address of your MLflow server, or: pip install 'experiment-tracking[embedded]'"
        )
    store = examined(store, mlflow)
    for remark in remarks(store):
        logging.getLogger("service").warning("%s", remark)
    with local_mlflow(store, _say) as url:
        finish(store, url, settings.mlflow_experiment_name, sample=sample)
        uvloop.run(_serve_at(settled(settings, store), url, access, log_lines))


async def _serve_at(settings: Settings, mlflow_url: str, access: Access, log_lines: LineWriter) -> None:
    observers = [log_lines.write] if settings.access_log else []
    try:
        service = build(settings, mlflow_url, observers, lost_lines=lambda: log_lines.lost, access=access)
        descriptors = fitted(settings.max_connections, settings.upstream.max_in_flight)
    except (ValueError, OSError) as error:
        raise SettingsError(str(error)) from error
    for warning in filter(None, (*service.warnings, descriptors.warning)):
        logging.getLogger("service").warning("%s", warning)

    async def ready(url: str) -> None:
        gc.collect()
        gc.freeze()  # what start-up made stays: the collector need not look at it again and again
        credential = "" if settings.auth.mode == "none" else _CREDENTIAL
        _say(await welcome(url, service.queries, credential=credential))

    async with service.open():
        await serve(
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


def _say(text: str) -> None:
    print(text, flush=True)


def _fail(text: str, code: int) -> int:
    print(f"experiment-tracking: {text}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
