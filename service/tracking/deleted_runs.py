"""The question after the runs of a strategy that were deleted: they were tried, too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import msgspec

from service.tracking.codec import Codec
from service.tracking.entity import Entity
from service.tracking.questions import FreshnessClass, Question
from service.tracking.runs import Run


class DeletedRuns(msgspec.Struct, frozen=True, gc=False):
    """Runs that were deleted, and that MLflow has not removed for good.

    unreadable: how many more there are that cannot be read. is_listed: False where the server answers a
    question after deleted runs with others, so that nothing is known of them.
    """

    runs: tuple[Run, ...]
    unreadable: int = 0
    is_listed: bool = True


class ListDeletedRuns(Question[DeletedRuns], frozen=True, gc=False):
    """The deleted runs of these experiments whose tag strategy_id is exactly this text: at most `limit`."""

    experiment_ids: tuple[str, ...]
    strategy_id: str
    limit: int

    codec: ClassVar[Codec[Any]] = Codec(DeletedRuns)

    def freshness_of(self, value: DeletedRuns) -> FreshnessClass:  # noqa: ARG002
        """It ages as lists do."""
        return FreshnessClass.RUN_LIST

    def entities(self, value: DeletedRuns) -> Sequence[Entity]:
        """The runs."""
        return value.runs

    def asks_for(self, run: Run) -> bool:
        """Whether the run is one of these; one whose experiment the server does not say is taken for it."""
        return (
            run.is_deleted
            and run.experiment_id in ("", *self.experiment_ids)
            and run.tags.get("strategy_id") == self.strategy_id
        )
