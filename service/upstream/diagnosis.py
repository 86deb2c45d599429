"""What an operator can do about what answers in MLflow's place, or as MLflow, and is of no use. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import NamedTuple

from yarl import URL

from service.upstream.probe import Seen
from service.upstream.unreachable import URI, Place, of_proxy

_CREDENTIALS = "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
_API = "/api/2.0/mlflow/"
_LOGIN = re.compile(r"log.?in|sign.?in|/auth|oauth|sso|password|authorize", re.IGNORECASE)
_SPOKEN_TO_TLS = re.compile(r"plain HTTP request was sent to HTTPS|HTTP request to an HTTPS", re.IGNORECASE)


class Look(NamedTuple):
    """What was seen. api, health: below the address. root: the API at the root of its host.

    is_tls: whether TLS is spoken at an address of http://….
    """

    api: Seen | None = None
    health: Seen | None = None
    root: Seen | None = None
    is_tls: bool = False


def of_answer(look: Look, place: Place) -> list[str]:
    """What to do about what answered, in lines."""
    if look.is_tls or (look.api is not None and _SPOKEN_TO_TLS.search(look.api.text)):
        return [f"TLS is spoken there: set {URI}={place.with_scheme('https')}"]
    if look.api is None:
        return [f"is {URI} right, and does this host reach it? {place.try_it}"]
    if place.workspace and (said := _of_workspace(look.api, place.workspace)):
        return [said]
    if HTTPStatus.MULTIPLE_CHOICES <= look.api.status < HTTPStatus.BAD_REQUEST:
        return [_of_redirect(look.api, place)]
    if look.api.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return list(_of_refusal(look.api, place))
    return [_of_failure(look, look.api, place)]


def _of_workspace(api: Seen, workspace: str) -> str:
    if api.code == "FEATURE_DISABLED":
        return "this MLflow has no workspaces: unset MLFLOW_WORKSPACE"
    if api.code and "orkspace" in api.text:
        return f"does the workspace {workspace!r} exist, and may the service read it? see MLFLOW_WORKSPACE"
    return ""


def _of_redirect(api: Seen, place: Place) -> str:
    try:
        target = place.url.join(URL(api.location))
    except ValueError:
        return f"it redirects to an address that is none: is {URI} right? {place.try_it}"
    shown = str(target.with_query(None).with_fragment(None).with_user(None))
    base, is_api, _ = shown.partition(_API)
    if is_api:
        return f"it redirects to another address: set {URI}={base}"
    return (
        f"it redirects to {shown}, no API: if that is a login, set {_CREDENTIALS}, if it takes them, "
        f"or set {URI} to the address of MLflow itself"
    )


def _of_refusal(api: Seen, place: Place) -> Iterator[str]:
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


def _of_failure(look: Look, api: Seen, place: Place) -> str:
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
        cause = ", as from MLflow 2.17 on with --static-prefix" if _is_well(look.health) else ""
        return f"MLflow's API is not below {path}{cause}: set {URI}={place.url.origin()}"
    if _is_well(look.health):
        return f"MLflow's health answers there, and not its API: is {_API} let through?"
    if path:
        return f"is the path {path} right? {place.try_it}"
    return f"is MLflow behind a prefix? then {URI} ends in it; is it MLflow at all? {place.try_it}"


def _of_server_error(api: Seen, place: Place) -> str:
    if api.status == HTTPStatus.INTERNAL_SERVER_ERROR or api.code:
        return f"MLflow's own log says why; {place.try_it}"
    if place.proxy and place.url.scheme == "http":
        return f"is that MLflow, or the proxy {place.proxy}, which does not reach it? {place.around}"
    return f"what stands before MLflow may not reach it: is MLflow running? {place.try_it}"


def _is_page(seen: Seen) -> bool:
    return "html" in seen.content_type or seen.text.lstrip()[:1] == "<"


def _is_api(seen: Seen | None) -> bool:
    """Whether MLflow's API is there, be it that it refuses."""
    return seen is not None and (
        bool(seen.code)
        or (seen.status == HTTPStatus.OK and "json" in seen.content_type)
        or seen.status == HTTPStatus.UNAUTHORIZED
    )


def _is_well(seen: Seen | None) -> bool:
    return seen is not None and seen.status == HTTPStatus.OK and not _is_page(seen)
