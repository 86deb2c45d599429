"""What an operator can do about an answer, of MLflow or of something else, that is of no use. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import NamedTuple

from yarl import URL

from service.upstream.probe import RawAnswer
from service.upstream.unreachable import URI, Place, of_proxy

_CREDENTIALS = "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
_API = "/api/2.0/mlflow/"
_LOGIN = re.compile(r"log.?in|sign.?in|/auth|oauth|sso|password|authorize", re.IGNORECASE)
_SPOKEN_TO_TLS = re.compile(r"plain HTTP request was sent to HTTPS|HTTP request to an HTTPS", re.IGNORECASE)


class Look(NamedTuple):
    """What answered, None for nothing.

    api, health: the API and /health below the address. root: the API at the root of its host. is_tls: whether
    a server at an http:// address speaks TLS.
    """

    api: RawAnswer | None = None
    health: RawAnswer | None = None
    root: RawAnswer | None = None
    is_tls: bool = False


def of_answer(look: Look, place: Place) -> list[str]:
    """What to do about it, in lines."""
    if look.is_tls or (look.api is not None and _SPOKEN_TO_TLS.search(look.api.text)):
        return [f"TLS is spoken there: set {URI}={place.with_scheme('https')}"]
    if look.api is None:
        return [f"is {URI} right, and does this host reach it? {place.try_it}"]
    if place.workspace and (hint := _of_workspace(look.api, place.workspace)):
        return [hint]
    if HTTPStatus.MULTIPLE_CHOICES <= look.api.status < HTTPStatus.BAD_REQUEST:
        return [_of_redirect(look.api, place)]
    if look.api.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return list(_of_refusal(look.api, place))
    return [_of_failure(look, look.api, place)]


def _of_workspace(api: RawAnswer, workspace: str) -> str:
    if api.code == "FEATURE_DISABLED":
        return "this MLflow has no workspaces: unset MLFLOW_WORKSPACE"
    if api.code and "orkspace" in api.text:
        return f"does the workspace {workspace!r} exist, and may the service read it? see MLFLOW_WORKSPACE"
    return ""


def _of_redirect(api: RawAnswer, place: Place) -> str:
    try:
        target = place.url.join(URL(api.location))
    except ValueError:
        return f"it redirects to an invalid address: is {URI} right? {place.try_it}"
    address = str(target.with_query(None).with_fragment(None).with_user(None))
    base, is_api, _ = address.partition(_API)
    if is_api:
        return f"it redirects to another address: set {URI}={base}"
    return (
        f"it redirects to {address}, no API: if that is a login, set {_CREDENTIALS}, if it takes them, "
        f"or set {URI} to the address of MLflow itself"
    )


def _of_refusal(api: RawAnswer, place: Place) -> Iterator[str]:
    if "Invalid Host header" in api.text:
        name = place.url.authority
        yield f"MLflow is not to be called {name}: start it with --allowed-hosts {name},"
        yield "or with that name in MLFLOW_SERVER_ALLOWED_HOSTS"
    elif api.status == HTTPStatus.UNAUTHORIZED:
        scheme = re.match(r"\w+", api.challenge)
        yield f"set {_CREDENTIALS}{f'; it asks for {scheme[0]}' if scheme else ''}"
    else:
        yield f"may this user read experiments? set {_CREDENTIALS};"
        yield ("a 403 may also mean that MLflow does not know this host: see its MLFLOW_SERVER_ALLOWED_HOSTS")


def _of_failure(look: Look, api: RawAnswer, place: Place) -> str:
    if api.status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        return of_proxy(api.status, place)
    if api.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _of_server_error(api, place)
    if api.status == HTTPStatus.NOT_FOUND and not api.code:
        return _of_wrong_path(look, place)
    if not _is_page(api):
        return f"is {URI} right, and is that an MLflow? {place.try_it}"
    if _LOGIN.search(api.text):
        return (
            f"a web page with a login answers there: set {_CREDENTIALS}, if it takes them, or set {URI} to "
            "the address of MLflow itself"
        )
    return f"a web page answers there, and no API: is {URI} the address of MLflow? {place.try_it}"


def _of_wrong_path(look: Look, place: Place) -> str:
    path = place.url.path.rstrip("/")
    if path and _is_api(look.root):
        cause = ", as from MLflow 2.17 on with --static-prefix" if _is_healthy(look.health) else ""
        return f"MLflow's API is not below {path}{cause}: set {URI}={place.url.origin()}"
    if _is_healthy(look.health):
        return f"MLflow's health answers there, and not its API: is {_API} let through?"
    if path:
        return f"is the path {path} right? {place.try_it}"
    return f"is MLflow behind a prefix? then {URI} ends in it; is it MLflow at all? {place.try_it}"


def _of_server_error(api: RawAnswer, place: Place) -> str:
    if api.status == HTTPStatus.INTERNAL_SERVER_ERROR or api.code:
        return f"MLflow's own log says why; {place.try_it}"
    if place.proxy and place.url.scheme == "http":
        return f"is that MLflow, or the proxy {place.proxy}, which does not reach it? {place.around}"
    return f"what stands before MLflow may not reach it: is MLflow running? {place.try_it}"


def _is_page(answer: RawAnswer) -> bool:
    return "html" in answer.content_type or answer.text.lstrip()[:1] == "<"


def _is_api(answer: RawAnswer | None) -> bool:
    """Whether MLflow's API answered, even if it refused the request."""
    return answer is not None and (
        bool(answer.code)
        or (answer.status == HTTPStatus.OK and "json" in answer.content_type)
        or answer.status == HTTPStatus.UNAUTHORIZED
    )


def _is_healthy(answer: RawAnswer | None) -> bool:
    return answer is not None and answer.status == HTTPStatus.OK and not _is_page(answer)
