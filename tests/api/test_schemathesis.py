"""The OpenAPI document against the running service, with requests that schemathesis makes up from it."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import schemathesis
from aiohttp import web

from service.api.openapi import openapi_document
from service.app import create_app
from service.server import Runner
from tests.api.serving import make_settings
from tests.fakes.faults import answering
from tests.fakes.mlflow import FakeMlflow

CONFIG = {
    "generation": {"deterministic": True, "max-examples": 100, "database": "none"},
    "request-timeout": 10,
}
MLFLOW_FAILS = schemathesis.checks.not_a_server_error
# The path of compare could be a run's, too, so its Allow also has the methods of a run's detail.
TRUE_ALL_THE_SAME = schemathesis.checks.allow_header_conformance


@contextmanager
def served(fake: FakeMlflow) -> Iterator[str]:
    """The address of the service over this MLflow: schemathesis blocks, so both run in a thread."""
    loop = asyncio.new_event_loop()
    started, stop = threading.Event(), asyncio.Event()
    addresses: list[str] = []

    async def serve() -> None:
        async with fake.serve():
            app = create_app(make_settings(), fake.url)
            runner = Runner(app, access_log=None, auto_decompress=False, shutdown_timeout=0.0)
            await runner.setup()
            try:
                await web.TCPSite(runner, "127.0.0.1", 0).start()
                addresses.append(f"http://127.0.0.1:{runner.addresses[0][1]}")
                started.set()
                await stop.wait()
            finally:
                await runner.cleanup()

    thread = threading.Thread(target=loop.run_until_complete, args=[serve()])
    thread.start()
    try:
        assert started.wait(10)
        yield addresses[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()


@pytest.fixture(scope="module")
def healthy() -> Iterator[str]:
    """The service over an MLflow with a few runs, the reference's among them."""
    fake = FakeMlflow()
    for run_id in ("abc123def456", "def456ghi789", "ghi789jkl012"):
        fake.add_run(run_id=run_id, metrics={"oos_sharpe": 1.0}, params={"p": "1"}, tags={"run_type": "cpcv"})
    with served(fake) as url:
        yield url


@pytest.fixture(scope="module")
def failing() -> Iterator[str]:
    """The service over an MLflow that only fails."""
    fake = FakeMlflow()
    fake.before = answering(500)
    with served(fake) as url:
        yield url


SCHEMA = schemathesis.openapi.from_dict(openapi_document(), config=schemathesis.Config.from_dict(CONFIG))


@SCHEMA.parametrize()
def test_answers_are_as_described(case: schemathesis.Case[Any], healthy: str) -> None:
    """Whatever the request, the answer's status, type and body are described, and it is no 5xx."""
    case.call_and_validate(base_url=healthy, excluded_checks=[TRUE_ALL_THE_SAME])


@SCHEMA.parametrize()
def test_failures_are_as_described(case: schemathesis.Case[Any], failing: str) -> None:
    """Over an MLflow that fails, the errors are described, too."""
    case.call_and_validate(base_url=failing, excluded_checks=[TRUE_ALL_THE_SAME, MLFLOW_FAILS])
