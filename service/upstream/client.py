"""The one door to MLflow: every call, time limit, credential and error of it passes through here."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Literal, NamedTuple, Self, TypeVar

import aiohttp
from yarl import URL

from service import errors
from service.tracking.runs import Experiment, Run, RunQuestion
from service.tracking.source import Reading
from service.upstream import filters, wire

T = TypeVar("T")

_API = "api/2.0/mlflow/"
_PAGE = 1000
_MISSING = "RESOURCE_DOES_NOT_EXIST"
_EXISTS = "RESOURCE_ALREADY_EXISTS"
_MOST_RETRY_AFTER = 60


class Limits(NamedTuple):
    """Bounds of the talk with MLflow: times in seconds, sizes in bytes."""

    timeout: float
    connect_timeout: float
    max_connections: int
    keepalive: float
    max_body_bytes: int


class _Missing(Exception):
    """MLflow says that the thing asked for does not exist."""


class _AlreadyExists(Exception):
    """MLflow says that the thing to be created exists."""


class MlflowClient:
    """MLflow's REST API 2.0 as a source of runs (a RunSource), through one pooled session.

    base: MLflow's address; a path in it (a proxy's prefix) is kept. headers: sent with every call, to this
    address only. ssl_context: how its certificate is verified; None for the system's way.
    Use as an async context manager; every call raises UpstreamFailure where MLflow fails.
    """

    def __init__(
        self,
        base: str,
        limits: Limits,
        *,
        headers: Mapping[str, str] | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._base = URL(base.rstrip("/") + "/")  # aiohttp drops a prefix that does not end in a slash
        self._limits = limits
        self._headers = dict(headers or {})
        self._ssl = ssl_context
        self._session: aiohttp.ClientSession | None = None
        self.health: Literal["unknown", "ok", "failing"] = "unknown"  # at the last call

    async def __aenter__(self) -> Self:
        limits = self._limits
        self._session = aiohttp.ClientSession(
            self._base,
            headers=self._headers,
            connector=aiohttp.TCPConnector(
                limit=limits.max_connections,
                keepalive_timeout=limits.keepalive,
                ssl=self._ssl if self._ssl is not None else True,
            ),
            timeout=aiohttp.ClientTimeout(total=limits.timeout, sock_connect=limits.connect_timeout),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def run(self, run_id: str) -> Reading[Run | None]:
        """https://mlflow.org/docs/latest/api_reference/rest-api.html#get-run"""
        if not filters.is_run_id(run_id):
            return Reading(None)
        try:
            return Reading(await self._call("GET", "runs/get", wire.read_run, params={"run_id": run_id}))
        except _Missing:
            return Reading(None)

    async def runs(self, run_ids: Sequence[str]) -> Reading[tuple[Run | None, ...]]:
        """The runs, all asked for at once."""
        readings = await asyncio.gather(*(self.run(run_id) for run_id in run_ids))
        return Reading(tuple(reading.value for reading in readings))

    async def search(self, question: RunQuestion) -> Reading[tuple[Run, ...]]:
        """https://mlflow.org/docs/latest/api_reference/rest-api.html#search-runs"""
        wanted = filters.by_tags(question.tags)
        body: dict[str, Any] = {
            "experiment_ids": [question.experiment_id],
            "filter": wanted.text,
            "run_view_type": "ACTIVE_ONLY",
            "max_results": question.limit if wanted.exact else _PAGE,
            "order_by": ["attributes.start_time DESC"],
        }
        found: list[Run] = []
        while True:
            page, token = await self._call("POST", "runs/search", wire.read_runs, json=body)
            found += page if wanted.exact else [run for run in page if _bears(run, question.tags)]
            if not token or len(found) >= question.limit:
                return Reading(tuple(found[: question.limit]))
            body["page_token"] = token

    async def experiment(self, name: str) -> Reading[Experiment | None]:
        """https://mlflow.org/docs/latest/api_reference/rest-api.html#get-experiment-by-name"""
        params = {"experiment_name": name}
        try:
            return Reading(
                await self._call("GET", "experiments/get-by-name", wire.read_experiment, params=params)
            )
        except _Missing:
            return Reading(None)

    async def experiments(self) -> Reading[tuple[Experiment, ...]]:
        """https://mlflow.org/docs/latest/api_reference/rest-api.html#search-experiments"""
        body: dict[str, Any] = {
            "max_results": _PAGE,
            "view_type": "ACTIVE_ONLY",
            "order_by": ["creation_time ASC"],
        }
        found: list[Experiment] = []
        while True:
            page, token = await self._call("POST", "experiments/search", wire.read_experiments, json=body)
            found += page
            if not token:
                return Reading(tuple(found))
            body["page_token"] = token

    async def create_experiment(self, name: str) -> bool:
        """Create an experiment; False where it exists, be it that another replica was quicker.

        https://mlflow.org/docs/latest/api_reference/rest-api.html#create-experiment
        """
        try:
            await self._call("POST", "experiments/create", wire.read_nothing, json={"name": name})
        except _AlreadyExists:
            return False
        return True

    async def _call(self, method: str, endpoint: str, read: Callable[[bytes], T], **request: Any) -> T:
        try:
            result = await self._exchange(method, endpoint, read, **request)
        except (errors.UpstreamRefused, _Missing, _AlreadyExists):
            self.health = "ok"
            raise
        except errors.UpstreamFailure:
            self.health = "failing"
            raise
        self.health = "ok"
        return result

    async def _exchange(self, method: str, endpoint: str, read: Callable[[bytes], T], **request: Any) -> T:
        if self._session is None:
            raise RuntimeError("MlflowClient is used outside its context")
        try:
            async with self._session.request(
                method, _API + endpoint, allow_redirects=False, **request
            ) as response:
                body = await self._body(response)
        except TimeoutError as error:  # before ClientError: aiohttp's time-outs are both
            raise errors.UpstreamTimeout(f"{endpoint}: {_describe(error)}") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise errors.UpstreamError(f"{endpoint}: {_describe(error)}") from error
        _check(endpoint, response.status, response.headers, body)
        try:
            return read(body)
        except wire.WireError as error:
            raise errors.UpstreamError(f"{endpoint}: {_describe(error)}") from error

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        limit = self._limits.max_body_bytes
        chunks: list[bytes] = []
        size = 0
        async for chunk in response.content.iter_any():
            size += len(chunk)
            if size > limit:
                raise aiohttp.ClientPayloadError(f"an answer of more than {limit} bytes")
            chunks.append(chunk)
        return b"".join(chunks)


def _bears(run: Run, tags: Mapping[str, str]) -> bool:
    return all(run.tags.get(name) == value for name, value in tags.items())


def _check(endpoint: str, status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Raise what a status that is not 200 means (mlflow/exceptions.py has MLflow's codes)."""
    if status == HTTPStatus.OK:
        return
    code = wire.read_error_code(body)
    said = f"{endpoint}: status {status} {code}".rstrip()
    if status == HTTPStatus.NOT_FOUND and code == _MISSING:
        raise _Missing(said)
    if code == _EXISTS:
        raise _AlreadyExists(said)
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        raise errors.UpstreamAuth(said)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise errors.UpstreamUnavailable(said, _retry_after(headers.get("Retry-After", "")))
    if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
        raise errors.UpstreamRefused(said)
    raise errors.UpstreamError(said)


def _retry_after(text: str) -> int:
    return min(int(text), _MOST_RETRY_AFTER) if text.isascii() and text.isdigit() else 1


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
