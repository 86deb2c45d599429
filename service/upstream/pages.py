"""Pages of MLflow's lists: in the form that the server takes, and as large as it can answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Generator, Hashable, Mapping, Sequence
from typing import Any, TypeVar

from service.errors import UpstreamRefused, UpstreamTimeout, UpstreamTooLarge
from service.upstream import wire
from service.upstream.failures import AlreadyExists, Missing
from service.upstream.forms import Form, Refusals
from service.upstream.portions import Portions
from service.upstream.transport import MlflowTransport
from service.upstream.wire import Page

log = logging.getLogger("service.upstream")

_ALMOST = 0.9  # of the time of all pages
_LONG = 2.0  # seconds of a page
_MOST_NOTED = 1_000  # runs that cannot be read, and names of experiments

T = TypeVar("T")
Read = Callable[[wire.Body], Generator[None, None, Page[T]]]


class Pages:
    """How pages are asked for. clock: seconds, monotonic.

    refusals: which forms of a question the server has refused. portions: how many entries it can answer.
    """

    def __init__(self, transport: MlflowTransport, clock: Callable[[], float]) -> None:
        self._call = transport.call
        self._deadline = transport.deadline
        self._clock = clock
        self.portions = Portions(transport.max_body_bytes, clock)
        self._unreadable: dict[str, str] = {}  # why, by the name: each is told of once
        self.refusals = Refusals(clock)

    async def first(
        self, ways: Sequence[Form], ask: Callable[[Form], Awaitable[Page[T]]]
    ) -> tuple[Form, Page[T]]:
        """The first page, in the fullest form that the server takes."""
        refused: list[tuple[Form, UpstreamRefused]] = []
        for form in self.refusals.among(ways):
            try:
                page = await ask(form)
            except (Missing, AlreadyExists):
                raise
            except UpstreamRefused as error:
                refused.append((form, error))
            else:
                for fuller, _ in refused[:1]:
                    self.refusals.note(fuller, form)
                return form, page
        raise refused[0][1]

    async def page(
        self, endpoint: str, read: Read[T], of: Hashable, body: Mapping[str, Any], wanted: int
    ) -> Page[T]:
        """A page of a list, of as many as are wanted or as can be had at once."""
        asked, may_wait = self.portions.of(of, wanted), True
        while True:
            began = self._clock()
            try:
                page = await self._call("POST", endpoint, read, json={**body, "max_results": asked})
            except (UpstreamTooLarge, UpstreamTimeout) as error:
                fewer = self.portions.were_too_much(of, asked)
                # A server that is slow is asked once more only, for less, where there is time for it.
                if asked == 1 or not may_wait or self._clock() - began > self._deadline * _ALMOST:
                    raise
                may_wait = not isinstance(error, UpstreamTimeout)
                asked = fewer
            except asyncio.CancelledError:  # the time of all pages is over: was it this one that took it?
                if self._clock() - began > _LONG:
                    self.portions.were_too_much(of, asked)
                raise
            else:
                came = len(page.found) + len(page.unreadable)
                self.portions.went_well(of, came, self._clock() - began, page.size)
                self.tell_of_unreadable(endpoint, page)
                return page

    def tell_of_unreadable(self, endpoint: str, page: Page[T]) -> None:
        """Log what a page has that cannot be read, each once."""
        for name, why in page.unreadable:
            if note(self._unreadable, name, why):
                log.warning("%s: %r cannot be read and is left out: %s", endpoint, name, why)


def note(known: dict[str, str], key: str, text: str) -> bool:
    """Keep a text by its key, of a thousand at most; whether it is new."""
    is_new = key not in known
    if is_new and len(known) >= _MOST_NOTED:
        known.clear()
    known[key] = text
    return is_new
