"""Descriptors: what is asked of the system, and how many callers fit into what it gives."""

import json
import resource
from contextlib import AsyncExitStack

import pytest
from yarl import URL

from service.commands.check import check
from service.commands.descriptors import SPARE, fitted, planned
from tests.api.serving import API, make_settings
from tests.fakes.mlflow import FakeMlflow
from tests.http.raw import Connection, connected
from tests.tracing.process import started

INFINITE = 2**63 - 1
CALLERS = 300
PROMPT = 20.0  # seconds
LIMITED = (
    "import resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256)); "
    "from service.__main__ import main; sys.exit(main([]))"
)


def get(path: str, *lines: str) -> bytes:
    """A request."""
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: service", *lines, "", ""]).encode()


@pytest.mark.parametrize(
    ("soft", "hard", "limit"),
    [
        (1_024, 1_048_576, 8_192 + 32 + 64 + 1_024),
        (1_024, INFINITE, 8_192 + 32 + 64 + 1_024),
        (1_024, 8_300, 8_300),
        (65_536, 65_536, 65_536),
        (INFINITE, INFINITE, INFINITE),
    ],
)
def test_all_callers_fit(soft: int, hard: int, limit: int) -> None:
    """The soft limit is raised to what is needed, no further than the hard one, and never lowered."""
    assert (limit, 8_192, "") == planned(soft, hard, connections=8_192, upstream=32)


@pytest.mark.parametrize(("hard", "fitting"), [(1_024, 928), (4_096, 4_000), (8_192 + 95, 8_191), (97, 1)])
def test_fewer_fit(hard: int, fitting: int) -> None:
    """Callers get what MLflow and the rest leave them, and a warning names all three figures."""
    plan = planned(64, hard, connections=8_192, upstream=32)
    assert (hard, fitting) == (plan.limit, plan.connections)
    for said in ("TRACKING_MAX_CONNECTIONS", f"{fitting} fit and not 8192", f"{hard} descriptors", " 96 "):
        assert said in plan.warning


def test_nobody_fits() -> None:
    """What cannot work is refused in words."""
    with pytest.raises(ValueError, match="TRACKING_MAX_CONNECTIONS: none fits, for this process may have 96"):
        planned(96, 96, connections=8_192, upstream=32)


class Limits:
    """A system's limits. refuses: it has a lower one, which it does not tell."""

    def __init__(self, soft: int, hard: int, *, refuses: bool = False) -> None:
        self.now = (soft, hard)
        self._refuses = refuses

    def get(self, _: int) -> tuple[int, int]:
        return self.now

    def set(self, _: int, limits: tuple[int, int]) -> None:
        if self._refuses:
            raise ValueError("current limit exceeds maximum limit")
        self.now = limits

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Stand in for this machine's."""
        monkeypatch.setattr("resource.getrlimit", self.get)
        monkeypatch.setattr("resource.setrlimit", self.set)


class TestLimits:
    def test_they_are_raised(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The soft limit becomes what was planned; the hard one stays, an infinite one too."""
        for hard in (65_536, resource.RLIM_INFINITY):
            limits = Limits(256, hard)
            limits.install(monkeypatch)
            plan = fitted(1_000, 32)
            assert (1_000, "") == (plan.connections, plan.warning)
            assert (1_000 + 32 + 64 + 1_024, hard) == limits.now

    def test_they_are_left(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nothing is set where all fits, or is infinite."""
        for given in ((65_536, 65_536), (resource.RLIM_INFINITY, resource.RLIM_INFINITY)):
            Limits(*given, refuses=True).install(monkeypatch)
            assert "" == fitted(8_192, 32).warning

    def test_the_system_refuses(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Then the limit is what it was, and callers get what fits into it."""
        Limits(256, resource.RLIM_INFINITY, refuses=True).install(monkeypatch)
        assert 256 - 32 - SPARE == fitted(8_192, 32).connections


async def test_a_check_says_it(fake: FakeMlflow, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer callers than were asked for are odd, which is no failure."""
    Limits(256, 256).install(monkeypatch)
    said: list[str] = []
    assert 0 == await check(make_settings(mlflow_tracking_uri=fake.url), [], said.append)
    assert said[0].startswith(
        "??  TRACKING_MAX_CONNECTIONS: 160 fit and not 8192, for this process may have 256"
    )


async def test_mlflow_can_be_asked_whoever_is_connected(fake: FakeMlflow) -> None:
    """With 256 descriptors and 300 callers who stay connected, a question that is new reaches MLflow."""
    run_id = fake.add_run()
    async with started(fake.url, {}, ("-c", LIMITED)) as process, AsyncExitStack() as stack:
        await process.until_alive()
        port = URL(process.url).port or 0
        kept: list[Connection] = []
        for _ in range(CALLERS):
            connection = await stack.enter_async_context(connected(port))
            connection.send(get("/livez"))
            if 200 == (await connection.answer()).status:
                kept.append(connection)
        assert 256 - 32 - SPARE - 2 <= len(kept) <= 256 - 32 - SPARE  # who waited for it may still be there
        for connection in (kept[0], kept[-1]):
            connection.send(get(f"{API}/runs/{run_id}", "Cache-Control: no-cache"))
            assert 200 == (await connection.answer()).status
        ending = await process.stop(PROMPT)
    warnings = [line for line in map(json.loads, ending.said.splitlines()) if line["level"] == "warning"]
    assert ["TRACKING_MAX_CONNECTIONS: 160 fit and not 8192"] == [
        line["message"].partition(",")[0] for line in warnings
    ]
