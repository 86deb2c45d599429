"""Reads the histories of a run's metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from service.answer import Answer, combine
from service.tracking.history import NO_POINTS, GetHistory, History
from service.tracking.queries import TrackingQueries
from service.tracking.runs import Run


async def histories_of(
    queries: TrackingQueries, run_id: str, keys: Sequence[str]
) -> Answer[tuple[History, ...]]:
    """The history of each of these metrics; without points where the run or the metric does not exist."""
    run = await queries.run(run_id)
    if run.value is None:
        return combine((NO_POINTS,) * len(keys), [run])
    return await histories_of_run(queries, run, run.value, keys)


async def histories_of_run(
    queries: TrackingQueries, read: Answer[Run | None], run: Run, keys: Sequence[str]
) -> Answer[tuple[History, ...]]:
    """The same, of a run that was read already. read: how it was read.

    Each is a question of its own, so that each is remembered as soon as it is there: a caller whose deadline
    passes while MLflow reads long histories finds more of them when they ask again. A run that has ended has
    no metric but those it shows, of which MLflow need not be asked.
    """
    ended = run.is_terminal
    asked = [key for key in keys if not ended or key in run.metrics]
    if not asked:
        return combine((NO_POINTS,) * len(keys), [read])
    questions = (GetHistory(run.run_id, key, ended) for key in asked)
    answers = await asyncio.gather(*map(queries.answer, questions))
    by_key = {key: answer.value for key, answer in zip(asked, answers, strict=True)}
    histories = tuple(by_key.get(key, NO_POINTS) for key in keys)
    return combine(histories, [answer.after(read) for answer in answers])
