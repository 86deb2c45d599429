"""The processes that are measured: started in groups of their own, their cost read from /proc."""

import os
import platform
import resource
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from tests.live.server import free_port, stop_group

__all__ = ["Server", "allow_connections", "describe", "free_port", "running"]

START_SECONDS = 120.0
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class _Stat(NamedTuple):
    """What /proc/<pid>/stat says of a process: its session, its CPU time and its memory."""

    session: int
    cpu_seconds: float
    rss_bytes: int


class Server(NamedTuple):
    """A side that listens. url: with a slash at its end. started_in: seconds from its start to its answer."""

    name: str
    url: str
    pid: int
    started_in: float

    def cpu_seconds(self) -> float:
        """CPU time that it took so far, with all the processes that it started."""
        return sum(stat.cpu_seconds for stat in _group(self.pid))

    def rss_bytes(self) -> int:
        """Memory that it has now, with all the processes that it started."""
        return sum(stat.rss_bytes for stat in _group(self.pid))


def _group(session: int) -> Iterator[_Stat]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):  # it has ended since
                stat = _read(entry / "stat")
                if stat.session == session:
                    yield stat


def _read(file: Path) -> _Stat:
    # https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html; the name, in parentheses, may hold spaces.
    fields = file.read_text().rpartition(")")[2].split()
    return _Stat(int(fields[3]), (int(fields[11]) + int(fields[12])) / _TICKS, int(fields[21]) * _PAGE)


@contextmanager
def running(
    name: str,
    command: list[str],
    url: str,
    folder: Path,
    *,
    health: str,
    variables: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    start_seconds: float = START_SECONDS,
) -> Iterator[Server]:
    """Run a server while the context lasts; its output goes to <folder>/<name>.log.

    health: the path that is answered once it is up. What a developer set for an MLflow or a service of their
    own does not reach it.
    """
    inherited = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("MLFLOW_", "TRACKING_", "FML_"))
    }
    output = folder / f"{name}.log"
    began = time.monotonic()
    with (
        output.open("wb") as log,
        subprocess.Popen(
            command,
            cwd=cwd or folder,
            env={**inherited, **(variables or {})},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process,
    ):
        try:
            _wait(process, f"{url}{health}", output, start_seconds)
            yield Server(name, url, process.pid, time.monotonic() - began)
            if process.poll() is not None:
                raise _ended(process, output)
        except RuntimeError as error:
            if process.poll() is not None:
                raise _ended(process, output) from error
            raise
        finally:
            stop_group(process)


def _wait(process: subprocess.Popen[bytes], url: str, output: Path, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if _answers(url):
            return
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.005)
            break
    raise _ended(process, output)


def _ended(process: subprocess.Popen[bytes], output: Path) -> RuntimeError:
    last = output.read_text(errors="replace")[-2_000:]
    return RuntimeError(f"{process.args!r} does not run (exit code {process.poll()}):\n{last}")


def _answers(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=5) as reply:
            return bool(reply.status < 400)
    except urllib.error.HTTPError:
        return True  # it listens, and knows better than we what it has
    except OSError:
        return False


def allow_connections(wanted: int) -> int:
    """Raise the limit of open files as far as it goes, for this process and those it starts; what it is."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, most))
    return limit


class Others:
    """How much of the machine other processes took since this was made: how far to trust the figures."""

    def __init__(self) -> None:
        self._began = self._busy_and_mine()

    def share(self) -> float:
        """Of all CPU time there was, from 0 to 1. Ours counts once the processes have ended."""
        seconds, busy, mine = (
            now - then for now, then in zip(self._busy_and_mine(), self._began, strict=True)
        )
        return max(0.0, busy - mine) / (seconds * (os.cpu_count() or 1))

    @staticmethod
    def _busy_and_mine() -> tuple[float, float, float]:
        # proc_stat(5): user nice system idle iowait irq softirq steal
        ticks = [int(text) for text in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        busy = (sum(ticks) - ticks[3] - ticks[4]) / _TICKS
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return time.monotonic(), busy, sum(one.ru_utime + one.ru_stime for one in used)


def describe() -> dict[str, str]:
    """What the figures were taken on."""
    model = platform.processor() or platform.machine()
    with suppress(OSError):
        names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line]
        model = names[0].partition(":")[2].strip() if names else model
    return {
        "processor": model,
        "cores": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        **{name: version(name) for name in ("aiohttp", "uvloop", "mlflow", "fastapi", "uvicorn")},
    }
