"""What an answer of MLflow's means, and what a failure says about MLflow. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from service import errors
from service.upstream import wire
from service.upstream.breaker import Sign
from service.upstream.retry import retry_after
from service.upstream.wording import Mask, destination, is_json_object, is_page, words

# What MLflow itself says passes (mlflow/exceptions.py). Its INTERNAL_ERROR and others are what came of this
# very question: a NUL in a filter (mlflow/store/db/utils.py), a metric that cannot be read.
_PASSING = {"TEMPORARILY_UNAVAILABLE", "DEADLINE_EXCEEDED"}
# 4xx by which a proxy says that it did not get through in time.
_TOO_LATE = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY}
_DISABLED = "FEATURE_DISABLED"  # with status 500, to each call with a workspace (server/workspace_helpers.py)
_NO_WORKSPACE = re.compile(rb'"message":\s*"Workspace \'[^"]*\' not found')
_INVALID = {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY}

_NOT_MLFLOW = "What answers in the tracking server's place is not MLflow's API; its operator must see to it."
_OF_QUESTION = "The tracking server failed at this question."
_NOT_UNDERSTOOD = "The tracking server's answer cannot be understood."


class Missing(errors.UpstreamRefused):
    """MLflow says that the thing asked for does not exist."""


class AlreadyExists(errors.UpstreamRefused):
    """MLflow says that the thing to be created exists."""


class Forbidden(errors.UpstreamAuth):
    """MLflow forbids this call; whether it refuses the account altogether, the client finds out."""


class NotMlflow(errors.UpstreamError):
    """What answered is not MLflow's API: a redirect, a web page, the words of a proxy."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause, detail=_NOT_MLFLOW)


class FailedAtQuestion(errors.UpstreamError):
    """MLflow itself says that it failed at this question: it would fail again."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause, detail=_OF_QUESTION)


class WrongShape(errors.UpstreamError):
    """Good JSON that is not what MLflow's API answers: it would be the same again."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause, detail=_NOT_UNDERSTOOD)


class Away(errors.UpstreamError):
    """There is no connection to MLflow."""


class OwnLack(errors.UpstreamNotAsked):
    """This service lacks something of its own to ask with: a descriptor, memory."""


_REFUSALS: Mapping[str, type[errors.UpstreamRefused]] = {
    "RESOURCE_DOES_NOT_EXIST": Missing,
    "RESOURCE_ALREADY_EXISTS": AlreadyExists,
}
# The first that fits; what is not here raises doubt. "" for the error's own code.
_SIGNS: Sequence[tuple[type[errors.UpstreamFailure], Sign, str]] = (
    (OwnLack, Sign.NOTHING, "own_lack"),
    (errors.UpstreamNotAsked, Sign.NOTHING, "breaker_open"),
    (errors.UpstreamRefused, Sign.WELL, "refused"),
    (Forbidden, Sign.ODD, "forbidden"),
    (errors.UpstreamAuth, Sign.ODD, ""),
    (NotMlflow, Sign.ODD, ""),
    (errors.UpstreamUnavailable, Sign.NOTHING, ""),
    (errors.UpstreamTooLarge, Sign.NOTHING, ""),
    (WrongShape, Sign.NOTHING, ""),
    (FailedAtQuestion, Sign.DOUBT, "failed_question"),
    (Away, Sign.AWAY, ""),
)
# What is not helped by asking again.
FINAL = (
    errors.UpstreamRefused,
    errors.UpstreamTooLarge,
    errors.UpstreamTimeout,
    errors.UpstreamNotAsked,
    NotMlflow,
    FailedAtQuestion,
    WrongShape,
)


def check(endpoint: str, status: int, headers: Mapping[str, str], body: wire.Body, mask: Mask) -> None:
    """Raise what a status that is not 200 means. The words of the answer go into the cause, for the log."""
    if status == HTTPStatus.OK:
        return
    code = wire.read_error_code(body)
    said = f"{endpoint}: status {status} {code}".rstrip()
    if wrong := _wrong_with_workspace(code, body):
        raise errors.UpstreamRefused(f"{said}: {wrong}")
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST and "Location" in headers:
        raise NotMlflow(f"{said}, redirects to {destination(headers['Location'], mask)}")
    if text := words(headers, body, mask):
        said += f": {text}"
    wanted = retry_after(headers.get("Retry-After", ""))
    if status == HTTPStatus.UNAUTHORIZED:
        raise errors.UpstreamAuth(said)
    if status == HTTPStatus.FORBIDDEN:
        raise Forbidden(said)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise errors.UpstreamUnavailable(said, wanted)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _TOO_LATE:
        raise _failure(status, code, said, wanted)
    # Only MLflow's own JSON is its word; another API's 400 is a refusal, too (GitLab's has no code).
    if not code and not (status in _INVALID and is_json_object(body)):
        raise NotMlflow(said)
    raise _REFUSALS.get(code, errors.UpstreamRefused)(said)


def _wrong_with_workspace(code: str, body: wire.Body) -> str:
    if code == _DISABLED:
        return "this MLflow has no workspaces: unset MLFLOW_WORKSPACE"
    return "the workspace of MLFLOW_WORKSPACE is not there" if _NO_WORKSPACE.search(body) else ""


def _failure(status: int, code: str, said: str, wanted: int) -> errors.UpstreamError:
    of_question = status in {HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.NOT_IMPLEMENTED}
    if of_question and code and code not in _PASSING:
        return FailedAtQuestion(said)
    return errors.UpstreamError(said, wanted)


def unreadable(
    endpoint: str, headers: Mapping[str, str], body: wire.Body, error: wire.WireError, mask: Mask
) -> errors.UpstreamError:
    """What an answer with status 200 is that cannot be read."""
    said = f"{endpoint}: WireError: {error}"
    if is_page(headers, body):
        return NotMlflow(f"{endpoint}: status 200, {words(headers, body, mask)}")
    if isinstance(error.__cause__, json.JSONDecodeError | UnicodeDecodeError):
        return errors.UpstreamError(said)  # half of an answer, or rubbish
    return WrongShape(said)


def judge(error: errors.UpstreamFailure) -> tuple[Sign, str]:
    """What a failure says about MLflow, and what came of the call in a word, for the metrics."""
    for kind, sign, outcome in _SIGNS:
        if isinstance(error, kind):
            return sign, outcome or error.code
    return Sign.DOUBT, error.code


def judge_plain(error: errors.UpstreamFailure) -> Sign:
    """What the failure of a question says that depends on no caller: whatever answers it is there."""
    sign, _ = judge(error)
    if isinstance(error, errors.UpstreamNotAsked):
        return Sign.NOTHING
    return Sign.ODD if sign is Sign.NOTHING else sign
