"""Builds what answers are remembered in: this replica's own memory, and a store that replicas share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.cache.cached_source import CachedSource
from service.cache.freshness import Freshness
from service.cache.memory import Memory
from service.cache.shared_source import SharedSource
from service.http.cache_status import Words, beside_store, cache_status
from service.settings.load import Settings
from service.tracking.source import Source
from service.upstream.limit import ConcurrencyLimit

if TYPE_CHECKING:
    from service.wiring.store import Sharing


@dataclass(frozen=True)
class Sources:
    """Where answers come from: `cached`, which remembers in `memory`.

    bytes_left: of the memory that the settings give, for what is made of answers. words: of Cache-Status.
    sharing, shared: the store and its source, None where no store is named. resources: what is opened and
    closed with the service.
    """

    cached: CachedSource
    memory: Memory
    bytes_left: int
    words: Words
    sharing: Sharing | None
    shared: SharedSource | None
    resources: Sequence[Callable[[], AbstractAsyncContextManager[object]]]


def sources(
    settings: Settings, mlflow: Source, limit: ConcurrencyLimit, clock: Callable[[], float]
) -> Sources:
    """A memory around MLflow, and between them the store where the settings name one.

    limit: of the calls to MLflow, of which replicas that share a store have a part each. clock: seconds.
    """
    for_runs = settings.cache.max_bytes * 3 // 4
    memory = Memory(for_runs)
    freshness = Freshness(**settings.cache.model_dump(exclude={"max_bytes"}))
    sharing = _sharing(settings, clock)
    left = settings.cache.max_bytes - for_runs
    if sharing is None:
        cached = CachedSource(mlflow, memory, freshness, clock)
        return Sources(cached, memory, left, cache_status, None, None, [lambda: aclosing(cached)])
    sharing.bound(limit)
    shared = sharing.source(mlflow, memory, freshness, clock)
    around = CachedSource(shared, memory, freshness, clock)
    words = beside_store(lambda: sharing.link.is_attached)
    resources = [*sharing.resources, lambda: aclosing(shared), lambda: aclosing(around)]
    return Sources(around, memory, left, words, sharing, shared, resources)


def _sharing(settings: Settings, clock: Callable[[], float]) -> Sharing | None:
    """What stands on the store; None, and none of its modules is imported, where the settings name none."""
    if settings.store.url is None:
        return None
    try:
        from service.wiring.store import sharing  # noqa: PLC0415 - needs the extra
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"redis", "hiredis"}:
            raise
        raise ValueError(
            "TRACKING_STORE__URL: a store needs more: pip install 'experiment-tracking[store]'"
        ) from error
    return sharing(settings, clock)
