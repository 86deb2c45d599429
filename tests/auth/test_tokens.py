"""Tokens: how long one that was found good is believed, and what its bearer is called."""

import time
from typing import Any

import pytest

from service.auth.key_sets import KeyUrl
from service.errors import AuthUnavailable, Unauthenticated
from tests.auth.issuer import AUDIENCE, Issuer, assembled, public_jwk, signing
from tests.auth.telling import Keys, bearing, telling
from tests.cache.scripted import Clock
from tests.fakes.faults import answering


class TestMemory:
    async def test_a_token_is_checked_once(self, issuer: Issuer, keys: Keys, clock: Clock) -> None:
        """A token that was found good is not checked again while it lasts."""
        tokens, headers = telling(keys, clock), bearing(issuer.token())
        for _ in range(3):
            assert "ada" == await tokens(headers)
            clock.tick(100.0)
        assert 1 == len(keys.asked)

    async def test_it_ends(self, issuer: Issuer, keys: Keys, clock: Clock) -> None:
        """It is refused from its end on, give or take the leeway, though it is remembered."""
        tokens, headers = telling(keys, clock), bearing(issuer.token(exp=int(clock.now) + 600))
        assert "ada" == await tokens(headers)
        clock.tick(608.0)
        assert "ada" == await tokens(headers)
        clock.tick(3.0)
        with pytest.raises(Unauthenticated, match="The token has expired"):
            await tokens(headers)

    async def test_the_keys_change(self, issuer: Issuer, keys: Keys, clock: Clock) -> None:
        """With other keys every token is checked anew."""
        tokens, headers = telling(keys, clock), bearing(issuer.token())
        await tokens(headers)
        keys.edition += 1
        await tokens(headers)
        assert 2 == len(keys.asked)

    async def test_one_that_is_not_good_is_not_remembered(
        self, issuer: Issuer, keys: Keys, clock: Clock
    ) -> None:
        """What was refused is checked each time."""
        tokens, headers = telling(keys, clock), bearing(issuer.token(aud="another"))
        for _ in range(3):
            with pytest.raises(Unauthenticated):
                await tokens(headers)
        assert 3 == len(keys.asked)

    async def test_it_is_bounded(self, issuer: Issuer, keys: Keys, clock: Clock) -> None:
        """So many tokens are remembered, and the oldest is forgotten for one more."""
        tokens = telling(keys, clock, most_known=3)
        given = [bearing(issuer.token(sub=str(number))) for number in range(4)]
        for headers in given:
            await tokens(headers)
        assert 3 == len(tokens._known)
        await tokens(given[3])
        assert 4 == len(keys.asked)
        await tokens(given[0])
        assert 5 == len(keys.asked)

    async def test_no_token_is_kept(self, issuer: Issuer, keys: Keys, clock: Clock) -> None:
        """What is remembered of a token is a digest, and none of its parts."""
        tokens, token = telling(keys, clock), issuer.token()
        await tokens(bearing(token))
        assert [] == [part for part in token.split(".") if part in repr(vars(tokens))]


class TestName:
    @pytest.mark.parametrize(
        ("claims", "expected"),
        [
            ({"sub": "ada"}, "ada"),
            ({"sub": None, "client_id": "ci"}, "ci"),
            ({"sub": "", "azp": "ci"}, "ci"),
            ({"sub": None, "client_id": 5}, "5"),
            ({"sub": 1017}, "1017"),
            ({"sub": 0, "client_id": "ci"}, "0"),
            ({"sub": True, "client_id": "ci"}, "ci"),
            ({"sub": ["ada"]}, "unnamed"),
            ({"sub": 10**400}, "1" + "0" * 63),
            ({"sub": None}, "unnamed"),
            ({"sub": "a\nb\u202e\ud800"}, "a?b??"),
            ({"sub": "x" * 65}, "x" * 64),
        ],
    )
    async def test_it_is_of_a_claim(
        self, issuer: Issuer, keys: Keys, clock: Clock, claims: dict[str, Any], expected: str
    ) -> None:
        """A caller is called by the subject, else by the client; what cannot stand in a log is left out."""
        assert expected == await telling(keys, clock)(bearing(issuer.token(**claims)))


@pytest.mark.parametrize("exp", [9_999_999_999, 9_999_999_999.5, 10**400])
async def test_a_token_that_lasts(issuer: Issuer, keys: Keys, clock: Clock, exp: float) -> None:
    """An end that is far away, and larger than any float, is an end as others."""
    assert "ada" == await telling(keys, clock)(bearing(issuer.token(exp=exp)))


@pytest.mark.parametrize("aud", [AUDIENCE, [AUDIENCE], ["another", AUDIENCE]])
async def test_a_token_for_several(issuer: Issuer, keys: Keys, clock: Clock, aud: object) -> None:
    """A token may be for others, too."""
    assert "ada" == await telling(keys, clock)(bearing(issuer.token(aud=aud)))


NOW = int(time.time())


@pytest.mark.parametrize(
    ("claims", "head"),
    [
        ({"nbf": None}, {}),
        ({"nbf": 0}, {}),  # Keycloak before 2.5
        ({"nbf": None, "iat": NOW, "jti": "a", "typ": "Bearer", "azp": "page"}, {}),  # Keycloak
        ({"nbf": None, "iat": NOW, "azp": "page", "scope": "openid"}, {"typ": "at+jwt"}),  # Auth0
        ({"nbf": None, "iat": NOW, "ver": 1, "cid": "page", "scp": ["openid"]}, {}),  # Okta
        ({"aud": None, "nbf": None, "token_use": "access", "client_id": AUDIENCE}, {}),  # Cognito
        ({"iat": NOW, "oid": "a", "tid": "b", "ver": "2.0"}, {"typ": "JWT"}),  # Entra
        ({"iat": float(NOW), "nbf": float(NOW)}, {"typ": "application/at+jwt"}),
        ({"jti": 17}, {}),
    ],
)
async def test_tokens_as_issuers_make_them(
    issuer: Issuer, keys: Keys, clock: Clock, claims: dict[str, Any], head: dict[str, Any]
) -> None:
    """A token that `exp` bounds, for this audience, is good, whatever else its issuer leaves out or adds."""
    token = assembled({"alg": "RS256", "kid": "rsa", **head}, issuer.claims(**claims), issuer.rs256)
    assert "ada" == await telling(keys, clock)(bearing(token))


class TestIssuer:
    async def test_both_algorithms(self, issuer: Issuer, clock: Clock) -> None:
        """Tokens of RS256 and ES256 are taken, each with the key that it names."""
        async with KeyUrl(issuer.url) as keys:
            tokens = telling(keys, clock)
            token = assembled({"alg": "ES256", "kid": "ec"}, issuer.claims(sub="eve"), issuer.es256)
            assert "eve" == await tokens(bearing(token))
            assert "ada" == await tokens(bearing(issuer.token()))
            assert 1 == issuer.fetches

    async def test_a_key_is_withdrawn(self, issuer: Issuer, clock: Clock) -> None:
        """Once the keys were renewed, a token of a key that is gone is refused, though it was good before."""
        ticking = Clock()
        async with KeyUrl(issuer.url, clock=ticking) as keys:
            tokens, headers = telling(keys, clock), bearing(issuer.token())
            assert "ada" == await tokens(headers)
            issuer.withdraw("rsa")
            ticking.tick(301.0)
            assert "ada" == await tokens(headers)
            assert keys._fetching is not None
            await keys._fetching
            with pytest.raises(Unauthenticated, match="key is not known"):
                await tokens(headers)

    async def test_a_key_is_replaced_under_its_id(self, issuer: Issuer, clock: Clock) -> None:
        """A new key of the same id takes the old one's tokens away, too."""
        ticking = Clock()
        async with KeyUrl(issuer.url, clock=ticking) as keys:
            tokens = telling(keys, clock)
            assert "ada" == await tokens(bearing(issuer.token()))
            issuer.withdraw("rsa")
            issuer.published.append(public_jwk(issuer.keys.stranger, kid="rsa"))
            ticking.tick(301.0)
            keys.renew_if_old()
            assert keys._fetching is not None
            await keys._fetching
            with pytest.raises(Unauthenticated, match="signature"):
                await tokens(bearing(issuer.token()))
            sign = signing("RS256", issuer.keys.stranger)
            assert "ada" == await tokens(
                bearing(assembled({"alg": "RS256", "kid": "rsa"}, issuer.claims(), sign))
            )

    async def test_it_is_unreachable(self, issuer: Issuer, clock: Clock) -> None:
        """For a day the old keys are good, for new tokens as well; then nobody is known."""
        ticking = Clock()
        async with KeyUrl(issuer.url, clock=ticking) as keys:
            tokens, remembered = telling(keys, clock), bearing(issuer.token())
            await tokens(remembered)
            issuer.before = answering(500)
            for _ in range(23):
                ticking.tick(3_600.0)
                assert "ada" == await tokens(remembered)
                assert "eve" == await tokens(bearing(issuer.token(sub="eve")))
            ticking.tick(3_601.0)
            with pytest.raises(AuthUnavailable):
                await tokens(remembered)
