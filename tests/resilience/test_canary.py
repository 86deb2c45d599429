"""The service's own credentials reach MLflow, and nothing and nobody else, whatever MLflow does."""

import asyncio
import base64
import io
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from service.app import build
from service.auth.api_keys import new_key
from service.telemetry.logs import as_json, logging_to
from service.wiring.connection import connection
from tests.api.serving import API, ROUTES, Client, make_settings
from tests.fakes.mlflow import FakeMlflow
from tests.resilience import proxy as wire
from tests.resilience.faults import FAULTS, LARGEST, Fault
from tests.resilience.proxy import FaultProxy

CANARY = "canary-7f3a"  # in every secret
WELL = Fault((200, ""))
PATIENCE = {"max_body_bytes": LARGEST, "attempts": 2, "breaker_failures": 1_000, "connect_timeout": 0.2}
TRACKING = [(method, API + path, body) for method, path, body in ROUTES.values()]
ASKED = [*TRACKING, ("GET", "/readyz", None), ("GET", "/metrics", None), ("GET", "/openapi.json", None)]
CREDENTIALS = {
    "basic": {"mlflow_tracking_username": "ada", "mlflow_tracking_password": CANARY},
    "bearer": {"mlflow_tracking_token": CANARY},
}
SENT = {
    "basic": f"Basic {base64.b64encode(f'ada:{CANARY}'.encode()).decode()}",
    "bearer": f"Bearer {CANARY}",
}


@asynccontextmanager
async def emitting(url: str, credentials: Mapping[str, str]) -> AsyncIterator[tuple[Client, str, io.BytesIO]]:
    """The service with secrets, a caller's key for it, and all that it logs, to the last detail."""
    key, line = new_key("ada")
    stream = io.BytesIO()
    settings = make_settings(
        mlflow_tracking_uri=url,
        deadline=1.0,
        upstream=PATIENCE,
        auth={"mode": "api_key", "api_keys": line},
        **credentials,
    )
    with logging_to(stream, "debug", as_json) as writer:
        way = connection(settings)
        service = build(settings, url, [writer.write], access=way.access)
        async with Client(service) as client:
            yield client, key, stream
    stream.write(repr([settings, way, service, vars(service.door)["_limits"]]).encode())


async def said(client: Client, key: str, method: str, path: str, body: object) -> str:
    """All that an answer consists of."""
    headers = {"Authorization": f"Bearer {key}"}
    async with client.request(method, path, json=body, headers=headers) as response:
        return f"{response.status} {response.raw_headers!r} {await response.text()}"


@pytest.mark.parametrize("kind", CREDENTIALS)
async def test_no_secret_is_ever_emitted(fake: FakeMlflow, kind: str) -> None:
    """Over all faults: answers, metrics, health, logs of all levels and representations have no secret."""
    level = logging.getLogger().level
    async with FaultProxy(fake.url) as proxy:
        for fault in (*FAULTS.values(), WELL):
            fake.calls.clear()
            fake.before = fault.hook
            await proxy.behave(fault.on_wire)
            # A service for each fault: the breaker of one for all would open, and MLflow not be asked.
            async with emitting(proxy.url, CREDENTIALS[kind]) as (client, key, log):
                answers = await asyncio.gather(*(said(client, key, *asked) for asked in ASKED))
            everything = "".join(answers) + log.getvalue().decode()
            for secret in (CANARY, SENT[kind].partition(" ")[2], key):
                assert secret not in everything
            assert '"caller":"ada"' in everything  # it was all recorded
            received = {call.headers["Authorization"] for call in fake.calls}
            assert received == {SENT[kind]} or (received == set() and fault.on_wire is not wire.forward)
    logging.getLogger().setLevel(level)


@pytest.mark.parametrize("kind", CREDENTIALS)
async def test_no_secret_goes_elsewhere(fake: FakeMlflow, kind: str) -> None:
    """Where MLflow says that it has moved, nobody is asked there."""
    async with FakeMlflow().serve() as elsewhere:

        async def moved(request: web.Request) -> web.Response:
            raise web.HTTPTemporaryRedirect(elsewhere.url + request.path_qs.lstrip("/"))

        fake.before = moved
        async with emitting(fake.url, CREDENTIALS[kind]) as (client, key, _):
            answers = [await said(client, key, *asked) for asked in TRACKING]
    assert ["502"] * len(ROUTES) == [answer[:3] for answer in answers]
    assert [] == elsewhere.calls
    assert {SENT[kind]} == {call.headers["Authorization"] for call in fake.calls}
