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
from service.app import QUERIES, create_app
from service.server import serve
from service.settings import Settings, SettingsError, load_settings, unknown_variables
from service.upstream.embedded import EmbeddedError, embedded_mlflow, local_store
from service.welcome import welcome


def main(argv: Sequence[str] | None = None) -> int:
    """Run the service. Exit code 0 when told to stop, 1 where it cannot start, 2 for a wrong setting."""
    arguments = _parser().parse_args(argv)
    try:
        settings = load_settings()
        logging.basicConfig(
            level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s"
        )
        for name in unknown_variables():
            logging.getLogger("service").warning("%s is no setting of this service", name)
        _run(settings, sample=arguments.sample)
    except SettingsError as error:
        return _fail(str(error), 2)
    except (EmbeddedError, OSError) as error:
        return _fail(str(error), 1)
    except KeyboardInterrupt:
        return 130
    return 0


def _run(settings: Settings, *, sample: bool) -> None:
    store = local_store(settings.mlflow_tracking_uri, settings.data_dir)
    upstream = nullcontext(settings.mlflow_tracking_uri) if store is None else embedded_mlflow(store, _say)
    with upstream as url:
        if sample and store is not None and store.is_new:
            subprocess.run(
                [sys.executable, "-m", "service.sample", url, settings.mlflow_experiment_name], check=False
            )
        uvloop.run(_serve(settings, url))


async def _serve(settings: Settings, mlflow_url: str) -> None:
    try:
        app = create_app(settings, mlflow_url)
    except (ValueError, OSError) as error:
        raise SettingsError(str(error)) from error

    async def ready(url: str) -> None:
        _say(await welcome(url, app[QUERIES]))

    await serve(app, settings.host, settings.port, ready)


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
