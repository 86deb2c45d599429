"""Shapes of request smuggling through HAProxy: what it passes on is what the service reads."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from yarl import URL

from service.app import build
from service.http.access_record import AccessRecord
from tests.api.serving import make_settings, running
from tests.api.shapes import SHAPES
from tests.deploy.balancer import balancing
from tests.deploy.names import name_server
from tests.fakes.mlflow import FakeMlflow
from tests.http.raw import Answer, Connection, connected
from tests.live.server import free_port

pytestmark = pytest.mark.haproxy

# HAProxy speaks HTTP/2, too, and so waits for more after its preface.
HTTP1 = {name: shape for name, shape in SHAPES.items() if name != "the preface of HTTP/2"}
NEXT = b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Request-ID: next\r\nConnection: close\r\n\r\n"


@asynccontextmanager
async def balanced(fake: FakeMlflow, directory: Path, seen: list[AccessRecord]) -> AsyncIterator[int | None]:
    """The port of HAProxy before one replica; what that was asked, but for its health, goes into `seen`."""

    def observe(answered: AccessRecord) -> None:
        if answered.path != "/readyz":
            seen.append(answered)

    port = free_port()
    service = build(make_settings(), fake.url, [observe])
    async with running(service, "127.0.1.1", port), name_server() as names:
        names.addresses.append("127.0.1.1")
        async with balancing(directory, names.address, port) as balancer:
            await balancer.has(1)
            yield URL(balancer.url).port


async def answers(connection: Connection) -> list[Answer]:
    """All answers until the connection ends."""
    found = []
    while (answer := await connection.answer()).status:
        found.append(answer)
    return found


def seen_hidden(lines: list[AccessRecord]) -> bool:
    """Whether the request that stands in a body was taken for one."""
    return any("hidden" in line.path for line in lines)


async def test_who_reads_what(fake: FakeMlflow, tmp_path: Path) -> None:
    """HAProxy refuses a shape, or frames it anew, and a body is never taken for a request.

    Each answer of the replica's belongs to the request that it answers, in their order. Which shapes are
    refused differs between versions of HAProxy; this does not.
    """
    seen: list[AccessRecord] = []
    wrong = {}
    async with balanced(fake, tmp_path, seen) as port:
        for name, shape in HTTP1.items():
            seen.clear()
            async with connected(port) as connection:
                connection.send(shape.head + shape.body + NEXT)
                given = await answers(connection)
            of_replica = [each for each in given if each.headers.get("server") == "experiment-tracking"]
            read = [each.headers["x-request-id"] for each in of_replica]
            good = {each.status for each in given} <= {200, 400, 404, 422}
            if not good or read != [line.request_id for line in seen] or seen_hidden(seen):
                wrong[name] = (given, list(seen))
    assert {} == wrong


async def test_connections_are_not_shared_out_of_step(fake: FakeMlflow, tmp_path: Path) -> None:
    """After each shape another caller's request has its own answer, on whichever connection it is sent."""
    seen: list[AccessRecord] = []
    async with balanced(fake, tmp_path, seen) as port:
        for number, shape in enumerate(HTTP1.values()):
            mine = f"mine-{number}"
            async with connected(port) as attacker, connected(port) as victim:
                attacker.send(shape.head + shape.body)
                await attacker.answer()
                victim.send(NEXT.replace(b"next", mine.encode()))
                answer = await victim.answer()
                assert (200, mine) == (answer.status, answer.headers["x-request-id"])
