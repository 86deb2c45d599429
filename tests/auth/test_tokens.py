"""Tokens: how long a valid one is remembered, and the name of its caller."""

import time
from typing import Any

import pytest

from service.auth.key_sets import KeyUrl
from service.errors import AuthUnavailable, Unauthenticated
from tests.auth.identifying import Keys, bearing, identifying
from tests.auth.issuer import AUDIENCE, Issuer, assembled, public_jwk, signing
from tests.cache.scripted import Clock
from tests.fakes.faults import answering


class TestMemory:
    async def test_checks_a_token_once(self, issuer: Issuer, keys: Keys, clock: Clock) -> None:
        """A valid token is not checked again before it expires."""
        tokens, headers = identifying(keys, clock), bearing(issuer.token())
        for _ in range(3):
            assert "ada" == await tokens(headers)
            clock.tick(100.0)
        assert 1 == len(keys.asked)

    async def test_rejects_a_remembered_token_after_its_end(
        self, issuer: Issuer, keys: Keys, clock: Clock
    ) -> None:
        """A remembered token is refused after its end and the leeway."""
        tokens, headers = identifying(keys, clock), bearing(issuer.token(exp=int(clock.now) + 600))
        assert "ada" == await tokens(headers)
        clock.tick(608.0)
        assert "ada" == await tokens(headers)
        clock.tick(3.0)
        with pytest.raises(Unauthenticated, match="The token has expired"):
            await tokens(headers)

    async def test_checks_tokens_again_after_new_keys(self, issuer: Issuer, keys: Keys, clock: Clock) -> None:
        """If the keys change, every token is checked again."""
        tokens, headers = identifying(keys, clock), bearing(issuer.token())
        await tokens(headers)
        keys.edition += 1
        await tokens(headers)
        assert 2 == len(keys.asked)

    async def test_remembers_no_invalid_token(self, issuer: Issuer, keys: Keys, clock: Clock) -> None:
        """An invalid token is checked each time."""
        tokens, headers = identifying(keys, clock), bearing(issuer.token(aud="another"))
        for _ in range(3):
            with pytest.raises(Unauthenticated):
                await tokens(headers)
        assert 3 == len(keys.asked)

    async def test_forgets_the_oldest_token(self, issuer: Issuer, keys: Keys, clock: Clock) -> None:
        """Only a limited number of tokens is remembered; a new one replaces the oldest."""
        tokens = identifying(keys, clock, most_known=3)
        given = [bearing(issuer.token(sub=str(number))) for number in range(4)]
        for headers in given:
            await tokens(headers)
        assert 3 == len(tokens._entries)
        await tokens(given[3])
        assert 4 == len(keys.asked)
        await tokens(given[0])
        assert 5 == len(keys.asked)

    async def test_keeps_only_digests(self, issuer: Issuer, keys: Keys, clock: Clock) -> None:
        """Only the digest of a token is kept in memory."""
        tokens, token = identifying(keys, clock), issuer.token()
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
    async def test_the_name_is_a_claim(
        self, issuer: Issuer, keys: Keys, clock: Clock, claims: dict[str, Any], expected: str
    ) -> None:
        """The name is the subject, or else the client, without characters that cannot stand in a log."""
        assert expected == await identifying(keys, clock)(bearing(issuer.token(**claims)))


@pytest.mark.parametrize("exp", [9_999_999_999, 9_999_999_999.5, 10**400])
async def test_accepts_a_distant_end(issuer: Issuer, keys: Keys, clock: Clock, exp: float) -> None:
    """A token may expire in a very distant future, beyond any float."""
    assert "ada" == await identifying(keys, clock)(bearing(issuer.token(exp=exp)))


@pytest.mark.parametrize("aud", [AUDIENCE, [AUDIENCE], ["another", AUDIENCE]])
async def test_accepts_several_audiences(issuer: Issuer, keys: Keys, clock: Clock, aud: object) -> None:
    """A token may name other audiences too."""
    assert "ada" == await identifying(keys, clock)(bearing(issuer.token(aud=aud)))


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
async def test_accepts_tokens_of_well_known_issuers(
    issuer: Issuer, keys: Keys, clock: Clock, claims: dict[str, Any], head: dict[str, Any]
) -> None:
    """Tokens with an end and this audience are accepted, whatever other claims their issuers add."""
    token = assembled({"alg": "RS256", "kid": "rsa", **head}, issuer.claims(**claims), issuer.rs256)
    assert "ada" == await identifying(keys, clock)(bearing(token))


class TestIssuer:
    async def test_accepts_rs256_and_es256(self, issuer: Issuer, clock: Clock) -> None:
        """Tokens with RS256 and ES256 are accepted, each with the key that it names."""
        async with KeyUrl(issuer.url) as keys:
            tokens = identifying(keys, clock)
            token = assembled({"alg": "ES256", "kid": "ec"}, issuer.claims(sub="eve"), issuer.es256)
            assert "eve" == await tokens(bearing(token))
            assert "ada" == await tokens(bearing(issuer.token()))
            assert 1 == issuer.fetches

    async def test_rejects_tokens_of_a_withdrawn_key(self, issuer: Issuer, clock: Clock) -> None:
        """After the keys are renewed, a token of a withdrawn key is refused even if it was remembered."""
        ticking = Clock()
        async with KeyUrl(issuer.url, clock=ticking) as keys:
            tokens, headers = identifying(keys, clock), bearing(issuer.token())
            assert "ada" == await tokens(headers)
            issuer.withdraw("rsa")
            ticking.tick(301.0)
            assert "ada" == await tokens(headers)
            assert keys._fetching is not None
            await keys._fetching
            with pytest.raises(Unauthenticated, match="key is not known"):
                await tokens(headers)

    async def test_rejects_tokens_of_a_replaced_key(self, issuer: Issuer, clock: Clock) -> None:
        """If another key has the same id, tokens of the old key are refused."""
        ticking = Clock()
        async with KeyUrl(issuer.url, clock=ticking) as keys:
            tokens = identifying(keys, clock)
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

    async def test_accepts_tokens_for_a_day_without_the_issuer(self, issuer: Issuer, clock: Clock) -> None:
        """Without the issuer the last keys count for a day, for new tokens too; then there is an error."""
        ticking = Clock()
        async with KeyUrl(issuer.url, clock=ticking) as keys:
            tokens, remembered = identifying(keys, clock), bearing(issuer.token())
            await tokens(remembered)
            issuer.before = answering(500)
            for _ in range(23):
                ticking.tick(3_600.0)
                assert "ada" == await tokens(remembered)
                assert "eve" == await tokens(bearing(issuer.token(sub="eve")))
            ticking.tick(3_601.0)
            with pytest.raises(AuthUnavailable):
                await tokens(remembered)
