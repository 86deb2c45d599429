"""`make matrix`: ask every server, print the tables, and say what differs."""

import argparse
import io
import signal
import sys
import tempfile
import time
import traceback
from contextlib import redirect_stdout
from pathlib import Path
from typing import NoReturn

import pytest

from tests.matrix.plugin import Asking
from tests.matrix.report import Column, faults, markdown, summary
from tests.matrix.servers import SERVERS, Server
from tests.matrix.servers.environments import CACHE, NotToBeHad

CASES = Path(__file__).with_name("cases")


def main() -> int:
    """Exit code 0 where every server was asked and answers as the contract says, else 1."""
    given = _parser().parse_args()
    signal.signal(signal.SIGTERM, _stop)
    CACHE.mkdir(exist_ok=True)
    columns = [asked(server) for server in SERVERS if server.name in given.servers]
    tables = f"{summary(columns)}\n{markdown(columns)}"
    given.report.write_text(tables)
    print(tables)
    lines = faults(columns, frozenset(given.may_lack))
    print("\n".join(lines) or "Every server that was tried answers as the contract says.", file=sys.stderr)
    return 1 if lines else 0


def asked(server: Server) -> Column:
    """Start a server, ask it everything, and end it."""
    began = time.monotonic()
    _say(f"{server.name} ")
    asking = None
    try:
        with tempfile.TemporaryDirectory(prefix="matrix-") as folder, server.running(Path(folder)) as tracked:
            asking = Asking(tracked, server.limits, _say)
            broken = _ask(server, asking)
    except NotToBeHad as error:
        _say("not to be had\n")
        return Column(server.name, server.title, not_tried=str(error))
    except Exception as error:  # noqa: BLE001 - the other servers are worth asking
        (CACHE / f"{server.name}.log").write_text("".join(traceback.format_exception(error)))
        broken = f"{str(error).strip().splitlines()[-1]} (.matrix/{server.name}.log)"
    _say(f" {time.monotonic() - began:.0f} s\n")
    return Column(server.name, server.title, asking.outcomes if asking else (), broken=broken)


def _ask(server: Server, asking: Asking) -> str:
    """Run the cases; why they broke off, if they did. What pytest says goes into a file in the cache."""
    files = [str(CASES / f"{case}.py") for case in server.cases]
    with io.StringIO() as output:
        with redirect_stdout(output):
            code = pytest.main(["-p", "no:cacheprovider", "--tb=short", "-q", *files], plugins=[asking])
        (CACHE / f"{server.name}.log").write_text(output.getvalue())
    if asking.stopped:
        raise KeyboardInterrupt
    if code not in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}:
        return f"pytest ended with {code!r}, see .matrix/{server.name}.log"
    if asking.unused_limits:
        return f"no test is called {', '.join(sorted(asking.unused_limits))}"
    return ""


def _stop(*_: object) -> NoReturn:
    """End as at Ctrl-C, and so the servers, too; a second signal does not break that off."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt


def _say(text: str) -> None:
    print(text, end="", file=sys.stderr, flush=True)


def _names(text: str) -> list[str]:
    names = [name for name in text.split(",") if name]
    if unknown := set(names) - {server.name for server in SERVERS}:
        raise argparse.ArgumentTypeError(f"no such server: {', '.join(sorted(unknown))}")
    return names


def _parser() -> argparse.ArgumentParser:
    known = ", ".join(server.name for server in SERVERS)
    parser = argparse.ArgumentParser(prog="python -m tests.matrix", description=__doc__)
    parser.add_argument(
        "--servers",
        type=_names,
        default=[server.name for server in SERVERS],
        metavar="NAME,...",
        help=f"ask these only, of: {known}",
    )
    parser.add_argument(
        "--may-lack",
        type=_names,
        default=[],
        metavar="NAME,...",
        help="servers that need not be here",
    )
    parser.add_argument(
        "--report", type=Path, default=CACHE / "matrix.md", help="where the tables are written"
    )
    return parser


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
