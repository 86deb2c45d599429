"""What the handlers of the tracking API share: where they stand, whom they ask, and how they respond."""

from __future__ import annotations

from typing import Final, NamedTuple

from aiohttp import hdrs, web

from service import errors
from service.http.body import BodyReader
from service.http.negotiation import listed
from service.http.representations import Representations
from service.tracking.asked import Asked
from service.tracking.directions import Directions
from service.tracking.queries import TrackingQueries
from service.tracking.search.searches import RunSearches
from service.workers import Workers

BASE: Final = "/api/v1/tracking"

# What each question to MLflow may fail with.
UPSTREAM_ERRORS: Final = (
    errors.UpstreamError,
    errors.UpstreamTooLarge,
    errors.UpstreamAuth,
    errors.UpstreamForbidden,
    errors.UpstreamUnavailable,
    errors.UpstreamTimeout,
)

# What each search may fail with, beyond that.
SEARCH_ERRORS: Final = (errors.InvalidRequest, errors.IndexNotReady, errors.IndexTooLarge, *UPSTREAM_ERRORS)


class Searching(NamedTuple):
    """The searches that handlers ask, as the queries of Answering. directions: of the metrics."""

    cached: RunSearches
    revalidating: RunSearches
    directions: Directions


class Answering:
    """The queries that handlers ask, `read_body`, and `respond`, which makes a response of an answer.

    cached: the queries over the cache. revalidating: those that ask MLflow, for `Cache-Control: no-cache`.
    holds: whether `respond` needs nothing built. headers: of an answer whose response is made elsewhere.
    workers: threads for long work.
    """

    def __init__(
        self,
        cached: TrackingQueries,
        revalidating: TrackingQueries,
        searching: Searching,
        representations: Representations,
        read_body: BodyReader,
        workers: Workers,
    ) -> None:
        self._cached = cached
        self._revalidating = revalidating
        self._searching = searching
        self.directions = searching.directions
        self.respond = representations.respond
        self.holds = representations.holds
        self.headers = representations.headers
        self.read_body = read_body
        self._workers = workers

    def queries(self, request: web.BaseRequest) -> TrackingQueries:
        """The queries that this request may be answered from."""
        cache_control = listed(request.headers, hdrs.CACHE_CONTROL)
        return self._cached if cache_control is None or not _is_anew(cache_control) else self._revalidating

    def searches(self, request: web.BaseRequest) -> RunSearches:
        """The searches that this request may be answered from."""
        cache_control = listed(request.headers, hdrs.CACHE_CONTROL)
        searching = self._searching
        is_cached = cache_control is None or not _is_anew(cache_control)
        return searching.cached if is_cached else searching.revalidating

    def asked(self, request: web.BaseRequest) -> Asked:
        """Both, for use cases that need more than one of them."""
        return Asked(self.queries(request), self.searches(request), self.directions, self._workers)


def _is_anew(cache_control: str) -> bool:
    return "no-cache" in cache_control.lower()
