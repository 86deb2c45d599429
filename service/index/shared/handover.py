"""What a replica that writes a shared index says of its steps, and how another one goes on from it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from service.index.shared.progress import Progress, Tick
from service.index.sync import Sync
from service.index.ticks import Marks


def progress_of(sync: Sync, ahead: float, ticks: Sequence[Tick] = ()) -> Progress:
    """How far it is. ahead: seconds that the store's clock is before the one of the steps."""
    staleness = sync.runs.changes.staleness
    reading, share = sync.reading
    return Progress(
        number=sync.runs.changes.last,
        experiment_ids=sync.runs.experiment_ids,
        read=tuple(sorted(sync.runs.read)),
        synced=None if sync.synced is None else sync.synced + ahead,
        synced_ms=sync.synced_ms,
        swept={key: time + ahead for key, time in sync.swept_at.items()},
        swept_ms=dict(sync.swept_ms),
        marks=Marks(sync.marks.start, sync.marks.end),
        reading=reading,
        share=share,
        is_complete=sync.is_complete,
        is_failing=sync.is_failing,
        is_stale=staleness is not None,
        stale_ms=None if staleness is None else staleness.since_ms,
        ticks=tuple(ticks),
    )


def follow_progress(sync: Sync, progress: Progress, ahead: float) -> None:
    """Know what another replica says that makes the steps, and be able to go on from it."""
    sync.told = progress
    sync.synced = None if progress.synced is None else progress.synced - ahead
    sync.synced_ms = progress.synced_ms
    sync.swept_at = {key: time - ahead for key, time in progress.swept.items()}
    sync.swept_ms = dict(progress.swept_ms)
    sync.marks = Marks(progress.marks.start, progress.marks.end)
    sync.runs.touch()
