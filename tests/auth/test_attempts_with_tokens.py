"""Attempts to get an answer where callers need tokens, with the real keys of an issuer."""

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
    """The settings of a service that accepts this issuer's tokens."""
    return {"mode": "jwt", "jwks_url": issuer.url, "issuer": ISSUER, "audience": AUDIENCE, **more}


def bearing(token: str) -> str:
    """The header line with a token."""
    return f"Authorization: Bearer {token}"


@pytest.fixture
async def attempts(fake: FakeMlflow, issuer: Issuer) -> AsyncIterator[Attempts]:
    """The service with authentication by tokens."""
    async with attempting(fake.url, bearing(issuer.token()), settings_for(issuer)) as made:
        yield made


async def test_accepts_a_valid_token(attempts: Attempts) -> None:
    """A token that the issuer signed for this service is accepted."""
    check_let_in(await attempts(attempts.good))
    assert "ada" == attempts.answered[-1].caller


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
async def test_rejects_forged_tokens(
    attempts: Attempts, issuer: Issuer, fake: FakeMlflow, forge: Forgery
) -> None:
    """An invalid token is answered 401, even if the keys are known and a valid token came before."""
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
async def test_rejects_a_token_in_another_place(attempts: Attempts, issuer: Issuer, lines: list[str]) -> None:
    """A valid token is accepted in one place only, and only once in a request."""
    token = issuer.token()
    check_refused(await attempts(*(line.format(token=token) for line in lines)))


@pytest.mark.parametrize("name", ["jku", "x5u"])
@pytest.mark.parametrize("key_id", ["rsa", "theirs"])
async def test_ignores_key_addresses_in_a_token(
    attempts: Attempts, issuer: Issuer, name: str, key_id: str
) -> None:
    """An address of keys in the header of a token is not fetched."""
    async with Issuer(issuer.keys).serve() as theirs:
        theirs.published = [strangers_key(issuer) | {"kid": key_id}]
        head = {"alg": "RS256", "kid": key_id, name: theirs.url}
        sign = signing("RS256", issuer.keys.stranger)
        check_refused(await attempts(bearing(assembled(head, issuer.claims(), sign))))
        assert 0 == theirs.fetches


async def test_a_flood_of_unknown_keys(attempts: Attempts, issuer: Issuer) -> None:
    """200 concurrent tokens with 200 unknown key ids cause at most one more fetch of the keys."""
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
    async def test_answers_503_without_keys(self, fake: FakeMlflow, issuer: Issuer, caplog: Caplog) -> None:
        """If the issuer fails from the start, callers get 503 with Retry-After, and no reason."""
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

    async def test_answers_503_at_the_callers_deadline(
        self, fake: FakeMlflow, issuer: Issuer, caplog: Caplog
    ) -> None:
        """A caller with a shorter deadline is answered while the fetch goes on."""
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
    async def test_accepts_a_granted_scope(
        self, fake: FakeMlflow, issuer: Issuer, claims: dict[str, Any]
    ) -> None:
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
    async def test_rejects_a_missing_scope(
        self, fake: FakeMlflow, issuer: Issuer, claims: dict[str, Any]
    ) -> None:
        """A valid token without the scope is answered 403 with a detail, each time."""
        good = bearing(issuer.token(scope="runs:read"))
        without = bearing(issuer.token(**claims))
        async with attempting(fake.url, good, settings_for(issuer, scope="runs:read")) as attempts:
            for _ in range(2):
                answer = await attempts(without)
                assert (403, "forbidden") == (answer.status, answer.json["code"])
                assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]
            assert [] == fake.calls


async def test_accepts_times_with_a_leeway(attempts: Attempts, issuer: Issuer) -> None:
    """The times of a token count with some seconds of leeway for different clocks."""
    now = int(time.time())
    check_let_in(await attempts(bearing(issuer.token(nbf=now + 5, iat=now + 5))))


async def test_the_detail_names_the_wrong_claim(attempts: Attempts, issuer: Issuer) -> None:
    """The detail of a 401 names the wrong claim, for example exp, and not its value."""
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
        "another aud": "The token is for another audience (aud).",
        "another iss": "The token is from another issuer (iss).",
        "iss a list": "The token is from another issuer (iss).",
        "RS512": "The token's algorithm is not accepted (alg).",
        "another key under a known kid": "The token's signature is not valid.",
        "kid 'unknown'": "The token's key is not known (kid).",
        "claims that are a list": "The token is not valid.",
        "a word": "The credential is not a token (JWT).",
        "longer than any": "The token is too long.",
    }
    details = {name: (await attempts(bearing(FORGERIES[name](issuer)))).json["detail"] for name in expected}
    assert expected == details
    assert AUDIENCE not in json.dumps(details)
