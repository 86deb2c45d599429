"""Load from wrk, a process of its own, and what it cost the server."""

import asyncio
import json
import shutil
import statistics
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Self

import aiohttp

from tests.bench.machine import Server

_SCRIPT = Path(__file__).with_name("load.lua")
_MANY = Path(__file__).with_name("many.lua")
_TIMEOUT = 30  # seconds after which wrk counts a request as failed
INSTALL_WRK = "wrk makes the load; on Debian and Ubuntu: apt-get install wrk"


class Question(NamedTuple):
    """One request. path: without the slash at its start."""

    path: str
    method: str = "GET"
    body: bytes = b""
    headers: Mapping[str, str] = {}

    @classmethod
    def posting(cls, path: str, value: object) -> Self:
        """A POST of a value as JSON."""
        return cls(path, "POST", json.dumps(value).encode(), {"Content-Type": "application/json"})


class Answer(NamedTuple):
    """What came back."""

    status: int
    etag: str
    body: bytes


class Load(NamedTuple):
    """What a server did under load. failed: an error of the connection, or a status from 400 on."""

    requests: int
    seconds: float
    failed: int
    p50_ms: float
    p99_ms: float
    max_ms: float
    cpu_us: float

    @property
    def rate(self) -> float:
        """Requests answered in a second."""
        return (self.requests - self.failed) / self.seconds


class Spread(NamedTuple):
    """The middle of some figures, and how far they lie apart."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, figures: Iterable[float]) -> Self:
        """The spread of figures, of which there is at least one."""
        known = sorted(figures)
        return cls(statistics.median(known), known[0], known[-1])

    def __format__(self, spec: str) -> str:
        return f"{self.median:{spec}} ({self.low:{spec}} to {self.high:{spec}})"


async def put(server: Server, question: Question, seconds: int, connections: int) -> Load:
    """Ask a server the same, over some connections at once, as fast as it answers."""
    with tempfile.NamedTemporaryFile() as body:
        body.write(question.body)
        body.flush()
        arguments = [question.method, body.name if question.body else ""]
        arguments += [text for header in question.headers.items() for text in header]
        return await _wrk(server, question.path, _SCRIPT, arguments, seconds, connections)


async def put_many(server: Server, asked: Iterable[Question], seconds: int, connections: int) -> Load:
    """The same with many GETs in turn. RuntimeError where they did not suffice, so that some came twice."""
    paths = [f"/{question.path}" for question in asked]
    with tempfile.NamedTemporaryFile("w") as file:
        file.write("\n".join(paths))
        file.flush()
        load = await _wrk(server, "", _MANY, [file.name], seconds, connections)
    if load.requests > len(paths):
        raise RuntimeError(f"{load.requests} requests are more than {len(paths)} questions")
    return load


async def _wrk(
    server: Server, path: str, script: Path, arguments: Sequence[str], seconds: int, connections: int
) -> Load:
    command = ["wrk", "--latency", "-t1", f"-c{connections}", f"-d{seconds}s", f"--timeout={_TIMEOUT}s"]
    command += ["-s", str(script), server.url + path, "--", *arguments]
    before = server.cpu_seconds()
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    spent = server.cpu_seconds() - before
    if process.returncode != 0:
        raise RuntimeError(f"wrk against {server.name} failed: {output.decode(errors='replace')}")
    figures = json.loads(output.decode().strip().splitlines()[-1])
    return Load(**figures, cpu_us=spent / max(figures["requests"], 1) * 1e6)


class Plan(NamedTuple):
    """How long load is put on each side, and how often. warm_up: once more before, which is not counted."""

    turns: int
    seconds: int
    connections: int
    warm_up: bool = True


async def rounds(servers: Sequence[Server], question: Question, plan: Plan) -> dict[str, list[Load]]:
    """Load on each server in turn, several times, to and fro: so what drifts evens out."""
    loads: dict[str, list[Load]] = {server.name: [] for server in servers}
    for server in servers if plan.warm_up else ():
        await put(server, question, 1, plan.connections)
    for turn in range(plan.turns):
        for server in servers if turn % 2 == 0 else reversed(servers):
            loads[server.name].append(await put(server, question, plan.seconds, plan.connections))
    return loads


def rate_ratio(mine: Sequence[Load], theirs: Sequence[Load]) -> Spread:
    """My requests a second over theirs, round by round."""
    return Spread.of(one.rate / max(other.rate, 1e-9) for one, other in zip(mine, theirs, strict=True))


def cpu_ratio(mine: Sequence[Load], theirs: Sequence[Load]) -> Spread:
    """Their CPU time a request over mine, round by round: 1 is as cheap, below is dearer."""
    return Spread.of(other.cpu_us / max(one.cpu_us, 1e-9) for one, other in zip(mine, theirs, strict=True))


async def ask(server: Server, question: Question) -> Answer:
    """One request, as wrk makes it: not compressed. RuntimeError where it fails."""
    async with (
        aiohttp.ClientSession(server.url, skip_auto_headers=["Accept-Encoding"]) as session,
        session.request(
            question.method, question.path, data=question.body or None, headers=question.headers
        ) as response,
    ):
        body = await response.read()
        if response.status >= 400:
            raise RuntimeError(f"{server.name}: {question.path}: {response.status} {body[:200]!r}")
        return Answer(response.status, response.headers.get("ETag", ""), body)


def has_wrk() -> bool:
    """Whether wrk is installed."""
    return shutil.which("wrk") is not None
