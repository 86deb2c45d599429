"""The command line: reads the arguments and settings, runs a command, and turns errors into exit codes."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence

from service.auth.api_keys import new_key
from service.commands.arguments import parser
from service.commands.check import check
from service.commands.serve import serve
from service.local.installed import LocalError
from service.settings.load import SettingsError, load_settings, unknown_variables


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command of this command line and return the exit code, which `--help` explains."""
    arguments = parser().parse_args(argv)
    try:
        if arguments.command == "new-key":
            return _new_key(arguments.name)
        settings = load_settings()
        if arguments.command == "check":
            return asyncio.run(check(settings, unknown_variables(), _say))
        serve(settings, _say, sample=arguments.sample)
    except SettingsError as error:
        return _fail(str(error), 2)
    except (LocalError, OSError) as error:
        return _fail(str(error), 1)
    except KeyboardInterrupt:
        return 130
    return 0


def _new_key(name: str) -> int:
    try:
        key, line = new_key(name)
    except ValueError as error:
        return _fail(str(error), 2)
    _say(f"The key, which is not shown again:\n\n  {key}\n")
    _say(f"The line to add to the file of TRACKING_AUTH__API_KEYS_FILE:\n\n  {line}")
    return 0


def _say(text: str) -> None:
    print(text, flush=True)


def _fail(text: str, code: int) -> int:
    print(f"experiment-tracking: {text}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
