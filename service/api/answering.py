"""What the handlers of the tracking API share: where they stand, whom they ask, and how they respond."""

from __future__ import annotations

from typing import Final

from aiohttp import hdrs, web

from service import errors
from service.http.body import BodyReader
from service.http.representations import Representations
from service.tracking.queries import TrackingQueries

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


class Answering:
    """The queries that handlers ask, `read_body`, and `respond`, which makes a response of an answer.

    cached: the queries over the cache. revalidating: those that ask MLflow, for `Cache-Control: no-cache`.
    """

    def __init__(
        self,
        cached: TrackingQueries,
        revalidating: TrackingQueries,
        representations: Representations,
        read_body: BodyReader,
    ) -> None:
        self._cached = cached
        self._revalidating = revalidating
        self.respond = representations.respond
        self.read_body = read_body

    def queries(self, request: web.BaseRequest) -> TrackingQueries:
        """The queries that this request may be answered from."""
        cache_control = request.headers.get(hdrs.CACHE_CONTROL)
        if cache_control is None or "no-cache" not in cache_control.lower():
            return self._cached
        return self._revalidating
