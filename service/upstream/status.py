"""What MLflow's answers mean, by their status and body. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from service import errors
from service.upstream import wire
from service.upstream.failures import (
    AlreadyExists,
    Forbidden,
    Invalid,
    Missing,
    NoEndpoint,
    NotMlflow,
    QuestionFailed,
    UnknownEndpoint,
    WrongShape,
)
from service.upstream.wording import Mask, destination, is_json_object, is_page, words

# MLflow's codes for failures that pass (mlflow/exceptions.py). Its INTERNAL_ERROR and others are caused by
# the question: a NUL in a filter (mlflow/store/db/utils.py), a metric that cannot be read.
_TRANSIENT = {"TEMPORARILY_UNAVAILABLE", "DEADLINE_EXCEEDED"}
# 4xx by which a proxy says that it did not get through in time.
_TOO_LATE = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY}
_DISABLED = "FEATURE_DISABLED"  # with status 500, to each call with a workspace (server/workspace_helpers.py)
_NO_WORKSPACE = re.compile(rb'"message":\s*"Workspace \'[^"]*\' not found')
_INVALID = {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY}
_NO_ENDPOINT = {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}
_REFUSALS: Mapping[str, type[errors.UpstreamRefused]] = {
    "RESOURCE_DOES_NOT_EXIST": Missing,
    "RESOURCE_ALREADY_EXISTS": AlreadyExists,
    "INVALID_PARAMETER_VALUE": Invalid,
    "ENDPOINT_NOT_FOUND": UnknownEndpoint,
}
_LONGEST_RETRY_AFTER = 60  # seconds


def raise_for_status(
    endpoint: str, status: int, headers: Mapping[str, str], body: wire.Body, mask: Mask
) -> None:
    """Raise what a status other than 200 means. The words of the answer go into the cause, for the log."""
    if status == HTTPStatus.OK:
        return
    code = wire.read_error_code(body)
    cause = f"{endpoint}: status {status} {code}".rstrip()
    if workspace := _workspace_trouble(code, body):
        raise errors.UpstreamRefused(f"{cause}: {workspace}")
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST and "Location" in headers:
        raise NotMlflow(f"{cause}, redirects to {destination(headers['Location'], mask)}")
    if text := words(headers, body, mask):
        cause += f": {text}"
    seconds = retry_after(headers.get("Retry-After", ""))
    if status == HTTPStatus.UNAUTHORIZED:
        raise errors.UpstreamAuth(cause)
    if status == HTTPStatus.FORBIDDEN:
        raise Forbidden(cause)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise errors.UpstreamUnavailable(cause, seconds)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _TOO_LATE:
        raise _failure(status, code, cause, seconds)
    # Only MLflow's own JSON is its word; another API's 400 is a refusal, too (GitLab's has no code).
    if not code and not (status in _INVALID and is_json_object(body)):
        raise (NoEndpoint if status in _NO_ENDPOINT else NotMlflow)(cause)
    raise _REFUSALS.get(code, errors.UpstreamRefused)(cause)


def unreadable(
    endpoint: str, headers: Mapping[str, str], body: wire.Body, error: wire.WireError, mask: Mask
) -> errors.UpstreamError:
    """What an answer with status 200 is that cannot be read."""
    cause = f"{endpoint}: WireError: {error}"
    if is_page(headers, body):
        return NotMlflow(f"{endpoint}: status 200, {words(headers, body, mask)}")
    if isinstance(error.__cause__, json.JSONDecodeError | UnicodeDecodeError):
        return errors.UpstreamError(cause)  # half of an answer, or rubbish
    return WrongShape(cause)


def retry_after(text: str, now: datetime | None = None) -> int:
    """Seconds that a Retry-After header asks for (RFC 9110, 10.2.3), at most a minute; 0 if none."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return min(int(text[:9]), _LONGEST_RETRY_AFTER)
    try:
        then = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return 0
    if then.tzinfo is None:
        then = then.replace(tzinfo=UTC)
    seconds = (then - (now or datetime.now(UTC))).total_seconds()
    return max(0, min(round(seconds), _LONGEST_RETRY_AFTER))


def _workspace_trouble(code: str, body: wire.Body) -> str:
    if code == _DISABLED:
        return "this MLflow has no workspaces: unset MLFLOW_WORKSPACE"
    return "the workspace of MLFLOW_WORKSPACE is not there" if _NO_WORKSPACE.search(body) else ""


def _failure(status: int, code: str, cause: str, seconds: int) -> errors.UpstreamError:
    is_mlflows = status in {HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.NOT_IMPLEMENTED}
    if is_mlflows and code and code not in _TRANSIENT:
        return QuestionFailed(cause)
    return errors.UpstreamError(cause, seconds)
