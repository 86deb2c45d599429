"""Histories of metrics: metrics/get-history, page by page, and its JSON."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from service.errors import UpstreamRefused, UpstreamTooLarge
from service.tracking.history import NO_POINTS, GetHistory, History
from service.tracking.runs import is_run_id
from service.upstream import lenient
from service.upstream.failures import Forbidden, Missing, WrongShape
from service.upstream.filters import can_be_a_tag
from service.upstream.lenient import Body, WireError, metric_of, time_of

_ENDPOINT: Final = "metrics/get-history"
_PAGE: Final = 25_000  # points: MLflow gives no more at once
_MOST_POINTS: Final = 1_000_000
_AT_ONCE: Final = 250  # points read in one step: a quarter of a millisecond
_READING: Final = 4  # histories at once, so that slots are left for questions that are short
_NAN: Final = float("nan")

Points = npt.NDArray[np.void]
_POINT: Final = np.dtype([("step", "<i8"), ("time", "<i8"), ("value", "<f8")])


class HistoryPage(NamedTuple):
    """A page of a history. points: step, time and value of each. token: of the next page, "" on the last."""

    points: Points
    token: str


class Histories:
    """Reads histories by MLflow's paged metrics/get-history, a few at once.

    call: as the transport's. make_sure_it_is_served: raises UpstreamAuth where a 403 is about the account.
    """

    def __init__(
        self,
        call: Callable[..., Awaitable[Any]],
        make_sure_it_is_served: Callable[[Forbidden], Awaitable[None]],
    ) -> None:
        self._call = call
        self._make_sure_it_is_served = make_sure_it_is_served
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
                pages = await self._pages(question)
        except Missing:
            return NO_POINTS
        except Forbidden as error:
            # Of a run that may not be read and of one that does not exist MLflow's basic-auth says the same.
            await self._make_sure_it_is_served(error)
            return NO_POINTS
        points = np.concatenate(pages)
        return History.of(points["step"], points["time"], points["value"])

    async def _pages(self, question: GetHistory) -> list[Points]:
        params = {"run_id": question.run_id, "metric_key": question.key}

        def read(body: Body) -> Generator[None, None, HistoryPage]:
            return read_history(body, question.key)

        page = await self._first(params, read)
        pages, count = [page.points], len(page.points)
        while page.token:
            if count >= _MOST_POINTS:
                raise UpstreamTooLarge(f"{_ENDPOINT}: more than {_MOST_POINTS} points")
            of_page = {"max_results": str(_PAGE), "page_token": page.token}
            page = await self._call("GET", _ENDPOINT, read, params=params | of_page)
            new = page.points[_overlap(pages[-1], page.points) :]
            if page.token and not len(new):
                raise WrongShape(f"{_ENDPOINT}: a page has nothing new, and there is to be another")
            pages.append(new)
            count += len(new)
        return pages

    async def _first(self, params: dict[str, str], read: Callable[[Body], Any]) -> HistoryPage:
        """The first page; all points at once from a server that knows no pages."""
        try:
            page: HistoryPage = await self._call(
                "GET", _ENDPOINT, read, params=params | {"max_results": str(_PAGE)}
            )
        except (Missing, Forbidden):
            raise
        except UpstreamRefused as refused:
            try:
                page = await self._call("GET", _ENDPOINT, read, params=params)
            except UpstreamRefused:
                raise refused from None
        return page


class _Metric(msgspec.Struct, gc=False):
    key: str | None = None
    value: float | str | None = None
    timestamp: int | float | str | None = None
    step: int | float | str | None = None


class _Reply(msgspec.Struct, gc=False):
    metrics: list[msgspec.Raw] | None = None
    next_page_token: str | int | None = None


_reply = msgspec.json.Decoder(_Reply)
_metric = msgspec.json.Decoder(_Metric)
_anything = msgspec.json.Decoder(dict[str, msgspec.Raw])


def read_history(body: Body, key: str) -> Generator[None, None, HistoryPage]:
    """The points of this key in a reply of metrics/get-history; in steps, for a page is 20 ms of work.

    NaN is a value as any other; a server that finds keys whatever their case sends other keys, too.
    """
    reply = lenient.decode(_reply, body)
    token = "" if reply.next_page_token is None else str(reply.next_page_token)
    raws = reply.metrics or []
    if not raws:
        # A history without points is left out, so it is `{}`; anything else without it is no such reply.
        unexpected = lenient.decode(_anything, body).keys() - {"metrics", "next_page_token"}
        if unexpected:
            raise WireError(f"metrics are missing beside {sorted(unexpected)}")
    points = np.empty(len(raws), _POINT)
    count = 0
    for start in range(0, len(raws), _AT_ONCE):
        if start:
            yield
        metrics = map(_decoded, raws[start : start + _AT_ONCE])
        some = [_point(metric) for metric in metrics if metric.key in (None, key)]
        points[count : count + len(some)] = some
        count += len(some)
    return HistoryPage(points[:count], token)


def _decoded(raw: msgspec.Raw) -> _Metric:
    return lenient.decode(_metric, raw)


def _point(metric: _Metric) -> tuple[int, int, float]:
    """Step, time and value; protobuf leaves out what is 0 where a server does not ask it to."""
    value = metric_of(0.0 if metric.value is None else metric.value)
    return time_of(metric.step) or 0, time_of(metric.timestamp) or 0, _NAN if value is None else value


def _overlap(before: Points, after: Points) -> int:
    """How many points at the beginning of a page are those at the end of the page before.

    Pages are counted from the beginning: a point that is logged between two of them, with a time that has
    passed, moves all behind it on.
    """
    for length in range(min(len(before), len(after), 1_000), 0, -1):
        if before[-1].tobytes() == after[length - 1].tobytes() and (
            before[-length:].tobytes() == after[:length].tobytes()
        ):
            return length
    return 0
