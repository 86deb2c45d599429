"""What is known of the request at hand wherever it goes: set by who takes it, read by who works for it."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar

UNMATCHED = "unmatched"  # in place of a route, where a request matched none, or was answered before
# Whether nobody waits for what is asked: a renewal behind a caller's back, which gives way to callers.
IS_RENEWAL: ContextVar[bool] = ContextVar("is_renewal", default=False)
# When the caller gives up, by the event loop's clock, in seconds; None for never.
DEADLINE: ContextVar[float | None] = ContextVar("deadline", default=None)
# The caller's place in a trace, as the headers of W3C's Trace Context; None where it is in none.
TRACE: ContextVar[Mapping[str, str] | None] = ContextVar("trace", default=None)
# Who asks, once it is known. A request's own keys cost ten times as much to look up.
CALLER: ContextVar[str | None] = ContextVar("caller", default=None)
# The id of the request: the caller's own, where it is well formed.
REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
# The path of the route that the request matched, as it was declared: never text of a caller's.
ROUTE: ContextVar[str] = ContextVar("route", default=UNMATCHED)
