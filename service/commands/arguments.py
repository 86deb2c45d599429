"""The arguments of the command line, and the text of `--help`."""

from __future__ import annotations

import argparse

from service import __version__

_EPILOG = """\
Settings are environment variables, which take precedence over config/service.toml. The most important ones:
  MLFLOW_TRACKING_URI      address of MLflow; without it the service starts a local MLflow over data/
  MLFLOW_EXPERIMENT_NAME   name of the experiment whose runs are listed (Default)
  TRACKING_HOST, _PORT     where to listen (127.0.0.1, 8080)
  TRACKING_AUTH__MODE      how callers authenticate: none, api_key or jwt (none)

exit codes:
  0    stopped on request, or the check found no problem
  1    the service cannot start, or the check found a problem
  2    a setting or an argument is wrong
  130  interrupted (Ctrl-C) before it was ready
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser. Its results: command (serve, check or new-key), sample, and name of a new-key."""
    main = argparse.ArgumentParser(
        prog="experiment-tracking",
        description="An async façade over MLflow's REST API: runs, lineage and comparisons.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    main.add_argument("--version", action="version", version=__version__)
    _add_sample(main)
    main.set_defaults(command="serve")
    commands = main.add_subparsers(metavar="COMMAND", title="commands")
    serve = commands.add_parser("serve", help="serve until stopped; this is the default")
    serve.set_defaults(command="serve")
    _add_sample(
        serve, default=argparse.SUPPRESS
    )  # any other default would undo a --sample before the command
    check = commands.add_parser(
        "check", help="check the settings and MLflow, and say what to do about problems"
    )
    check.set_defaults(command="check")
    new_key = commands.add_parser("new-key", help="create an API key for a caller")
    new_key.set_defaults(command="new-key")
    new_key.add_argument("name", metavar="NAME", help="name of the caller, which appears in the log")
    return main


def _add_sample(parser: argparse.ArgumentParser, default: object = False) -> None:
    parser.add_argument(
        "--sample",
        action="store_true",
        default=default,
        help="write a sample research session into the new store of a local MLflow",
    )
