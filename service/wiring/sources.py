"""Builds what answers are remembered in: this replica's own memory, and a store that replicas share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.cache.cached_source import CachedSource
from service.cache.freshness import Freshness
from service.cache.memory import Memory
from service.settings.load import Settings
from service.tracking.source import Source

if TYPE_CHECKING:
    from service.wiring.store import Sharing


@dataclass(frozen=True)
class Sources:
    """Where answers come from: `cached`, which remembers in `memory`.

    sharing: None where no store is named. bytes_left: of the memory that the settings give, for what is made
    of answers. resources: what is opened and closed with the service.
    """

    cached: CachedSource
    memory: Memory
    bytes_left: int
    sharing: Sharing | None
    resources: Sequence[Callable[[], AbstractAsyncContextManager[object]]]


def sources(settings: Settings, mlflow: Source, clock: Callable[[], float]) -> Sources:
    """A memory around MLflow, and between them the store where the settings name one. clock: seconds."""
    for_runs = settings.cache.max_bytes * 3 // 4
    memory = Memory(for_runs)
    freshness = Freshness(**settings.cache.model_dump(exclude={"max_bytes"}))
    sharing = _sharing(settings, clock)
    behind = mlflow
    resources: list[Callable[[], AbstractAsyncContextManager[object]]] = []
    if sharing is not None:
        behind = shared = sharing.source(mlflow, memory, freshness, clock)
        resources = [*sharing.resources, lambda: aclosing(shared)]
    cached = CachedSource(behind, memory, freshness, clock)
    resources.append(lambda: aclosing(cached))
    return Sources(cached, memory, settings.cache.max_bytes - for_runs, sharing, resources)


def _sharing(settings: Settings, clock: Callable[[], float]) -> Sharing | None:
    """What stands on the store; None, and none of its modules is imported, where the settings name none."""
    if settings.store.url is None:
        return None
    try:
        from service.wiring.store import sharing  # noqa: PLC0415 - needs the extra
    except ModuleNotFoundError as error:
        if error.name not in {"redis", "hiredis"}:
            raise
        raise ValueError(
            "TRACKING_STORE__URL: a store needs more: pip install 'experiment-tracking[store]'"
        ) from error
    return sharing(settings, clock)
