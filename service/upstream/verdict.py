"""What an answer of MLflow's means, and what a failure says about it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from service import errors
from service.upstream import wire
from service.upstream.retry import retry_after

_MISSING = "RESOURCE_DOES_NOT_EXIST"
_EXISTS = "RESOURCE_ALREADY_EXISTS"


class Missing(errors.UpstreamRefused):
    """MLflow says that the thing asked for does not exist."""


class AlreadyExists(errors.UpstreamRefused):
    """MLflow says that the thing to be created exists."""


class Forbidden(errors.UpstreamAuth):
    """MLflow forbids this call; whether it refuses the account altogether, the client finds out."""


def check(endpoint: str, status: int, headers: Mapping[str, str], body: wire.Body) -> None:
    """Raise what a status that is not 200 means (mlflow/exceptions.py has MLflow's codes)."""
    if status == HTTPStatus.OK:
        return
    code = wire.read_error_code(body)
    wanted = retry_after(headers.get("Retry-After", ""))
    said = f"{endpoint}: status {status} {code}".rstrip()
    if status == HTTPStatus.NOT_FOUND and code == _MISSING:
        raise Missing(said)
    if code == _EXISTS:
        raise AlreadyExists(said)
    if status == HTTPStatus.FORBIDDEN:
        raise Forbidden(said)
    if status == HTTPStatus.UNAUTHORIZED:
        raise errors.UpstreamAuth(said)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise errors.UpstreamUnavailable(said, wanted)
    if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
        raise errors.UpstreamRefused(said)
    raise errors.UpstreamError(said, wanted)


def judge(error: errors.UpstreamFailure) -> tuple[bool | None, str]:
    """Whether MLflow is well, None where the failure does not tell, and what came of the call in a word."""
    if isinstance(error, errors.UpstreamNotAsked):
        return None, "breaker_open"
    if isinstance(error, errors.UpstreamRefused):
        return True, "refused"
    if isinstance(error, errors.UpstreamAuth):
        return True, error.code  # it answers: the breaker is for an MLflow that does not
    if isinstance(error, errors.UpstreamUnavailable):
        return None, error.code
    return False, error.code
