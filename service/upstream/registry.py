"""How MLflow is asked for model versions, logged models and runs by a recorded dataset."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final, TypeVar

from service.errors import UpstreamRefused
from service.tracking.lineage.questions import (
    FORBIDDEN,
    UNSUPPORTED,
    GetLoggedModel,
    GetModelByAlias,
    GetModelVersion,
    LoggedModel,
    ModelVersion,
    ModelVersions,
    NotServed,
    RunsOfDataset,
    SearchModelVersions,
    SearchRunsOfDataset,
)
from service.tracking.questions import Question
from service.tracking.runs import Run, is_run_id
from service.upstream import filters, registry_wire
from service.upstream.account import Account
from service.upstream.failures import Forbidden, Invalid, Missing, NoEndpoint, UnknownEndpoint
from service.upstream.transport import MlflowTransport
from service.upstream.wire import Body, Page

_BELIEVED: Final = (
    600.0  # seconds for which a server is taken to lack an endpoint: it may be another one then
)
_IDS_AT_ONCE: Final = 50  # run ids of one call: they stand in its URL
_MOST_VERSIONS: Final = 1_000  # of one call
_LONGEST_NAME: Final = 256  # characters of a registered model's, and of its aliases'
_LARGEST_VERSION: Final = 2**31 - 1  # a column of four bytes
_VERSION = re.compile(r"[0-9]{1,10}", re.ASCII)
_MODEL_ID = re.compile(r"[\w\-]{1,255}", re.ASCII)
_NO_REGISTRY: Final = "registry functionality is unavailable"  # mlflow/tracking/registry.py

T = TypeVar("T")


class Registry:
    """The calls of the model registry and of what belongs to it.

    An endpoint that the server does not have is `NotServed`, where the server answers otherwise, and so is
    what the account may not read. All else that fails is an UpstreamFailure.

    account: of this service. look: asks for what every server has; it raises UpstreamFailure where MLflow
    fails. read_runs: makes runs of a reply. clock: seconds, monotonic.
    """

    def __init__(
        self,
        transport: MlflowTransport,
        account: Account,
        look: Callable[[], Awaitable[object]],
        read_runs: partial[Generator[None, None, Page[Run]]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._call = transport.call
        self._account = account
        self._look = look
        self._read_runs = read_runs
        self._clock = clock
        self._absent: dict[str, float] = {}  # until when, by what the server lacks
        self.ways: Mapping[type[Question[Any]], Callable[[Any], Awaitable[object]]] = {
            GetModelVersion: self._version,
            GetModelByAlias: self._alias,
            GetLoggedModel: self._model,
            SearchModelVersions: self._versions,
            SearchRunsOfDataset: self._runs_of_dataset,
        }

    async def _version(self, question: GetModelVersion) -> ModelVersion | NotServed | None:
        """https://mlflow.org/docs/latest/api_reference/rest-api.html#get-modelversion"""
        name, version = question.name, question.version
        if not (_can_be_a_name(name) and _VERSION.fullmatch(version) and int(version) <= _LARGEST_VERSION):
            return None
        read = registry_wire.read_model_version
        return await self._get("model-versions/get", read, name=name, version=version)

    async def _alias(self, question: GetModelByAlias) -> ModelVersion | NotServed | None:
        """https://mlflow.org/docs/latest/api_reference/rest-api.html#get-model-version-by-alias"""
        name, alias = question.name, question.alias
        if not (_can_be_a_name(name) and _can_be_a_name(alias)):
            return None
        read = registry_wire.read_model_version
        return await self._get("registered-models/alias", read, name=name, alias=alias)

    async def _model(self, question: GetLoggedModel) -> LoggedModel | NotServed | None:
        """mlflow/server/handlers.py, _get_logged_model."""
        model_id = question.model_id
        if not _MODEL_ID.fullmatch(model_id):
            return None
        read = registry_wire.read_logged_model
        return await self._get("logged-models", read, item=model_id, allow_deleted="true")

    async def _versions(self, question: SearchModelVersions) -> ModelVersions | NotServed:
        """https://mlflow.org/docs/latest/api_reference/rest-api.html#search-modelversions"""
        run_ids = list(filter(is_run_id, dict.fromkeys(question.run_ids)))
        starts = range(0, len(run_ids), _IDS_AT_ONCE)
        parts = await asyncio.gather(
            *(self._versions_of(run_ids[start : start + _IDS_AT_ONCE]) for start in starts)
        )
        found: list[ModelVersion] = []
        for part in parts:
            if isinstance(part, NotServed):
                return part
            found += part.versions
        found.sort(key=lambda version: version.created_ms or 0, reverse=True)
        is_complete = all(isinstance(part, ModelVersions) and part.is_complete for part in parts)
        return ModelVersions(tuple(found), is_complete)

    async def _versions_of(self, run_ids: Sequence[str]) -> ModelVersions | NotServed:
        found = await self._get(
            "model-versions/search",
            registry_wire.read_model_versions,
            filter=filters.by_ids(run_ids, "run_id"),
            max_results=str(_MOST_VERSIONS),
        )
        if not isinstance(found, ModelVersions):
            return found or NotServed(UNSUPPORTED)
        versions = [one for one in found.versions if one.run_id in run_ids]  # some servers ignore filters
        return ModelVersions(tuple(versions), found.is_complete)

    async def _runs_of_dataset(self, question: SearchRunsOfDataset) -> RunsOfDataset | NotServed:
        """https://mlflow.org/docs/latest/api_reference/rest-api.html#search-runs"""
        if not filters.can_be_a_tag(question.digest):
            return RunsOfDataset(())
        body = {
            "experiment_ids": list(question.experiment_ids),
            "filter": filters.by_digest(question.digest),
            "run_view_type": "ACTIVE_ONLY",
            "order_by": ["attributes.start_time DESC"],
            "max_results": question.limit,
        }
        found = await self._served(
            "dataset.digest", partial(self._call, "POST", "runs/search", self._read_runs, json=body)
        )
        if not isinstance(found, Page):
            return found or NotServed(UNSUPPORTED)
        runs = [run for run in found.found if _has_recorded(run, question.digest)]
        return RunsOfDataset(tuple(runs), is_complete=not found.token)

    async def _get(
        self, endpoint: str, read: Callable[[Body], T], item: str = "", **params: str
    ) -> T | NotServed | None:
        ask = partial(self._call, "GET", endpoint, read, params=params, item=item)
        return await self._served(endpoint, ask)

    async def _served(self, part: str, ask: Callable[[], Awaitable[T]]) -> T | NotServed | None:
        """What MLflow says; None where there is no such thing. part: what the server may lack."""
        if self._absent.get(part, float("-inf")) > self._clock():
            return NotServed(UNSUPPORTED)
        try:
            return await ask()
        except Missing:
            return None
        except Invalid as error:
            # Of an alias that does not exist, and of a name that cannot be, MLflow says the same.
            if _NO_REGISTRY not in error.cause:
                return None
        except Forbidden as error:
            await self._account.make_sure_it_is_served(error)
            return NotServed(FORBIDDEN)
        except (NoEndpoint, UnknownEndpoint):
            await self._make_sure_it_answers()
        self._absent[part] = self._clock() + _BELIEVED
        return NotServed(UNSUPPORTED)

    async def _make_sure_it_answers(self) -> None:
        """UpstreamFailure where the server fails; one that only refuses to list experiments answers."""
        with suppress(UpstreamRefused):
            await self._look()


def _can_be_a_name(text: str) -> bool:
    return 0 < len(text) <= _LONGEST_NAME and filters.can_be_a_tag(text)


def _has_recorded(run: Run, digest: str) -> bool:
    return run.recorded is not None and any(digest == one.digest for one in run.recorded.datasets)
