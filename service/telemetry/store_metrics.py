"""The metrics of a store that replicas share for Prometheus."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from service.index.shared.replica import Replica
from service.index.shared.roles import Role
from service.telemetry.families import counter, gauge

if TYPE_CHECKING:  # whose libraries are there only where a store is used
    from service.cache.shared_source import SharedSource
    from service.store.answers import RedisStore
    from service.store.link import RedisLink

_OPERATIONS = ("ok", "slow", "failed", "detached")
_ANSWERS = ("stored", "proved", "led", "awaited", "alone", "rested")


class StoreCollector(Collector):
    """Collects the metrics of the store: of its connections, and of what is shared over it.

    replica: of the index that replicas share; None without an index.
    """

    def __init__(
        self, link: RedisLink, source: SharedSource, answers: RedisStore, replica: Replica | None
    ) -> None:
        self._link = link
        self._source = source
        self._answers = answers
        self._replica = replica

    def collect(self) -> Iterable[Metric]:
        """The metrics as they are now."""
        link, source = self._link, self._source
        yield gauge(
            "tracking_shared_store_attached",
            "1 while the store that replicas share is used, 0 while this replica goes on alone.",
            float(link.is_attached),
        )
        yield gauge(
            "tracking_shared_store_replicas",
            "Replicas that use the store, as far as it said last.",
            link.replicas,
        )
        yield counter(
            "tracking_shared_store_operations",
            "Operations on the store, by their outcome: ok, slow, failed, or detached, which asks nobody.",
            ("outcome",),
            (((outcome,), link.outcomes[outcome]) for outcome in _OPERATIONS),
        )
        yield counter(
            "tracking_shared_store_failures",
            "Failures of the store, by their kind; none is seen by a caller.",
            ("kind",),
            (((kind,), number) for kind, number in link.failures.items()),
        )
        yield counter(
            "tracking_shared_store_answers",
            "Questions that memory could not answer: the store had it, a list there proved it, this replica "
            "led and asked MLflow, it awaited another replica's answer, it asked alone, or it did not ask, "
            "shortly after a failure.",
            ("outcome",),
            (((outcome,), source.outcomes[outcome]) for outcome in _ANSWERS),
        )
        yield counter(
            "tracking_shared_store_waits",
            "Questions that waited for another replica to ask MLflow.",
            (),
            [((), source.outcomes["awaited"])],
        )
        yield counter(
            "tracking_shared_store_fills_refused",
            "Answers that the store refused, since a newer one was there.",
            (),
            [((), self._answers.refused)],
        )
        yield counter(
            "tracking_shared_store_unreadable",
            "What was in the store under a key and was no answer to its question.",
            (),
            [((), source.unreadable)],
        )
        if (replica := self._replica) is not None:
            yield gauge(
                "tracking_shared_store_is_writer",
                "1 where this replica keeps the shared index in step with MLflow, for all of them.",
                float(replica.role is Role.WRITING),
            )
            yield counter(
                "tracking_shared_store_records",
                "Records of other replicas that were applied to the index.",
                (),
                [((), replica.followed)],
            )
            yield counter(
                "tracking_shared_store_runs_left_out",
                "How often a run was left out of the shared index, since it is too large for its log.",
                (),
                [((), replica.runs.left_out)],
            )
