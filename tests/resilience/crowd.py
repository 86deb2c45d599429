"""Callers in a process of their own, so that what they cost is not taken for the service's doing.

    python -m tests.resilience.crowd http://127.0.0.1:8080 PID CALLERS < plan.json

The plan is a list of [seconds from the start, path, method, JSON or null]; the answers are printed as a line
of JSON. CALLERS: so many go through the plan one after the other, as fast as they are
answered; 0 for each request at its time. How long an answer took does not count the time that a busy machine
took from the crowd, or from the service with this process id.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import aiohttp

from tests.resilience.measure import starved

_PATIENCE = aiohttp.ClientTimeout(total=60)


class Ask(NamedTuple):
    """A request, and when it is made."""

    at: float
    path: str
    method: str = "GET"
    body: Any = None


class Answer(NamedTuple):
    """status: 0 where none came. seconds: from when it was asked. ended: seconds from the crowd's start.

    code: of the error, if it is one.
    """

    status: int
    seconds: float
    code: str = ""
    retry_after: str = ""
    ended: float = 0.0


async def call(url: str, plan: Sequence[Ask], callers: int = 0, service: int | None = None) -> list[Answer]:
    """What a crowd in another process gets from the service in this one, or in that with another id."""
    served_by = os.getpid() if service is None else service
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.resilience.crowd", url, str(served_by), str(callers)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate(json.dumps(plan).encode())
    assert 0 == process.returncode
    return [Answer(*one) for one in json.loads(output)]


async def _main(url: str, service: int, callers: int, plan: Sequence[Ask]) -> list[Answer]:
    own = os.getpid()

    def now() -> float:
        return time.perf_counter() - starved(own, service)

    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=5.0)  # sooner than the service
    async with aiohttp.ClientSession(url, connector=connector, timeout=_PATIENCE) as session:
        began = time.perf_counter()

        async def one(ask: Ask) -> Answer:
            if not callers:
                await asyncio.sleep(began + ask.at - time.perf_counter())
            asked = now()
            try:
                async with session.request(ask.method, ask.path, json=ask.body) as response:
                    body = await response.read()
            except aiohttp.ClientError as error:
                return Answer(0, 0.0, repr(error))
            ended = now()
            code = "" if response.status == 200 else json.loads(body).get("code", "")
            retry_after = response.headers.get("Retry-After", "")
            return Answer(
                response.status, max(0.0, ended - asked), code, retry_after, time.perf_counter() - began
            )

        async def caller(number: int) -> list[Answer]:
            return [await one(ask) for ask in plan[number::callers]]

        if callers:
            return [one for answers in await asyncio.gather(*map(caller, range(callers))) for one in answers]
        return list(await asyncio.gather(*map(one, plan)))


if __name__ == "__main__":
    _plan = [Ask(*one) for one in json.load(sys.stdin)]
    print(json.dumps(asyncio.run(_main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), _plan))))
