"""Stores of answers that replicas share, in memory and in real servers: tests run over each of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.store.answer_stores import InMemory, OnServer, Stores
from tests.store.servers import PROGRAMS, running


@pytest.fixture(params=["memory", *(pytest.param(one, marks=pytest.mark.fleet) for one in PROGRAMS)])
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    """What several replicas share, and how each of them reaches it."""
    if request.param == "memory":
        yield InMemory()
        return
    async with running(tmp_path, request.param) as server, AsyncExitStack() as stack:
        yield OnServer(server, stack)
