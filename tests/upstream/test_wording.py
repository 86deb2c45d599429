"""How an answer is quoted in the operator's log."""

import base64
import json
from collections.abc import Mapping
from urllib.parse import quote

import pytest

from service.upstream.access import authorization
from service.upstream.wording import Mask, destination, words

SECRET = 'p&"s/ 1='  # noqa: S105 - it opens nothing
PAIR = base64.b64encode(f"ada:{SECRET}".encode()).decode()
HTML = {"Content-Type": "text/html"}


def said(body: bytes, headers: Mapping[str, str] | None = None) -> str:
    return words(headers or {}, body, Mask({}))


@pytest.mark.parametrize(
    ("body", "headers", "expected"),
    [
        (b'{"error_code": "X", "message": "Metric a is malformed"}', {}, "'Metric a is malformed'"),
        (b'{"error": "order_by is invalid"}', {}, "'order_by is invalid'"),
        (b'{"detail": "Not Found"}', {}, "'Not Found'"),
        (b'{"message": 5, "error": null}', {}, ""),
        (b"{}", {}, ""),
        (b"404 page not found\n", {}, "'404 page not found'"),
        (b"", {}, ""),
        (b"<title>\n  Sign in &amp; on\n</title>", HTML, "a web page, 'Sign in & on'"),
        (b"  <html><body>hello", {}, "a web page"),
        (b"OK", HTML, "a web page"),
        (b"a\x00\x1b[31m\r\nb", {}, r"'a\x00\x1b[31m b'"),
        ('{"message": "\u202eGr\u00fc\u00dfe"}'.encode(), {}, "'\\u202eGrüße'"),
        (b"\xff\xfe", {}, "'\ufffd\ufffd'"),
    ],
)
def test_quotes_a_message_a_title_or_a_text(body: bytes, headers: Mapping[str, str], expected: str) -> None:
    """An answer is quoted on one line, with control characters escaped."""
    assert expected == said(body, headers)


def test_shortens_long_texts() -> None:
    """At most 300 characters of an answer are quoted."""
    assert 302 == len(said(json.dumps({"message": "x" * 100_000}).encode()))
    assert 302 == len(said(b"y" * 100_000))
    assert len(said(b"<title>" + b"z" * 5_000 + b"</title>", HTML)) < 320


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("https://sso.example.com/login?state=1#x", "https://sso.example.com/login"),
        ("https://ada:pw@sso/", "https://sso/"),
        ("//sso/login?x", "//sso/login"),
        ("/login?next=/api", "/login"),
        ("https://h/a\r\nSet-Cookie: x", "https://h/aSet-Cookie:%20x"),
        ("http://h:99999999/", "an invalid address"),
    ],
)
def test_shows_where_a_redirect_leads(location: str, expected: str) -> None:
    """The destination of a redirect is shown without its query, fragment and user."""
    assert expected == destination(location, Mask({}))


@pytest.mark.parametrize(
    "echo",
    [
        f"Basic {PAIR}",
        PAIR,
        PAIR.rstrip("="),
        f"ada:{SECRET}",
        f"password {SECRET} is wrong",
        f"/login/{quote(SECRET, safe='')}",
        f"/login/{quote(SECRET)}",
        "x" * 290 + PAIR,
    ],
)
def test_masks_basic_credentials(echo: str) -> None:
    """An answer that repeats the credentials does not get them into the log, in none of their encodings."""
    mask = Mask(authorization("ada", SECRET, None))
    for body in (echo.encode(), json.dumps({"message": echo}).encode(), f"<title>{echo}</title>".encode()):
        text = words({}, body, mask)
        for secret in (PAIR.rstrip("="), PAIR[:12], SECRET, quote(SECRET), quote(SECRET, safe="")):
            assert secret not in text


def test_masks_a_token() -> None:
    """A bearer token is masked; without credentials nothing is changed."""
    mask = Mask(authorization(None, None, "t0ken"))
    assert "'got Bearer ***'".replace("Bearer ***", "***") == words({}, b"got Bearer t0ken", mask)
    assert "/oauth/***" == destination("/oauth/t0ken", mask)
    assert "'got Bearer t0ken'" == said(b"got Bearer t0ken")
