"""Everything that can go wrong on the way to an answer, as one tree.

TrackingError
├── InvalidRequest          422  invalid_request         with `errors`
├── UnreadableRequest       400  unreadable_request      not HTTP, or a line too long
├── MalformedBody           400  malformed_body
├── UnsupportedMediaType    415  unsupported_media_type
├── BodyTooLarge            413  body_too_large
├── Unauthenticated         401  unauthenticated         with WWW-Authenticate
├── Forbidden               403  forbidden               known, but without the scope
├── AuthUnavailable         503  auth_unavailable        with Retry-After
├── NotFound                404  not_found               no such route
├── MethodNotAllowed        405  method_not_allowed
├── ExpectationFailed       417  expectation_failed      an Expect header that is not 100-continue
├── RunsNotFound            404  run_not_found           with `missing_run_ids`
├── BodyTimeout             408  body_timeout            a body that does not come
├── Overloaded              503  overloaded              with Retry-After
├── InternalError           500  internal_error          a defect of ours
└── UpstreamFailure              MLflow could not be asked, or not understood
    ├── UpstreamError       502  upstream_error          unreachable, 5xx, rubbish
    │   ├── UpstreamRefused                              a 4xx: asking again changes nothing
    │   └── UpstreamTooLarge     upstream_too_large      an answer larger than what is read
    ├── UpstreamAuth        502  upstream_auth           our credentials were refused
    ├── UpstreamForbidden   502  upstream_forbidden      they may not read one experiment
    ├── UpstreamTimeout     504  upstream_timeout
    └── UpstreamUnavailable 503  upstream_unavailable    with Retry-After
        └── UpstreamNotAsked                             we hold back on its behalf

The message of an exception is shown to callers as `detail`: it never holds what MLflow said, a URL or a
credential. What an operator needs to know travels in `cause`, and only into the log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, NamedTuple


class FieldError(NamedTuple):
    """One thing that is wrong with a request, and where it stands."""

    location: str
    message: str


class TrackingError(Exception):
    """An answer that is not the one asked for. Its class bears the HTTP status and the stable code."""

    status: ClassVar[int]
    code: ClassVar[str]
    title: ClassVar[str]

    def __init__(self, detail: str, *, cause: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.cause = cause

    def extensions(self) -> Mapping[str, object]:
        """Members that this problem adds to the RFC 9457 body."""
        return {}

    def headers(self) -> Mapping[str, str]:
        """Headers that this problem adds to the response."""
        return {}


class InvalidRequest(TrackingError):
    """A well-formed request whose values are not allowed."""

    status, code, title = 422, "invalid_request", "Invalid request"

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("; ".join(f"{error.location}: {error.message}" for error in errors))
        self.errors = tuple(errors)

    def extensions(self) -> Mapping[str, object]:
        return {"errors": [error._asdict() for error in self.errors]}


class UnreadableRequest(TrackingError):
    """Bytes that are no HTTP request, or one whose lines are longer than the service reads."""

    status, code, title = 400, "unreadable_request", "Unreadable request"


class MalformedBody(TrackingError):
    """A body that cannot be read as JSON."""

    status, code, title = 400, "malformed_body", "Malformed request"


class UnsupportedMediaType(TrackingError):
    """A body that does not say it is JSON."""

    status, code, title = 415, "unsupported_media_type", "Unsupported media type"


class BodyTooLarge(TrackingError):
    """A body above the limit that the service accepts."""

    status, code, title = 413, "body_too_large", "Request body too large"


class Unauthenticated(TrackingError):
    """A caller of whom it is not known who it is. was_given: it sent a credential, which is not good."""

    status, code, title = 401, "unauthenticated", "Not authenticated"

    def __init__(self, detail: str, *, was_given: bool = False) -> None:
        super().__init__(detail)
        self._challenge = 'Bearer realm="experiment-tracking"' + (', error="invalid_token"' * was_given)

    def headers(self) -> Mapping[str, str]:
        return {"WWW-Authenticate": self._challenge}  # RFC 6750, 3


class Forbidden(TrackingError):
    """A caller who is known, and may not read runs."""

    status, code, title = 403, "forbidden", "Not allowed"

    def headers(self) -> Mapping[str, str]:
        return {"WWW-Authenticate": 'Bearer realm="experiment-tracking", error="insufficient_scope"'}


class AuthUnavailable(TrackingError):
    """Nobody's credential can be checked: the keys to do it with cannot be had."""

    status, code, title = 503, "auth_unavailable", "Credentials cannot be checked"

    def __init__(self, *, cause: str = "") -> None:
        super().__init__("Who you are cannot be checked now; try again shortly.", cause=cause)

    def headers(self) -> Mapping[str, str]:
        return {"Retry-After": "5"}


class NotFound(TrackingError):
    """A path that is no route of this service."""

    status, code, title = 404, "not_found", "Not found"


class MethodNotAllowed(TrackingError):
    """A route that does not know the method."""

    status, code, title = 405, "method_not_allowed", "Method not allowed"

    def __init__(self, method: str, allowed: Sequence[str]) -> None:
        self.allow = ", ".join(sorted(allowed))
        super().__init__(f"{method} is not a method of this resource; it knows {self.allow}.")

    def headers(self) -> Mapping[str, str]:
        return {"Allow": self.allow}


class ExpectationFailed(TrackingError):
    """A request that expects more of the server than 100 Continue."""

    status, code, title = 417, "expectation_failed", "Expectation failed"


class RunsNotFound(TrackingError):
    """MLflow says that these runs do not exist, or does not say so to an account that may not read them."""

    status, code, title = 404, "run_not_found", "Run not found"

    def __init__(self, run_ids: Sequence[str]) -> None:
        subject, verb = ("run", "does") if len(run_ids) == 1 else ("runs", "do")
        names = ", ".join(shorten(run_id) for run_id in run_ids)
        super().__init__(f"The {subject} {names} {verb} not exist, or may not be read.")
        self.run_ids = tuple(run_ids)

    def extensions(self) -> Mapping[str, object]:
        return {"missing_run_ids": list(self.run_ids)}


class BodyTimeout(TrackingError):
    """A request whose body does not arrive in time."""

    status, code, title = 408, "body_timeout", "Request body timed out"


class Overloaded(TrackingError):
    """This replica handles as many requests as it can."""

    status, code, title = 503, "overloaded", "Overloaded"

    def headers(self) -> Mapping[str, str]:
        return {"Retry-After": "1"}


class InternalError(TrackingError):
    """A defect of this service; the log has its traceback."""

    status, code, title = 500, "internal_error", "Internal error"


class UpstreamFailure(TrackingError):
    """MLflow could not be asked, or its answer could not be understood: never an empty result.

    retry_after: seconds after which MLflow asked to be tried again; 0 where it did not say.
    """

    retry_after = 0


class UpstreamError(UpstreamFailure):
    """MLflow cannot be reached, failed, or answered something that is not its API's answer."""

    status, code, title = 502, "upstream_error", "MLflow failed"

    def __init__(
        self,
        cause: str,
        retry_after: int = 0,
        detail: str = "The tracking server failed to answer; try again shortly.",
    ) -> None:
        super().__init__(detail, cause=cause)
        self.retry_after = retry_after


class UpstreamRefused(UpstreamError):
    """MLflow answers, and refuses the call itself."""


class UpstreamTooLarge(UpstreamError):
    """MLflow's answer is larger than what is read of one."""

    code, title = "upstream_too_large", "MLflow's answer is too large"

    def __init__(self, cause: str) -> None:
        super().__init__(cause, detail="The tracking server's answer is too large to read; ask for fewer.")


class UpstreamAuth(UpstreamFailure):
    """MLflow refuses the credentials that this service is configured with."""

    status, code, title = 502, "upstream_auth", "MLflow refused the service"

    def __init__(self, cause: str) -> None:
        super().__init__(
            "The tracking server refused this service's own credentials; its operator must renew them.",
            cause=cause,
        )


class UpstreamForbidden(UpstreamFailure):
    """MLflow lets this service read, but not this experiment."""

    status, code, title = 502, "upstream_forbidden", "MLflow forbids an experiment"

    def __init__(self, experiment: str, cause: str) -> None:
        super().__init__(
            f"The tracking server does not let this service read the experiment {shorten(experiment)}.",
            cause=cause,
        )


class UpstreamTimeout(UpstreamFailure):
    """MLflow did not answer in time."""

    status, code, title = 504, "upstream_timeout", "MLflow timed out"

    def __init__(self, cause: str) -> None:
        super().__init__("The tracking server did not answer in time.", cause=cause)


class UpstreamUnavailable(UpstreamFailure):
    """MLflow, or this service on its behalf, takes no more requests for now."""

    status, code, title = 503, "upstream_unavailable", "MLflow is not available"

    def __init__(self, cause: str, retry_after: int = 0) -> None:
        super().__init__("The tracking server takes no more requests for now.", cause=cause)
        self.retry_after = retry_after

    def headers(self) -> Mapping[str, str]:
        return {"Retry-After": str(max(1, self.retry_after))}


class UpstreamNotAsked(UpstreamUnavailable):
    """MLflow was not asked, or not to the end: the breaker is open, or places, descriptors or memory lack."""


def codes(tree: type[TrackingError] = TrackingError) -> frozenset[str]:
    """The codes of all errors in this tree."""
    own = {tree.code} if hasattr(tree, "code") else set()
    return frozenset(own.union(*map(codes, tree.__subclasses__())))


def shorten(text: str, limit: int = 64) -> str:
    """A caller's own text, short enough for a message; quoted, with control characters escaped."""
    return repr(text if len(text) <= limit else text[: limit - 1] + "…")
