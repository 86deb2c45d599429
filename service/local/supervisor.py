"""Runs a command, and stops it with all its child processes when the parent process ends.

`python supervisor.py FOLDER FD COMMAND …` runs the command in a process group of its own, and waits until it
ends or until standard input closes, which happens even if the parent crashes. The command runs in the folder,
which is removed at the end, and gets the descriptor FD as its standard input. The supervisor runs as a script
and imports only the standard library, so that it starts quickly.
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
_GRACE = 5.0  # seconds between SIGTERM and SIGKILL


def main(folder: Path, descriptor: int, command: list[str]) -> int:
    """Return the exit code of the command, or 0 if it was stopped because the parent ended."""
    try:
        return _supervise(folder, descriptor, command)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _supervise(folder: Path, descriptor: int, command: list[str]) -> int:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C and then closes our input
    early: list[int] = []  # signals that arrived before the command was started
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
