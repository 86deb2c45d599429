"""Errors of HTTP itself: requests that cannot be read, are no route's, or come at the wrong moment."""

from __future__ import annotations

from collections.abc import Collection

from service.errors import TrackingError


class HttpError(TrackingError):
    """A request that HTTP, or this server of it, does not let through."""


class UnreadableRequest(HttpError):
    """Bytes that are no HTTP request, or one whose lines are longer than the service reads."""

    code, title = "unreadable_request", "Unreadable request"


class MalformedBody(HttpError):
    """A body that cannot be read as JSON."""

    code, title = "malformed_body", "Malformed request"


class UnsupportedMediaType(HttpError):
    """A body that does not say it is JSON."""

    code, title = "unsupported_media_type", "Unsupported media type"


class BodyTooLarge(HttpError):
    """A body above the limit that the service accepts."""

    code, title = "body_too_large", "Request body too large"


class BodyTimeout(HttpError):
    """A request whose body does not arrive in time."""

    code, title = "body_timeout", "Request body timed out"


class NotFound(HttpError):
    """A path that is no route of this service."""

    code, title = "not_found", "Not found"


class MethodNotAllowed(HttpError):
    """A route that does not know the method. allowed: the methods that it knows, sorted."""

    code, title = "method_not_allowed", "Method not allowed"

    def __init__(self, method: str, allowed: Collection[str]) -> None:
        self.allowed = tuple(sorted(allowed))
        super().__init__(f"{method} is not a method of this resource; it knows {', '.join(self.allowed)}.")


class ExpectationFailed(HttpError):
    """A request that expects more of the server than 100 Continue."""

    code, title = "expectation_failed", "Expectation failed"


class Overloaded(HttpError):
    """This replica handles as many requests as it can. retry_after: seconds after which to try again."""

    code, title = "overloaded", "Overloaded"
    retry_after = 1


class InternalError(HttpError):
    """A defect of this service; the log has its traceback."""

    code, title = "internal_error", "Internal error"
