"""The public contract of events: what listeners send and get, as pydantic models."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

from service.api.schemas import AnswerBody, EpochMilliseconds, optional
from service.api.search_examples import FOUND_RUNS
from service.api.search_schemas import EXPERIMENTS, FILTER, Count, FoundRun, IndexState


class EventName(
    RootModel[
        Literal[
            "snapshot", "run.created", "run.updated", "run.ended", "run.deleted", "stale", "fresh", "reset"
        ]
    ]
):
    """What an event is about."""


class EventParameters(BaseModel):
    """The query parameters of events. Unknown ones are ignored; an empty one is none."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    filter: str | None = Field(None, description=FILTER)
    experiment_id: str | None = Field(None, description=f"{EXPERIMENTS} Several with commas between.")
    since: str | None = Field(
        None,
        description="`next` of the answer before, or the `id` of an event: what happened after it. A "
        "`Last-Event-ID` takes precedence.",
        examples=["5f1c09ab-4711"],
    )


class EventData(AnswerBody):
    """What an event says; which members it has depends on its name."""

    run: FoundRun = optional("Of `run.*`: the run as a search shows it; of `run.deleted`, as it last was.")
    run_id: str = optional("Of `run.deleted`: the MLflow run identifier.")
    matches: bool = optional("Of `run.*`: whether the run matches the filter; if not, it did before.")
    index: IndexState = optional("Of `snapshot`.")
    total: Count = optional("Of `snapshot`: number of runs that match.")
    since_ms: EpochMilliseconds | None = optional(
        "Unix epoch milliseconds. Of `stale`: when new and active runs were last looked for, null for never; "
        "of `fresh`: when that was done again."
    )
    reason: str = optional("Of `reset`: why what is known has to be read anew.")


class RunEvent(AnswerBody):
    """Something that happened."""

    id: str = Field(description="Where to go on behind it.")
    event: EventName
    data: EventData


class EventList(AnswerBody):
    """What happened since a moment, oldest first."""

    events: list[RunEvent]
    next: str = Field(description="What to send as `since` the next time.")
    reset: bool = Field(
        description="Whether too much was missed to tell of it: what is known has to be read anew."
    )


_RUN: Final = FOUND_RUNS["runs"][0]
EXAMPLE: Final[dict[str, Any]] = {
    "events": [{"id": "5f1c09ab-4712", "event": "run.ended", "data": {"run": _RUN, "matches": True}}],
    "next": "5f1c09ab-4712",
    "reset": False,
}
STREAM_EXAMPLE: Final = (
    'retry: 1840\n\nid: 5f1c09ab-4711\nevent: snapshot\ndata: {"index": {"complete": true, "runs": 73, '
    '"share_read": 1.0, "synced_ms": 1764201600000, "swept_ms": 1764201540000}, "total": 12}\n\n:\n\n'
    'id: 5f1c09ab-4712\nevent: run.deleted\ndata: {"run_id": "abc123def456", "run": {}, "matches": false}\n\n'
)
