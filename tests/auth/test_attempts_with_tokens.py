"""Attempts to get in where callers have tokens, over the served application and an issuer's real keys."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from tests.auth.attempts import Attempts, attempting, check_let_in, check_refused
from tests.auth.forgeries import FORGERIES, Forgery, strangers_key
from tests.auth.issuer import AUDIENCE, ISSUER, Issuer, assembled, signing
from tests.fakes.faults import answering
from tests.fakes.mlflow import FakeMlflow

pytestmark = pytest.mark.thorough

Caplog = pytest.LogCaptureFixture


def settings_for(issuer: Issuer, **more: Any) -> dict[str, Any]:
    """The settings of a service that takes this issuer's tokens."""
    return {"mode": "jwt", "jwks_url": issuer.url, "issuer": ISSUER, "audience": AUDIENCE, **more}


def bearing(token: str) -> str:
    """The line of a head that bears a token."""
    return f"Authorization: Bearer {token}"


@pytest.fixture
async def attempts(fake: FakeMlflow, issuer: Issuer) -> AsyncIterator[Attempts]:
    """The service for callers with tokens."""
    async with attempting(fake.url, bearing(issuer.token()), settings_for(issuer)) as made:
        yield made


async def test_a_token_lets_in(attempts: Attempts) -> None:
    """A token that the issuer signed for this service lets in."""
    check_let_in(await attempts(attempts.good))
    assert "ada" == attempts.answered[-1].caller


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
async def test_a_token_that_is_not_good_does_not(
    attempts: Attempts, issuer: Issuer, fake: FakeMlflow, forge: Forgery
) -> None:
    """Whatever is wrong with a token, it is a 401, also where keys are known and a good one was there."""
    check_let_in(await attempts(attempts.good))
    fake.calls.clear()
    check_refused(await attempts(bearing(forge(issuer))))
    assert [] == fake.calls
    assert attempts.answered[-1].caller is None


@pytest.mark.parametrize(
    "lines",
    [
        ["X-API-Key: {token}"],
        ["Authorization: JWT {token}"],
        ["Authorization: {token}"],
        ["Authorization: Bearer {token}", "Authorization: Bearer {token}"],
        ["Authorization: Bearer {token},Bearer {token}"],
        ["Cookie: access_token={token}"],
    ],
)
async def test_a_good_token_in_a_wrong_place(attempts: Attempts, issuer: Issuer, lines: list[str]) -> None:
    """A token is looked for in one place only, and there has to be one."""
    token = issuer.token()
    check_refused(await attempts(*(line.format(token=token) for line in lines)))


@pytest.mark.parametrize("name", ["jku", "x5u"])
@pytest.mark.parametrize("key_id", ["rsa", "theirs"])
async def test_an_address_in_the_head_of_a_token(
    attempts: Attempts, issuer: Issuer, name: str, key_id: str
) -> None:
    """Where a token says that its key is to be had is not looked at."""
    async with Issuer(issuer.keys).serve() as theirs:
        theirs.published = [strangers_key(issuer) | {"kid": key_id}]
        head = {"alg": "RS256", "kid": key_id, name: theirs.url}
        sign = signing("RS256", issuer.keys.stranger)
        check_refused(await attempts(bearing(assembled(head, issuer.claims(), sign))))
        assert 0 == theirs.fetches


async def test_a_flood_of_unknown_keys(attempts: Attempts, issuer: Issuer) -> None:
    """200 tokens at once that name 200 keys nobody knows make the service ask for the keys once at most."""
    check_let_in(await attempts(attempts.good))
    assert 1 == issuer.fetches
    sign = signing("RS256", issuer.keys.stranger)
    tokens = [
        assembled({"alg": "RS256", "kid": f"key-{number}"}, issuer.claims(), sign) for number in range(200)
    ]
    answers = await asyncio.gather(*(attempts(bearing(token)) for token in tokens))
    assert [401] * 200 == [answer.status for answer in answers]
    assert issuer.fetches <= 2
    check_let_in(await attempts(attempts.good))


class TestNoKeys:
    async def test_they_cannot_be_had(self, fake: FakeMlflow, issuer: Issuer, caplog: Caplog) -> None:
        """Where the issuer fails from the start nobody is known: 503, and when to ask again, but not why."""
        issuer.before = answering(500)
        good = bearing(issuer.token())
        auth = settings_for(issuer, open_metrics=True)
        async with attempting(fake.url, good, auth) as attempts:
            answer = await attempts(good)
            assert (503, "auth_unavailable") == (answer.status, answer.json["code"])
            assert "5" == answer.headers["Retry-After"]
            assert issuer.url.encode() not in answer.body
            assert "status 500" in caplog.text
            check_refused(await attempts())

    async def test_they_do_not_come_in_time(self, fake: FakeMlflow, issuer: Issuer, caplog: Caplog) -> None:
        """A caller who wants to wait for less has the answer while the issuer still thinks."""
        never = asyncio.Event()

        async def hang(_request: web.Request) -> None:
            await never.wait()

        issuer.before = hang
        good = bearing(issuer.token())
        auth = settings_for(issuer, open_metrics=True)
        async with attempting(fake.url, good, auth) as attempts:
            answer = await attempts(good, "X-Request-Timeout: 0")
            assert (503, "auth_unavailable") == (answer.status, answer.json["code"])
            assert "in time" in caplog.text


class TestScope:
    @pytest.mark.parametrize(
        "claims",
        [
            {"scope": "runs:read"},
            {"scope": "openid runs:read email"},
            {"scp": ["other", "runs:read"]},
            {"scp": "runs:read"},
            {"roles": ["runs:read"]},
        ],
    )
    async def test_it_is_granted(self, fake: FakeMlflow, issuer: Issuer, claims: dict[str, Any]) -> None:
        """A scope may stand in scope, scp or roles, as words or as a list."""
        good = bearing(issuer.token(**claims))
        async with attempting(fake.url, good, settings_for(issuer, scope="runs:read")) as attempts:
            check_let_in(await attempts(good))

    @pytest.mark.parametrize(
        "claims",
        [
            {},
            {"scope": ""},
            {"scope": "runs:readwrite"},
            {"scope": "runs"},
            {"scope": "RUNS:READ"},
            {"scp": ["runs:write"]},
            {"scope": {"runs:read": True}},
            {"permissions": ["runs:read"]},
        ],
    )
    async def test_it_is_not(self, fake: FakeMlflow, issuer: Issuer, claims: dict[str, Any]) -> None:
        """A caller who is known and lacks the scope is a 403, which says so, each time."""
        good = bearing(issuer.token(scope="runs:read"))
        without = bearing(issuer.token(**claims))
        async with attempting(fake.url, good, settings_for(issuer, scope="runs:read")) as attempts:
            for _ in range(2):
                answer = await attempts(without)
                assert (403, "forbidden") == (answer.status, answer.json["code"])
                assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]
            assert [] == fake.calls


async def test_the_times_of_a_token_are_taken_with_some_leeway(attempts: Attempts, issuer: Issuer) -> None:
    """The clocks of two machines differ by some seconds."""
    now = int(time.time())
    check_let_in(await attempts(bearing(issuer.token(nbf=now + 5, iat=now + 5))))


async def test_the_detail_says_what_is_wrong(attempts: Attempts, issuer: Issuer) -> None:
    """Whoever sends a token that has expired, say, reads that it has, and nothing of what it holds."""
    expected = {
        "expired": "The token has expired (exp).",
        "not valid yet": "The token is not valid yet (nbf).",
        "issued in the future": "The token is not valid yet (iat).",
        "no exp": "The token lacks the claim exp.",
        "no iss": "The token lacks the claim iss.",
        "no aud": "The token lacks the claim aud.",
        "exp a word": "The token's claim exp is not valid.",
        "nbf a word": "The token's claim nbf is not valid.",
        "iat a word": "The token's claim iat is not valid.",
        "another aud": "The token is for somebody else (aud).",
        "another iss": "The token is from somebody else (iss).",
        "iss a list": "The token is from somebody else (iss).",
        "RS512": "The token's algorithm is not accepted (alg).",
        "another key under a known kid": "The token's signature is not valid.",
        "kid 'unknown'": "The token's key is not known (kid).",
        "claims that are a list": "The token is not valid.",
        "a word": "This is no token.",
        "longer than any": "The token is too long.",
    }
    details = {name: (await attempts(bearing(FORGERIES[name](issuer)))).json["detail"] for name in expected}
    assert expected == details
    assert AUDIENCE not in json.dumps(details)
