"""What the log says of refused tokens, so that an operator sees why."""

import pytest

from service.auth.tokens import Tokens
from service.errors import Forbidden, Unauthenticated
from tests.auth.identifying import Keys, bearing, identifying
from tests.auth.issuer import AUDIENCE, ISSUER, Issuer, assembled, signing
from tests.cache.scripted import Clock

Caplog = pytest.LogCaptureFixture


async def refused(tokens: Tokens, token: str) -> str:
    """The detail that the caller reads."""
    with pytest.raises(Unauthenticated) as caught:
        await tokens(bearing(token))
    return caught.value.detail


async def test_logs_a_wrong_issuer_or_audience(
    issuer: Issuer, keys: Keys, clock: Clock, caplog: Caplog
) -> None:
    """The log has the wrong and the expected value; the caller reads only the name of the claim."""
    caplog.set_level("INFO")
    tokens = identifying(keys, clock)
    assert "The token is from another issuer (iss)." == await refused(tokens, issuer.token(iss=f"{ISSUER}/"))
    assert "The token is for another audience (aud)." == await refused(tokens, issuer.token(aud=["account"]))
    of_issuer, of_audience = caplog.messages
    assert of_issuer == (
        f"refused: The token is from another issuer (iss). Its iss is '{ISSUER}/', and "
        f"TRACKING_AUTH__ISSUER is '{ISSUER}'. They differ by a slash at the end."
    )
    assert of_audience == (
        "refused: The token is for another audience (aud). Its aud is \"['account']\", and "
        f"TRACKING_AUTH__AUDIENCE is '{AUDIENCE}'."
    )


async def test_logs_nothing_that_a_stranger_wrote(
    issuer: Issuer, keys: Keys, clock: Clock, caplog: Caplog
) -> None:
    """Claims without a valid signature, key ids and algorithms are not logged."""
    caplog.set_level("INFO")
    sign = signing("RS256", issuer.keys.stranger)
    for head in ({"alg": "RS256", "kid": "rsa"}, {"alg": "attack", "kid": "attack"}):
        token = assembled(head, issuer.claims(iss="attack", aud="attack"), sign)
        await refused(identifying(keys, clock), token)
    assert 2 == len(caplog.messages)
    assert "attack" not in caplog.text


async def test_logs_each_reason_once_a_minute(
    issuer: Issuer, keys: Keys, clock: Clock, caplog: Caplog
) -> None:
    """Each reason is logged once a minute at most, with the number of refusals in between."""
    caplog.set_level("INFO")
    tokens, token = identifying(keys, clock), issuer.token(aud="another")
    for _ in range(100):
        await refused(tokens, token)
    await refused(tokens, issuer.token(iss="another"))
    assert 2 == len(caplog.messages)
    clock.tick(61.0)
    for _ in range(100):
        await refused(tokens, token)
    assert 3 == len(caplog.messages)
    assert caplog.messages[-1].endswith("99 more were refused for this reason since the last such line.")


async def test_logs_a_missing_scope(issuer: Issuer, keys: Keys, clock: Clock, caplog: Caplog) -> None:
    """The log says which scopes a token grants and which are required."""
    caplog.set_level("INFO")
    tokens = Tokens(keys, issuer=ISSUER, audience=AUDIENCE, scope="runs:read", clock=clock)
    with pytest.raises(Forbidden):
        await tokens(bearing(issuer.token(scope="openid email")))
    assert ["It grants 'email openid', and TRACKING_AUTH__SCOPE is 'runs:read'."] == [
        line.partition("runs. ")[2] for line in caplog.messages
    ]
