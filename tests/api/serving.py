"""The service as callers meet it: served on a loopback port, over whatever MLflow it is told of."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, NamedTuple, NoReturn, TypeVar

from aiohttp import ClientResponse, web
from aiohttp.test_utils import BaseTestServer, TestClient
from pydantic import BaseModel
from yarl import URL

from service.api import schemas
from service.app import build
from service.http.server import Server, serve
from service.service import Service
from service.settings.load import Settings
from service.wiring.connection import connection
from tests.api.conformance import Conformance

API = "/api/v1/tracking"
M = TypeVar("M", bound=BaseModel)


def make_settings(**values: Any) -> Settings:
    """Settings with these values, by their names in Settings.

    Unless told, no experiment is created and no index is kept, so that MLflow is called for requests only.
    """
    given = {"create_experiment": False, "index": {"enabled": False}, **values}
    return Settings(
        **{name.upper() if name.startswith("mlflow_") else name: value for name, value in given.items()}
    )


class Served(BaseTestServer):
    """The service as `python -m service` serves it."""

    def __init__(self, service: Service) -> None:
        super().__init__()
        self.service = service

    async def start_server(self, *_: Any, **__: Any) -> None:
        listening: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        async def ready(url: str) -> None:
            listening.set_result(url)

        def ended(serving: asyncio.Task[None]) -> None:
            if not listening.done():
                listening.set_exception(serving.exception() or RuntimeError("it served nobody"))

        self._serving = asyncio.create_task(self._serve(ready))
        self._serving.add_done_callback(ended)
        self._root = URL(await listening)
        self.port = self._root.port

    async def _serve(self, ready: Callable[[str], Awaitable[None]]) -> None:
        async with self.service.open():
            await serve(self.service.handler, self.service.unreadable, ["127.0.0.1"], 0, ready)

    async def _make_runner(self, **_: Any) -> NoReturn:
        raise NotImplementedError("`serve` has its own")

    async def close(self) -> None:
        self._serving.cancel()
        with suppress(asyncio.CancelledError):
            await self._serving


class Running(NamedTuple):
    """A server, and the port that it listens on."""

    server: Server
    port: int


class Client(TestClient[web.BaseRequest, None]):
    """A client of a service, which is served as long as the client is open.

    It holds every response to the OpenAPI document.
    """

    def __init__(self, service: Service, conformance: Conformance | None = None) -> None:
        check = (conformance or Conformance()).middleware
        super().__init__(Served(service), middlewares=(check,))
        self.service = service


@asynccontextmanager
async def running(
    service: Service, host: str = "127.0.0.1", port: int = 0, **options: Any
) -> AsyncIterator[Running]:
    """The service on this port, 0 for any, by a server with these options, which ends at once."""
    server = Server(service.handler, service.unreadable, **options)
    async with service.open():
        runner = web.ServerRunner(server, shutdown_timeout=0.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
            yield Running(server, runner.addresses[0][1])
        finally:
            await runner.cleanup()


@asynccontextmanager
async def serving(
    mlflow_url: str, monotonic: Callable[[], float] = time.monotonic, /, **settings: Any
) -> AsyncIterator[Client]:
    """A client of the service over the MLflow at this address."""
    made = make_settings(mlflow_tracking_uri=mlflow_url, **settings)
    service = build(made, mlflow_url, access=connection(made).access, monotonic=monotonic)
    async with Client(service) as client:
        yield client


def strictly(text: str) -> Any:
    """What a strict JSON parser makes of it: bare NaN and Infinity are errors."""

    def refuse(constant: str) -> NoReturn:
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(text, parse_constant=refuse)


async def answered(response: ClientResponse, model: type[M]) -> dict[str, Any]:
    """The body of a good answer, which has exactly the fields of its model."""
    text = await response.text()
    assert response.status == 200, text
    assert response.headers["Content-Type"] == "application/json"
    body = strictly(text)
    assert body == model.model_validate_json(text, strict=True).model_dump(exclude_unset=True, by_alias=True)
    return dict(body)


async def refused(response: ClientResponse, status: int, code: str) -> dict[str, Any]:
    """The body of an error, which has the members that every error has."""
    text = await response.text()
    assert (status, "application/problem+json") == (response.status, response.headers["Content-Type"]), text
    body = strictly(text)
    base = {name for name, field in schemas.Problem.model_fields.items() if field.is_required()}
    assert base <= set(body)
    schemas.Problem.model_validate_json(json.dumps({name: body[name] for name in base}), strict=True)
    assert status == body["status"]
    assert code == body["code"], body
    assert response.headers["X-Request-ID"] == body["request_id"]
    assert response.headers["Cache-Control"] == "no-store"
    assert body["detail"]
    return dict(body)


ROUTES = {
    "runs": ("GET", "/runs", None),
    "run": ("GET", "/runs/abc123def456", None),
    "metrics": ("GET", "/runs/abc123def456/metrics", None),
    "params": ("GET", "/runs/abc123def456/params", None),
    "compare": ("POST", "/runs/compare", {"run_ids": ["abc123def456", "def456ghi789"]}),
    "experiments": ("GET", "/experiments", None),
}


async def ask(api: Client, route: str, **arguments: Any) -> ClientResponse:
    """One request to one of the six routes; it asks MLflow unless told otherwise."""
    method, path, body = ROUTES[route]
    headers = {"Cache-Control": "no-cache", **arguments.pop("headers", {})}
    return await api.request(method, API + path, json=body, headers=headers, **arguments)
