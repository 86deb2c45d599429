"""What the log says of tokens that are refused, for an operator to see why nobody gets in."""

import pytest

from service.auth.tokens import Tokens
from service.errors import Forbidden, Unauthenticated
from tests.auth.issuer import AUDIENCE, ISSUER, Issuer, assembled, signing
from tests.auth.telling import Keys, bearing, telling
from tests.cache.scripted import Clock

Caplog = pytest.LogCaptureFixture


async def refused(tokens: Tokens, token: str) -> str:
    """What the caller reads."""
    with pytest.raises(Unauthenticated) as caught:
        await tokens(bearing(token))
    return caught.value.detail


async def test_the_issuer_and_the_audience(issuer: Issuer, keys: Keys, clock: Clock, caplog: Caplog) -> None:
    """The log says what a token has and what was expected; the caller reads the claim's name only."""
    caplog.set_level("INFO")
    tokens = telling(keys, clock)
    assert "The token is from somebody else (iss)." == await refused(tokens, issuer.token(iss=f"{ISSUER}/"))
    assert "The token is for somebody else (aud)." == await refused(tokens, issuer.token(aud=["account"]))
    of_issuer, of_audience = caplog.messages
    assert of_issuer == (
        f"refused: The token is from somebody else (iss). Its iss is '{ISSUER}/', and "
        f"TRACKING_AUTH__ISSUER is '{ISSUER}'. They differ by a slash at the end."
    )
    assert of_audience == (
        "refused: The token is for somebody else (aud). Its aud is \"['account']\", and "
        f"TRACKING_AUTH__AUDIENCE is '{AUDIENCE}'."
    )


async def test_what_a_stranger_writes(issuer: Issuer, keys: Keys, clock: Clock, caplog: Caplog) -> None:
    """Claims without the issuer's signature, names of keys and algorithms are not in the log."""
    caplog.set_level("INFO")
    sign = signing("RS256", issuer.keys.stranger)
    for head in ({"alg": "RS256", "kid": "rsa"}, {"alg": "attack", "kid": "attack"}):
        token = assembled(head, issuer.claims(iss="attack", aud="attack"), sign)
        await refused(telling(keys, clock), token)
    assert 2 == len(caplog.messages)
    assert "attack" not in caplog.text


async def test_a_flood(issuer: Issuer, keys: Keys, clock: Clock, caplog: Caplog) -> None:
    """However many tokens are refused, a reason is one line a minute, which tells of the others."""
    caplog.set_level("INFO")
    tokens, token = telling(keys, clock), issuer.token(aud="another")
    for _ in range(100):
        await refused(tokens, token)
    await refused(tokens, issuer.token(iss="another"))
    assert 2 == len(caplog.messages)
    clock.tick(61.0)
    for _ in range(100):
        await refused(tokens, token)
    assert 3 == len(caplog.messages)
    assert caplog.messages[-1].endswith("99 others were refused for that since the last such line.")


async def test_a_scope(issuer: Issuer, keys: Keys, clock: Clock, caplog: Caplog) -> None:
    """The log says what a token grants and what it should."""
    caplog.set_level("INFO")
    tokens = Tokens(keys, issuer=ISSUER, audience=AUDIENCE, scope="runs:read", clock=clock)
    with pytest.raises(Forbidden):
        await tokens(bearing(issuer.token(scope="openid email")))
    assert ["It grants 'email openid', and TRACKING_AUTH__SCOPE is 'runs:read'."] == [
        line.partition("runs. ")[2] for line in caplog.messages
    ]
