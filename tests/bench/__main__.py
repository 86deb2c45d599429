"""`make bench`: measure every side and print the table."""

import argparse
import json
import signal
import sys
import tempfile
import time
import traceback
from contextlib import ExitStack
from pathlib import Path

from tests.bench import machine
from tests.bench.load import INSTALL_WRK, has_wrk
from tests.bench.report import Findings, as_json, markdown
from tests.bench.rows import GROUPS
from tests.bench.rows.bench import Bench
from tests.bench.sides import fasttrackml_command

_CONNECTIONS = 12_000  # open files for 5,000 connections at both their ends, and some


def main() -> int:
    """Exit code 0 once everything was measured, whatever came out, else 1."""
    given = _parser().parse_args()
    if not has_wrk():
        print(INSTALL_WRK, file=sys.stderr)
        return 1
    if fasttrackml_command() is None:
        print("FastTrackML is not installed: its rows are left out.", file=sys.stderr)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the sides end, too
    machine.allow_connections(_CONNECTIONS)
    findings: list[Findings] = []
    failed: list[str] = []
    others = machine.Others()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, ExitStack() as stack:
        bench = Bench(Path(folder), stack, quick=given.quick)
        for name in given.rows:
            began = time.monotonic()
            print(f"{name} ...", end=" ", file=sys.stderr, flush=True)
            try:
                findings.append(GROUPS[name](bench))
            except Exception:  # noqa: BLE001 - the other rows are worth having
                traceback.print_exc()
                failed.append(name)
            print(f"{time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    described = {**machine.describe(), "CPU time taken by other processes": f"{others.share():.0%}"}
    print(markdown(findings, described), end="")
    if given.json:
        given.json.parent.mkdir(parents=True, exist_ok=True)
        given.json.write_text(json.dumps(as_json(findings, described), indent=1, ensure_ascii=False) + "\n")
    if failed:
        print(f"not measured, for they failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _rows(text: str) -> list[str]:
    names = text.split(",")
    if unknown := set(names) - GROUPS.keys():
        raise argparse.ArgumentTypeError(f"no such rows: {', '.join(sorted(unknown))}")
    return names


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three minutes, rougher figures")
    parser.add_argument(
        "--rows", type=_rows, default=list(GROUPS), metavar="NAME,...", help=f"of: {', '.join(GROUPS)}"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there, too")
    return parser


if __name__ == "__main__":
    sys.exit(main())
