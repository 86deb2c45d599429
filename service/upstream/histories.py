"""Histories of metrics: metrics/get-history, page by page."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator, Mapping
from typing import Any, Final

from service.errors import UpstreamRefused, UpstreamTimeout, UpstreamTooLarge
from service.tracking.history import NO_POINTS, GetHistory, History
from service.tracking.runs import is_run_id
from service.upstream.failures import Forbidden, Missing, WrongShape
from service.upstream.filters import can_be_a_tag
from service.upstream.lenient import Body
from service.upstream.points import HistoryPage, read_history
from service.upstream.portions import Portions

_ENDPOINT: Final = "metrics/get-history"
_PAGE: Final = 5_000  # points: MLflow gives 25,000 at most, and takes seconds for them
_MOST_POINTS: Final = 1_000_000
_READING: Final = 2  # histories at once: MLflow has questions to answer that are short


class Histories:
    """Reads histories by MLflow's paged metrics/get-history, a few at once.

    call: as the transport's. make_sure_it_is_served: raises UpstreamAuth where a 403 is about the account.
    portions: how many points to ask for. clock: seconds, monotonic.
    """

    def __init__(
        self,
        call: Callable[..., Awaitable[Any]],
        make_sure_it_is_served: Callable[[Forbidden], Awaitable[None]],
        portions: Portions,
        clock: Callable[[], float],
    ) -> None:
        self._call = call
        self._make_sure_it_is_served = make_sure_it_is_served
        self._portions = portions
        self._clock = clock
        self._reading = asyncio.Semaphore(_READING)

    async def history(self, question: GetHistory) -> History:
        """https://mlflow.org/docs/latest/api_reference/rest-api.html#get-metric-history

        Each page has a deadline of its own, so that a long history can be read at all: whoever waits for it
        has another deadline, and finds it remembered when they ask again.
        """
        if not is_run_id(question.run_id) or not can_be_a_tag(question.key):
            return NO_POINTS
        try:
            async with self._reading:
                points = (await self._pages(question)).points
        except Missing:
            return NO_POINTS
        except Forbidden as error:
            # Of a run that may not be read and of one that does not exist MLflow's basic-auth says the same.
            await self._make_sure_it_is_served(error)
            return NO_POINTS
        # A million points are 20 ms of work, in arrays, which need no turn of the interpreter.
        return await asyncio.to_thread(History.of, points.steps, points.times, points.values)

    async def _pages(self, question: GetHistory) -> HistoryPage:
        """All pages as one."""
        params = {"run_id": question.run_id, "metric_key": question.key}

        def read(body: Body) -> Generator[None, None, HistoryPage]:
            return read_history(body, question.key)

        whole = await self._first(params, read)
        while whole.token:
            if len(whole.points) >= _MOST_POINTS:
                raise UpstreamTooLarge(f"{_ENDPOINT}: more than {_MOST_POINTS} points")
            page = await self._page(params | {"page_token": whole.token}, read)
            # A point of an earlier time, logged between two pages, moves the others on: they come again.
            new = page.points.after(whole.points)
            if page.token and not new:
                raise WrongShape(f"{_ENDPOINT}: a page has nothing new, and there is to be another")
            whole.points.extend(new)
            whole = HistoryPage(whole.points, page.token)
        return whole

    async def _first(self, params: Mapping[str, str], read: Callable[[Body], Any]) -> HistoryPage:
        """The first page; all points at once from a server that refuses to be asked for a page."""
        try:
            return await self._page(params, read)
        except (Missing, Forbidden):
            raise
        except UpstreamRefused as refused:
            try:
                page: HistoryPage = await self._call("GET", _ENDPOINT, read, params=params)
            except UpstreamRefused:
                raise refused from None
            return page

    async def _page(self, params: Mapping[str, str], read: Callable[[Body], Any]) -> HistoryPage:
        """A page of as many points as can be had; after one that is too slow or too large, of fewer."""
        size = self._portions.of(_ENDPOINT, _PAGE)
        try:
            return await self._of_size(size, params, read)
        except (UpstreamTimeout, UpstreamTooLarge):
            fewer = self._portions.were_too_much(_ENDPOINT, size)
            if fewer == size:
                raise
            return await self._of_size(fewer, params, read)

    async def _of_size(
        self, size: int, params: Mapping[str, str], read: Callable[[Body], Any]
    ) -> HistoryPage:
        began = self._clock()
        page: HistoryPage = await self._call(
            "GET", _ENDPOINT, read, params={**params, "max_results": str(size)}
        )
        self._portions.went_well(_ENDPOINT, len(page.points), self._clock() - began, 0)
        return page
