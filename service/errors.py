"""What can go wrong on the way to an answer, as one tree. None of it knows HTTP.

TrackingError
├── InvalidRequest          invalid_request         a value of the request; with `errors`
├── Unauthenticated         unauthenticated         it is not known who asks
├── Forbidden               forbidden               known, but not allowed to read runs
├── AuthUnavailable         auth_unavailable        credentials cannot be checked; with `retry_after`
├── RunsNotFound            run_not_found           with `run_ids`
├── LineageNotFound         lineage_not_found       with `ref`, `tried`
├── IndexNotReady           index_not_ready         not all read; with `share_read`, `retry_after`
├── IndexTooLarge           index_too_large         more runs than it may hold; with `retry_after`
├── HttpError                                       of HTTP itself: see service/http/errors.py
└── UpstreamFailure                                 MLflow could not be asked, or not understood
    ├── UpstreamError       upstream_error          unreachable, 5xx, rubbish
    │   ├── UpstreamRefused                         a 4xx: asking again changes nothing
    │   └── UpstreamTooLarge upstream_too_large     an answer larger than what is read
    ├── UpstreamAuth        upstream_auth           the service's credentials were refused
    ├── UpstreamForbidden   upstream_forbidden      they may not read one experiment
    ├── UpstreamTimeout     upstream_timeout
    └── UpstreamUnavailable upstream_unavailable    with `retry_after`
        └── UpstreamNotAsked                        the service holds back on its behalf

Which status, headers and members each has over HTTP stands in service/http/problems.py.

The message of an exception is shown to callers as `detail`: it never holds what MLflow said, a URL or a
credential. What an operator needs to know travels in `cause`, and only into the log.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple


class FieldError(NamedTuple):
    """One thing that is wrong with a request, and where it stands.

    position: of the character in the value, from 0, where it is known.
    """

    location: str
    message: str
    position: int | None = None


class TrackingError(Exception):
    """A reason why there is no answer. Its class has a stable code, and a title in a few words.

    detail: one sentence for the caller. cause: what only the operator may know.
    """

    code: ClassVar[str]
    title: ClassVar[str]

    def __init__(self, detail: str, *, cause: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.cause = cause


class InvalidRequest(TrackingError):
    """A well-formed request whose values are not allowed."""

    code, title = "invalid_request", "Invalid request"

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("; ".join(f"{error.location}: {error.message}" for error in errors))
        self.errors = tuple(errors)


class Unauthenticated(TrackingError):
    """A caller who has not said who it is. was_given: it sent a credential, which is not valid."""

    code, title = "unauthenticated", "Not authenticated"

    def __init__(self, detail: str, *, was_given: bool = False) -> None:
        super().__init__(detail)
        self.was_given = was_given


class Forbidden(TrackingError):
    """A caller who is known, and may not read runs."""

    code, title = "forbidden", "Not allowed"


class AuthUnavailable(TrackingError):
    """No credential can be checked: the keys to do it with are not there.

    retry_after: seconds after which to try again.
    """

    code, title = "auth_unavailable", "Credentials cannot be checked"
    retry_after = 5

    def __init__(self, *, cause: str = "") -> None:
        super().__init__("Who you are cannot be checked now; try again shortly.", cause=cause)


class RunsNotFound(TrackingError):
    """MLflow says that these runs do not exist, or does not say so to an account that may not read them."""

    code, title = "run_not_found", "Run not found"

    def __init__(self, run_ids: Sequence[str]) -> None:
        subject, verb = ("run", "does") if len(run_ids) == 1 else ("runs", "do")
        names = ", ".join(shorten(run_id) for run_id in run_ids)
        super().__init__(f"The {subject} {names} {verb} not exist, or may not be read.")
        self.run_ids = tuple(run_ids)


class LineageNotFound(TrackingError):
    """No run is found that made what a reference names. tried: what was looked for, and what came of it."""

    code, title = "lineage_not_found", "Nothing made this, as far as MLflow knows"

    def __init__(self, ref: str, tried: Sequence[tuple[str, str]]) -> None:
        looked = "; ".join(f"{what}: {outcome.replace('_', ' ')}" for what, outcome in tried)
        super().__init__(f"No run is found that made {shorten(ref)}. Looked for {looked}.")
        self.ref = ref
        self.tried = tuple(tried)


class IndexNotReady(TrackingError):
    """A search that only the index can answer, before every run has been read.

    share_read: of the first read, 0.0 to 1.0, about. retry_after: seconds after which to try again.
    """

    code, title = "index_not_ready", "Not every run has been read yet"

    def __init__(self, share_read: float, retry_after: int = 5) -> None:
        super().__init__(
            f"Runs are still being read from the tracking server, about {share_read:.0%} so far; try again "
            "later, or ask with a filter that only joins comparisons of MLflow's own with AND."
        )
        self.share_read = share_read
        self.retry_after = retry_after


class IndexTooLarge(TrackingError):
    """A search that only the index can answer, where it may not hold all runs.

    retry_after: seconds; only the operator can change it.
    """

    code, title = "index_too_large", "There are too many runs to search"
    retry_after = 3_600

    def __init__(self) -> None:
        super().__init__(
            "The tracking server has more runs than the index of this service may hold; its operator must "
            "give it more memory (TRACKING_INDEX__MAX_BYTES) or fewer experiments "
            "(TRACKING_INDEX__EXPERIMENTS), and start it again."
        )


class UpstreamFailure(TrackingError):
    """MLflow could not be asked, or its answer could not be understood: never an empty result.

    retry_after: seconds after which MLflow asked to be tried again; 0 where it did not say.
    """

    retry_after = 0


class UpstreamError(UpstreamFailure):
    """MLflow cannot be reached, failed, or answered something that is not its API's answer."""

    code, title = "upstream_error", "MLflow failed"

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

    code, title = "upstream_auth", "MLflow refused the service"

    def __init__(self, cause: str) -> None:
        super().__init__(
            "The tracking server refused this service's own credentials; its operator must renew them.",
            cause=cause,
        )


class UpstreamForbidden(UpstreamFailure):
    """MLflow lets this service read, but not this experiment."""

    code, title = "upstream_forbidden", "MLflow forbids an experiment"

    def __init__(self, experiment: str, cause: str) -> None:
        super().__init__(
            f"The tracking server does not let this service read the experiment {shorten(experiment)}.",
            cause=cause,
        )


class UpstreamTimeout(UpstreamFailure):
    """MLflow did not answer in time."""

    code, title = "upstream_timeout", "MLflow timed out"

    def __init__(self, cause: str) -> None:
        super().__init__("The tracking server did not answer in time.", cause=cause)


class UpstreamUnavailable(UpstreamFailure):
    """MLflow, or this service on its behalf, takes no more requests for now."""

    code, title = "upstream_unavailable", "MLflow is not available"

    def __init__(self, cause: str, retry_after: int = 0) -> None:
        super().__init__("The tracking server takes no more requests for now.", cause=cause)
        self.retry_after = retry_after


class UpstreamNotAsked(UpstreamUnavailable):
    """MLflow was not asked, or not to the end: the breaker is open, or places, descriptors or memory lack."""


def shorten(text: str, limit: int = 64) -> str:
    """A caller's own text, short enough for a message; quoted, with control characters escaped."""
    return repr(text if len(text) <= limit else text[: limit - 1] + "…")


class StoreFailed(Exception):
    """A store that replicas share did not answer in time, or not as it should. No caller ever sees it.

    kind: a word for the metrics.
    """

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind
