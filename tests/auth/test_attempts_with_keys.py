"""Attempts to get an answer where callers need API keys, over the served application."""

from base64 import b64encode
from collections.abc import AsyncIterator
from hashlib import sha256

import pytest

from service.auth.api_keys import new_key
from tests.auth.attempts import RUNS, Attempts, attempting, check_let_in, check_refused
from tests.fakes.mlflow import FakeMlflow

pytestmark = pytest.mark.thorough

KEY, LINE = new_key("ada")
OTHER = new_key("bob")
DIGEST = sha256(KEY.encode()).hexdigest()

GOOD = {
    "Bearer": [f"Authorization: Bearer {KEY}"],
    "X-API-Key": [f"X-API-Key: {KEY}"],
    "the second key": [f"X-API-Key: {OTHER.key}"],
    "header in small letters": [f"authorization: Bearer {KEY}"],
    "header in capitals": [f"AUTHORIZATION: Bearer {KEY}"],
    "X-API-Key in small letters": [f"x-api-key: {KEY}"],
    "X-API-Key in capitals": [f"X-API-KEY: {KEY}"],
    "scheme in small letters": [f"Authorization: bearer {KEY}"],
    "scheme in capitals": [f"Authorization: BEARER {KEY}"],
    "spaces around": [f"Authorization:   Bearer   {KEY}  "],
    "no space after the colon": [f"X-API-Key:{KEY}"],
}

BAD = {
    "no credential": [],
    "no value": ["Authorization:"],
    "no key": ["Authorization: Bearer"],
    "an empty key": ["Authorization: Bearer "],
    "an empty X-API-Key": ["X-API-Key: "],
    "the key without a scheme": [f"Authorization: {KEY}"],
    "Basic": [f"Authorization: Basic {b64encode(f'ada:{KEY}'.encode()).decode()}"],
    "Basic with the key as it is": [f"Authorization: Basic {KEY}"],
    "Token": [f"Authorization: Token {KEY}"],
    "ApiKey": [f"Authorization: ApiKey {KEY}"],
    "Digest": [f'Authorization: Digest username="ada", response="{DIGEST}"'],
    "no space after the scheme": [f"Authorization: Bearer{KEY}"],
    "a colon after the scheme": [f"Authorization: Bearer: {KEY}"],
    "a tab after the scheme": [f"Authorization: Bearer\t{KEY}"],
    "the scheme twice": [f"Authorization: Bearer Bearer {KEY}"],
    "the key twice in a line": [f"Authorization: Bearer {KEY}, Bearer {KEY}"],
    "two Authorization": [f"Authorization: Bearer {KEY}", f"Authorization: Bearer {KEY}"],
    "two Authorization, the first good": [f"Authorization: Bearer {KEY}", "Authorization: Bearer x"],
    "two Authorization, the second good": ["Authorization: Bearer x", f"Authorization: Bearer {KEY}"],
    "two X-API-Key": [f"X-API-Key: {KEY}", f"X-API-Key: {KEY}"],
    "two X-API-Key, one empty": ["X-API-Key:", f"X-API-Key: {KEY}"],
    "both headers": [f"Authorization: Bearer {KEY}", f"X-API-Key: {KEY}"],
    "both headers, one wrong": ["Authorization: Bearer x", f"X-API-Key: {KEY}"],
    "both headers, one empty": ["X-API-Key:", f"Authorization: Bearer {KEY}"],
    "the scheme in X-API-Key": [f"X-API-Key: Bearer {KEY}"],
    "the name": ["Authorization: Bearer ada"],
    "the digest": [f"Authorization: Bearer {DIGEST}"],
    "the digest in X-API-Key": [f"X-API-Key: {DIGEST}"],
    "the line that stands for the key": [f"Authorization: Bearer {LINE}"],
    "another key": [f"Authorization: Bearer {new_key('ada').key}"],
    "one letter less": [f"Authorization: Bearer {KEY[:-1]}"],
    "one letter less in front": [f"Authorization: Bearer {KEY[1:]}"],
    "one letter more": [f"Authorization: Bearer {KEY}A"],
    "other letters": [f"Authorization: Bearer {KEY.swapcase()}"],
    "a space inside": [f"Authorization: Bearer {KEY[:20]} {KEY[20:]}"],
    "in quotes": [f'Authorization: Bearer "{KEY}"'],
    "percent-encoded": [f"X-API-Key: %65{KEY[1:]}"],
    "a space that is not ASCII": [f"X-API-Key: {KEY}\u00a0"],
    "letters that are not ASCII": [f"Authorization: Bearer {KEY}é"],
    "bytes that are not UTF-8": ["Authorization: Bearer \udcff\udcfe"],
    "bytes that are not UTF-8 after the key": [f"X-API-Key: {KEY}\udcff"],
    "a scheme that is not ASCII": [f"Authorization: B\u0435arer {KEY}"],
    "the file's comment": ["X-API-Key: #"],
    "a star": ["X-API-Key: *"],
    "true": ["X-API-Key: true"],
    "null": ["Authorization: Bearer null"],
    "of 15,000 letters": [f"X-API-Key: {'A' * 15_000}"],
    "Proxy-Authorization": [f"Proxy-Authorization: Bearer {KEY}"],
    "X_API_Key": [f"X_API_Key: {KEY}"],
    "X-Forwarded-Authorization": [f"X-Forwarded-Authorization: Bearer {KEY}"],
    "a cookie": [f"Cookie: X-API-Key={KEY}; api_key={KEY}; Authorization=Bearer {KEY}"],
    "a user name of a proxy's": ["X-Forwarded-User: ada", "X-Remote-User: ada", "Remote-User: ada"],
    "from this machine, it says": ["X-Forwarded-For: 127.0.0.1", "X-Real-IP: 127.0.0.1"],
}


@pytest.fixture
async def attempts(fake: FakeMlflow) -> AsyncIterator[Attempts]:
    """The service with two API keys."""
    auth = {"mode": "api_key", "api_keys": f"{LINE}, {OTHER.line}"}
    async with attempting(fake.url, f"X-API-Key: {KEY}", auth) as made:
        yield made


@pytest.mark.parametrize("lines", GOOD.values(), ids=GOOD)
async def test_accepts_a_key_in_either_header(attempts: Attempts, lines: list[str]) -> None:
    """A key is accepted after Bearer or in X-API-Key, whatever the case of header and scheme."""
    check_let_in(await attempts(*lines))


@pytest.mark.parametrize("lines", BAD.values(), ids=BAD)
async def test_rejects_malformed_keys(attempts: Attempts, fake: FakeMlflow, lines: list[str]) -> None:
    """Any other header is answered 401, and MLflow is not asked."""
    check_refused(await attempts(*lines))
    assert [] == fake.calls
    check_let_in(await attempts(attempts.good))


@pytest.mark.parametrize("name", ["api_key", "access_token", "token", "key", "X-API-Key", "Authorization"])
async def test_ignores_a_key_in_the_query(attempts: Attempts, name: str) -> None:
    """A key in the query is ignored, because queries end up in logs and histories."""
    check_refused(await attempts(target=f"{RUNS}?{name}={KEY}"))


async def test_ignores_a_key_in_the_body(attempts: Attempts) -> None:
    """A key in a form is ignored."""
    body = f"access_token={KEY}"
    head = f"POST {RUNS}/compare HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: {len(body)}"
    form = "Content-Type: application/x-www-form-urlencoded"
    check_refused(await attempts.raw(f"{head}\r\n{form}\r\n\r\n{body}".encode()))


async def test_ignores_a_key_in_the_url(attempts: Attempts) -> None:
    """The user and password of an absolute URL are ignored."""
    check_refused(await attempts(target=f"http://ada:{KEY}@service{RUNS}"))


@pytest.mark.parametrize(
    "line",
    [f"X-API-Key : {KEY}", f" X-API-Key: {KEY}", f"X-API-Key: {KEY}\0", "X-API-Key"],
    ids=["a space before the colon", "a space before the name", "a NUL", "a name alone"],
)
async def test_rejects_malformed_header_lines(attempts: Attempts, line: str) -> None:
    """A malformed header line is answered 400, with any credential."""
    answer = await attempts(line)
    assert (400, "unreadable_request") == (answer.status, answer.json["code"])


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], "A credential is needed."),
        (["X-API-Key: "], "A credential is needed."),
        (["Authorization: Basic YTpi"], "The credential must be sent as Authorization: Bearer …"),
        (["X-API-Key: a", "X-API-Key: b"], "Several credentials were sent."),
    ],
)
async def test_challenges_a_request_without_credential(
    attempts: Attempts, lines: list[str], expected: str
) -> None:
    """Without a credential, the challenge has no error code (RFC 6750, 3.1)."""
    answer = await attempts(*lines)
    assert 'Bearer realm="experiment-tracking"' == answer.headers["WWW-Authenticate"]
    assert expected == answer.json["detail"]


async def test_challenges_a_request_with_an_unknown_key(attempts: Attempts) -> None:
    """With an unknown key, the challenge has the error code invalid_token."""
    answer = await attempts("X-API-Key: etk_wrong")
    assert 'Bearer realm="experiment-tracking", error="invalid_token"' == answer.headers["WWW-Authenticate"]
    assert "The API key is not known." == answer.json["detail"]
