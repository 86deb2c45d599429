"""The command line: settings, logging, run."""

from __future__ import annotations

import argparse
import logging
import subprocess
import sys
from collections.abc import Sequence
from contextlib import nullcontext

import uvloop

from service import __version__
from service.api.observation import Observer
from service.app import CAPACITY, QUERIES, create_app
from service.logs import LineWriter, Render, as_json, as_text, logging_to
from service.server import Stopping, serve
from service.settings import Settings, SettingsError, load_settings, unknown_variables
from service.upstream.embedded import EmbeddedError, embedded_mlflow, local_store
from service.welcome import welcome


def main(argv: Sequence[str] | None = None) -> int:
    """Run the service. Exit code 0 when told to stop, 1 where it cannot start, 2 for a wrong setting."""
    arguments = _parser().parse_args(argv)
    try:
        settings = load_settings()
        with logging_to(sys.stderr.buffer, settings.log_level, _rendering(settings)) as log_lines:
            for name in unknown_variables():
                logging.getLogger("service").warning("%s is no setting of this service", name)
            _run(settings, log_lines, sample=arguments.sample)
    except SettingsError as error:
        return _fail(str(error), 2)
    except (EmbeddedError, OSError) as error:
        return _fail(str(error), 1)
    except KeyboardInterrupt:
        return 130
    return 0


def _rendering(settings: Settings) -> Render:
    wants_json = settings.log_format == "json" or (settings.log_format == "auto" and not sys.stderr.isatty())
    return as_json if wants_json else as_text


def _run(settings: Settings, log_lines: LineWriter, *, sample: bool) -> None:
    store = local_store(settings.mlflow_tracking_uri, settings.data_dir)
    upstream = nullcontext(settings.mlflow_tracking_uri) if store is None else embedded_mlflow(store, _say)
    with upstream as url:
        if sample and store is not None and store.is_new:
            subprocess.run(
                [sys.executable, "-m", "service.sample", url, settings.mlflow_experiment_name], check=False
            )
        observers = [log_lines.write] if settings.access_log else []
        uvloop.run(_serve(settings, url, observers))


async def _serve(settings: Settings, mlflow_url: str, observers: Sequence[Observer]) -> None:
    try:
        app = create_app(settings, mlflow_url, observers)
    except (ValueError, OSError) as error:
        raise SettingsError(str(error)) from error

    async def ready(url: str) -> None:
        _say(await welcome(url, app[QUERIES]))

    await serve(
        app,
        settings.host,
        settings.port,
        ready,
        # By the deadline and a little more each request in flight has its answer.
        stopping=Stopping(app[CAPACITY].drain, settings.drain_seconds, settings.deadline + 1.0),
        max_connections=settings.max_connections,
        reuse_port=settings.reuse_port,
    )


def _say(text: str) -> None:
    print(text, flush=True)


def _fail(text: str, code: int) -> int:
    print(f"experiment-tracking: {text}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="experiment-tracking",
        description="An async façade over MLflow's REST API: runs, lineage and comparisons.",
        epilog="Settings are environment variables over config/service.toml; README.md lists them.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument(
        "--sample", action="store_true", help="bring a sample research session into a new local MLflow"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
