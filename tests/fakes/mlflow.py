"""A stand-in for an MLflow tracking server: a real aiohttp server on a loopback port, its data in memory.

    async with FakeMlflow().serve() as fake:
        run_id = fake.add_run(metrics={"oos_sharpe": 1.2})
        ...  # let the code under test talk to fake.url
        assert fake.count("runs/get") == 1

faults.py has ways for it to misbehave; tests/live/test_fake_is_honest*.py hold it to what MLflow answers.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self

from aiohttp import web
from aiohttp.typedefs import Handler
from multidict import CIMultiDictProxy

from tests.fakes.endpoints import ENDPOINTS
from tests.fakes.faults import Hook
from tests.fakes.fields import read_request
from tests.fakes.handlers import Endpoint
from tests.fakes.store import Metric, Store
from tests.fakes.wire import Dialect, MlflowError

VERSION = "3.17.2"
API = "/api/2.0/mlflow/"
HTML = """<!doctype html>
<html lang=en>
<title>{status} {title}</title>
<h1>{title}</h1>
<p>{text}</p>
"""
UNKNOWN = (
    "The requested URL was not found on the server. If you entered the URL manually please check your "
    "spelling and try again."
)
WRONG_METHOD = "The method is not allowed for the requested URL."
CRASHED = (
    "The server encountered an internal error and was unable to complete your request. Either the server is "
    "overloaded or there is an error in the application."
)
UNAUTHENTICATED = (
    "You are not authenticated. Please see "
    "https://www.mlflow.org/docs/latest/auth/index.html#authenticating-to-mlflow on how to authenticate."
)

# Requests that still hang are cut off soon, but long after `hang` has seen that its caller has gone: aiohttp
# logs an error where a handler ends just as its time is over.
SHUTDOWN_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Call:
    """A request as it arrived: "runs/get", its query, its JSON (None where it is missing or malformed)."""

    endpoint: str
    params: Mapping[str, str]
    json: Any
    headers: CIMultiDictProxy[str]


class CrashError(Exception):
    """A request of which MLflow's handler makes an unhandled exception, and so an HTML 500."""


def html(status: int, title: str, text: str) -> web.Response:
    body = HTML.format(status=status, title=title, text=text)
    return web.Response(status=status, text=body, content_type="text/html")


def json_reply(text: str, status: int = 200) -> web.Response:
    return web.Response(status=status, body=text.encode(), content_type="application/json")


def loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


class FakeMlflow:
    """An MLflow with an empty "Default" experiment.

    `before` is awaited ahead of every API call: it may wait, or return a reply of its own. `latency` is in
    seconds. The arguments from string_int64 on are ways in which other servers of MLflow's API differ.
    """

    def __init__(
        self,
        *,
        prefix: str = "",
        authorization: str | None = None,
        keepalive_timeout: float = 5.0,
        string_int64: bool = False,
        name_in_tag_only: bool = False,
        bare_nan: bool = False,
        infinity_strings: bool = False,
        pretty: bool = True,
    ) -> None:
        self.store = Store()
        self.before: Hook | None = None
        self.latency = 0.0
        self.calls: list[Call] = []
        self.in_flight = 0
        self.max_in_flight = 0
        self._prefix = prefix
        self._authorization = authorization
        self._keepalive_timeout = keepalive_timeout
        self._dialect = Dialect(
            string_int64=string_int64,
            name_in_tag_only=name_in_tag_only,
            bare_nan=bare_nan,
            infinity_strings=infinity_strings,
            pretty=pretty,
        )
        self._hooks: set[asyncio.Future[web.StreamResponse | None]] = set()
        self._runner: web.AppRunner | None = None
        self._port = 0

    @property
    def url(self) -> str:
        """Where it is served, with the slash that relative URLs need; the same after stop() and start()."""
        return f"http://127.0.0.1:{self._port}{self._prefix}/"

    def count(self, endpoint: str) -> int:
        return sum(call.endpoint == endpoint for call in self.calls)

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[Self]:
        await self.start()
        try:
            yield self
        finally:
            await self.stop()

    async def start(self) -> None:
        """Listen, on the same port as before if it was stopped."""
        runner = web.AppRunner(
            self.app(),
            access_log=None,
            keepalive_timeout=self._keepalive_timeout,
            shutdown_timeout=SHUTDOWN_SECONDS,
        )
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self._port).start()
        self._port = runner.addresses[0][1]
        self._runner = runner

    async def stop(self) -> None:
        """Refuse connections, as a server that is down does. The data stays."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self._middleware], client_max_size=64 * 2**20)
        for name, endpoint in ENDPOINTS.items():
            for method in endpoint.methods:
                for one in (method, "HEAD") if method == "GET" else (method,):
                    app.router.add_route(one, self._prefix + API + name, self._api_handler(endpoint))
        app.on_shutdown.append(self._end_hooks)
        app.router.add_get(f"{self._prefix}/health", _health)
        app.router.add_get(f"{self._prefix}/version", _version)
        return app

    def add_experiment(
        self, name: str, *, lifecycle_stage: str = "active", tags: Mapping[str, str] | None = None
    ) -> str:
        experiment = self.store.create_experiment(name, tags)
        experiment.lifecycle_stage = lifecycle_stage
        return experiment.experiment_id

    def add_run(  # noqa: PLR0913 - seeding reads best with every field a keyword
        self,
        experiment_id: str = "0",
        run_id: str | None = None,
        *,
        name: str = "",
        status: str = "FINISHED",
        start_time: int | None = None,
        end_time: int | None = None,
        params: Mapping[str, str] | None = None,
        metrics: Mapping[str, float] | None = None,
        tags: Mapping[str, str] | None = None,
        lifecycle_stage: str = "active",
        user_id: str = "",
    ) -> str:
        """Seed a run; times are milliseconds, and a run starts a second after the one before if not told."""
        if experiment_id not in self.store.experiments:
            raise KeyError(experiment_id)
        start_time = self.store.now() if start_time is None else start_time
        run = self.store.create_run(
            experiment_id, start_time=start_time, name=name, user_id=user_id, tags=tags, run_id=run_id
        )
        run.update(status=status, end_time=end_time)
        run.move_to(lifecycle_stage)
        run.params.update(params or {})
        for key, value in (metrics or {}).items():
            run.log_metric(key, Metric(value, start_time, 0))
        return run.run_id

    def log(self, run_id: str, key: str, points: Iterable[tuple[int, int, float]]) -> None:
        """Log points of a metric, each with its step, its time in milliseconds and its value."""
        run = self.store.runs[run_id]
        for step, time, value in points:
            run.log_metric(key, Metric(value, time, step))

    def _api_handler(self, endpoint: Endpoint) -> Handler:
        async def handler(request: web.Request) -> web.StreamResponse:
            if self.latency:
                await asyncio.sleep(self.latency)
            if self.before is not None and (reply := await self._hooked(self.before(request))) is not None:
                return reply
            try:
                asked = read_request(await _body(request), endpoint.fields)
                return json_reply(endpoint.answer(self.store, asked, self._dialect))
            except MlflowError as error:
                return json_reply(error.body, error.status)

        return handler

    async def _hooked(self, hook: Awaitable[web.StreamResponse | None]) -> web.StreamResponse | None:
        """What the hook answers; its connection breaks where the server stops before."""
        task = asyncio.ensure_future(hook)
        self._hooks.add(task)
        try:
            return await task
        finally:
            self._hooks.discard(task)

    async def _end_hooks(self, _app: web.Application) -> None:
        """Nobody waits for a hook that never ends."""
        for task in self._hooks:
            task.cancel()

    @web.middleware
    async def _middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        endpoint = request.path.removeprefix(self._prefix).removeprefix(API).strip("/")
        self.calls.append(Call(endpoint, dict(request.query), loaded(await request.text()), request.headers))
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)
        try:
            authorized = self._authorization in (None, request.headers.get("Authorization"))
            if not authorized and endpoint != "health":
                challenge = {"WWW-Authenticate": 'Basic realm="mlflow"'}
                return web.Response(status=401, text=UNAUTHENTICATED, headers=challenge)
            return await handler(request)
        except web.HTTPNotFound:
            return html(404, "Not Found", UNKNOWN)
        except web.HTTPMethodNotAllowed as error:
            refusal = html(405, "Method Not Allowed", WRONG_METHOD)
            refusal.headers["Allow"] = ", ".join(sorted({*error.allowed_methods, "OPTIONS"}))
            return refusal
        except CrashError:
            return html(500, "Internal Server Error", CRASHED)
        finally:
            self.in_flight -= 1


async def _health(request: web.Request) -> web.Response:
    return web.Response(text="OK")


async def _version(request: web.Request) -> web.Response:
    return web.Response(text=VERSION, content_type="text/html")


async def _body(request: web.Request) -> Mapping[str, Any]:
    """The fields of a request: of a GET with a query from the query, of all else from its JSON."""
    if request.method == "GET" and request.query:
        repeated = ("order_by",)
        return {
            name: request.query.getall(name) if name in repeated else request.query[name]
            for name in request.query
        }
    if request.method == "POST":
        content_type = request.headers.get("Content-Type")
        if content_type is None:
            raise MlflowError("Bad Request. Content-Type header is missing.")
        if content_type.partition(";")[0] != "application/json":
            raise MlflowError("Bad Request. Content-Type must be one of ['application/json'].")
    body = loaded(await request.text())
    if isinstance(body, str):  # old clients encode twice
        body = loaded(body)
    elif body is None:
        body = "" if request.path.endswith("/log-batch") else {}
    if not isinstance(body, dict | list):
        raise CrashError
    return body if isinstance(body, dict) else {}
