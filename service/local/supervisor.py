"""Runs a command and ends it, with all that it started, when whoever asked for it ends.

`python guard.py FOLDER FD COMMAND …` gives the command a process group of its own and waits until it stops,
or until standard input closes, which the kernel sees to even if the parent crashed. The command works in the
folder, which is removed at the end, and has the descriptor FD as its standard input. The guard is run as a
script and imports nothing but the standard library, so that it starts at once.
"""

from __future__ import annotations

import os
import selectors
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

_ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_GRACE = 5.0  # seconds between asking the group to stop and making it


def main(folder: Path, descriptor: int, command: list[str]) -> int:
    """Exit code of the command, or 0 where it was ended because the parent was."""
    try:
        return _guard(folder, descriptor, command)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _guard(folder: Path, descriptor: int, command: list[str]) -> int:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is the parent's; it closes our input
    early: list[int] = []  # signals that came before there was anything to end
    for sign in _ENDING:
        signal.signal(sign, lambda number, _: early.append(number))
    child = subprocess.Popen(command, stdin=descriptor, cwd=folder, start_new_session=True)
    os.close(descriptor)
    for sign in _ENDING:
        signal.signal(sign, lambda *_: _end(child))
    if early:
        _end(child)
    with selectors.DefaultSelector() as selector:
        selector.register(sys.stdin, selectors.EVENT_READ)
        while child.poll() is None:
            if selector.select(timeout=0.5) and not os.read(sys.stdin.fileno(), 1):
                _end(child)
                return 0
    _end(child)
    return child.returncode


def _end(child: subprocess.Popen[bytes]) -> None:
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(child.pid, sign)
        with suppress(subprocess.TimeoutExpired):
            child.wait(_GRACE)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]))
