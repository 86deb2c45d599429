"""How MLflow is asked for deleted runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Hashable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from service.errors import UpstreamForbidden
from service.tracking.deleted_runs import DeletedRuns, ListDeletedRuns
from service.tracking.questions import Question
from service.tracking.runs import Run
from service.upstream import filters
from service.upstream.failures import Forbidden
from service.upstream.wire import Body, Page

_PAGE = 1_000

Read = Callable[[Body], Generator[None, None, Page[Run]]]
PageOf = Callable[[str, Read, Hashable, Mapping[str, Any], int], Awaitable[Page[Run]]]
Deadline = Callable[[], AbstractAsyncContextManager[None]]
Refused = Callable[[str, Forbidden], Awaitable[UpstreamForbidden]]


def ways(
    page_of: PageOf, read: Read, within_deadline: Deadline, forbidden: Refused
) -> dict[type[Question[Any]], Callable[[Any], Awaitable[object]]]:
    """How the question after deleted runs is asked. Parameters: as those of DeletedRunsReader."""
    return {ListDeletedRuns: DeletedRunsReader(page_of, read, within_deadline, forbidden)}


class DeletedRunsReader:
    """Asks MLflow for deleted runs, page by page.

    page_of: a page of an endpoint's list, by what reads it, whose list it is, its body, and how many at most.
    read: reads runs. within_deadline: of all pages. forbidden: what a refusal to read an experiment is.
    """

    def __init__(self, page_of: PageOf, read: Read, within_deadline: Deadline, forbidden: Refused) -> None:
        self._page_of = page_of
        self._read = read
        self._within_deadline = within_deadline
        self._forbidden = forbidden

    async def __call__(self, question: ListDeletedRuns) -> DeletedRuns:
        """https://mlflow.org/docs/latest/api_reference/rest-api.html#search-runs

        Some servers ignore run_view_type, and answer runs that are there: then nothing is known of others.
        """
        if not filters.can_be_a_tag(question.strategy_id):
            return DeletedRuns(())
        body: dict[str, Any] = {
            "experiment_ids": list(question.experiment_ids),
            "filter": filters.by_patterns({"strategy_id": question.strategy_id}).text,
            "run_view_type": "DELETED_ONLY",
        }
        found: dict[str, Run] = {}
        unreadable = 0
        is_listed = True
        token = ""
        try:
            async with self._within_deadline():
                while True:
                    asked = {**body, "page_token": token} if token else body
                    page = await self._page_of("runs/search", self._read, ListDeletedRuns, asked, _PAGE)
                    is_listed = is_listed and all(run.is_deleted for run in page.found)
                    found |= {run.run_id: run for run in page.found if question.asks_for(run)}
                    unreadable += len(page.unreadable)
                    token = page.token
                    if not token or not is_listed or len(found) >= question.limit:
                        return DeletedRuns(tuple(found.values())[: question.limit], unreadable, is_listed)
        except Forbidden as error:
            raise await self._forbidden(", ".join(question.experiment_ids), error) from error
