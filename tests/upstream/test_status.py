"""What MLflow's answers mean, by their status, headers and body."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

import pytest

from service import errors
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
from service.upstream.status import raise_for_status, retry_after, unreadable
from service.upstream.wire import WireError, read_run
from service.upstream.wording import Mask

NO_MASK = Mask({})
NOW = datetime(2026, 10, 21, 7, 28, 0, tzinfo=UTC)
PAGE = b"<!doctype html><html><head><title>Sign in to Example</title></head></html>"
HTML = {"Content-Type": "text/html; charset=utf-8"}
TEXT = {"Content-Type": "text/plain"}


def mlflows(code: str) -> bytes:
    return json.dumps({"error_code": code, "message": "words"}).encode()


class Case(NamedTuple):
    status: int
    body: bytes
    headers: Mapping[str, str]
    kind: type[errors.UpstreamFailure]
    cause: str


CASES = {
    "missing": Case(
        404, mlflows("RESOURCE_DOES_NOT_EXIST"), {}, Missing, "404 RESOURCE_DOES_NOT_EXIST: 'words'"
    ),
    "exists": Case(400, mlflows("RESOURCE_ALREADY_EXISTS"), {}, AlreadyExists, "400 RESOURCE_ALREADY_EXISTS"),
    "refused": Case(400, mlflows("BAD_REQUEST"), {}, errors.UpstreamRefused, "'words'"),
    "a value is not allowed": Case(400, mlflows("INVALID_PARAMETER_VALUE"), {}, Invalid, "'words'"),
    "no such endpoint": Case(404, mlflows("ENDPOINT_NOT_FOUND"), {}, UnknownEndpoint, "404"),
    "MLflow has no such endpoint": Case(404, PAGE, HTML, NoEndpoint, "404: a web page"),
    "or not with this method": Case(405, PAGE, HTML, NoEndpoint, "405: a web page"),
    "GitLab refuses": Case(
        400, b'{"error": "order_by is invalid"}', {}, errors.UpstreamRefused, "400: 'order_by is invalid'"
    ),
    "Traefik without a backend": Case(
        404, b"404 page not found\n", TEXT, NoEndpoint, "404: '404 page not found'"
    ),
    "Kong without a route": Case(
        404, b'{"message": "no Route matched with those values"}', {}, NoEndpoint, "404: 'no Route matched"
    ),
    "nginx's 404": Case(404, PAGE, HTML, NoEndpoint, "404: a web page, 'Sign in to Example'"),
    "a firewall's page": Case(406, PAGE, {}, NotMlflow, "406: a web page"),
    "basic-auth's 401": Case(401, b"You are not authenticated.", TEXT, errors.UpstreamAuth, "'You are not"),
    "basic-auth's 403": Case(403, b"Permission denied", TEXT, Forbidden, "403: 'Permission denied'"),
    "403 in JSON": Case(403, mlflows("PERMISSION_DENIED"), {}, Forbidden, "403 PERMISSION_DENIED: 'words'"),
    "a redirect": Case(
        302,
        b"",
        {"Location": "https://ada:pw@sso.example.com:8443/login?state=s3cret#top"},
        NotMlflow,
        "302, redirects to https://sso.example.com:8443/login",
    ),
    "a redirect on the same host": Case(
        308, b"", {"Location": "/mlflow/?a=1"}, NotMlflow, "redirects to /mlflow/"
    ),
    "a redirect to nowhere": Case(301, b"", {"Location": "http://[x"}, NotMlflow, "an invalid address"),
    "not modified": Case(304, b"", {}, NotMlflow, "status 304"),
    "no content": Case(204, b"", {}, NotMlflow, "status 204"),
    "too many": Case(429, b"slow down", {"Retry-After": "7"}, errors.UpstreamUnavailable, "429: 'slow down'"),
    "MLflow failed at it": Case(
        500, mlflows("INTERNAL_ERROR"), {}, QuestionFailed, "INTERNAL_ERROR: 'words'"
    ),
    "MLflow lost data": Case(500, mlflows("DATA_LOSS"), {}, QuestionFailed, "DATA_LOSS"),
    "MLflow cannot do it": Case(501, mlflows("NOT_IMPLEMENTED"), {}, QuestionFailed, "501"),
    "MLflow's database is gone": Case(
        503, mlflows("TEMPORARILY_UNAVAILABLE"), {}, errors.UpstreamError, "503"
    ),
    "the same as a 500": Case(500, mlflows("TEMPORARILY_UNAVAILABLE"), {}, errors.UpstreamError, "500"),
    "MLflow crashed": Case(500, PAGE, HTML, errors.UpstreamError, "500: a web page"),
    "a bad gateway": Case(502, b"", {}, errors.UpstreamError, "status 502"),
    "a proxy that gave up": Case(408, b"", {}, errors.UpstreamError, "status 408"),
}


@pytest.mark.parametrize("name", CASES)
def test_raises_what_an_answer_means(name: str) -> None:
    """Status, headers and body decide about the failure; its cause quotes the answer, its detail does not."""
    case = CASES[name]
    with pytest.raises(errors.UpstreamFailure) as caught:
        raise_for_status("runs/get", case.status, case.headers, case.body, NO_MASK)
    assert case.kind is type(caught.value)
    assert caught.value.cause.startswith(f"runs/get: status {case.status}")
    assert case.cause in caught.value.cause
    for secret in ("words", "Sign in", "sso", "s3cret"):
        assert secret not in caught.value.detail
    assert "s3cret" not in caught.value.cause


@pytest.mark.parametrize(
    ("body", "headers", "kind"),
    [
        (PAGE, HTML, NotMlflow),
        (PAGE, {"Content-Type": "application/json"}, NotMlflow),
        (b"{}", HTML, NotMlflow),
        (b'{"run": {"info": {"run_id": "a', {}, errors.UpstreamError),
        (b"", {}, errors.UpstreamError),
        (b"\xff\xfe", {}, errors.UpstreamError),
        (b"{}", {}, WrongShape),
        (b'{"run": null}', {}, WrongShape),
        (b"[]", {}, WrongShape),
    ],
)
def test_tells_unreadable_answers_apart(
    body: bytes, headers: Mapping[str, str], kind: type[Exception]
) -> None:
    """A web page is not MLflow's, JSON of another shape would repeat, anything else may be an accident."""
    with pytest.raises(WireError) as caught:
        read_run(body)
    assert kind is type(unreadable("runs/get", headers, body, caught.value, NO_MASK))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 0),
        ("0", 0),
        ("7", 7),
        (" 7 ", 7),
        ("3600", 60),
        ("9" * 5_000, 60),
        ("-1", 0),
        ("1.5", 0),
        ("٣", 0),
        ("soon", 0),
        ("Wed, 21 Oct 2026 07:28:30 GMT", 30),
        ("Wed, 21 Oct 2026 07:28:30 -0000", 30),
        ("Wed, 21 Oct 2026 09:28:05 +0200", 5),
        ("Wed, 21 Oct 2026 07:00:00 GMT", 0),
        ("Wed, 21 Oct 2027 07:00:00 GMT", 60),
        ("Wed, 21 Oct 99999999999999999999 07:00:00 GMT", 0),
        ("Wed, 21 Oct 2026 07:00:00 +99999999999999999999", 0),
    ],
)
def test_reads_retry_after(text: str, expected: int) -> None:
    """The header holds seconds or a date, and counts up to a minute; any other text counts as 0."""
    assert expected == retry_after(text, NOW)
