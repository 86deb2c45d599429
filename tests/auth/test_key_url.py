"""The keys that an issuer publishes: when they are fetched, and how long they are believed."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from service.auth.key_sets import KeyUrl
from service.errors import AuthUnavailable
from tests.auth.issuer import Issuer, public_jwk
from tests.cache.scripted import Clock
from tests.fakes.faults import Hook, answering, half_a_body, reset

Caplog = pytest.LogCaptureFixture


@pytest.fixture
def clock() -> Clock:
    """Seconds that a test turns."""
    return Clock()


@pytest.fixture
async def keys(issuer: Issuer, clock: Clock) -> AsyncIterator[KeyUrl]:
    """The issuer's keys."""
    async with KeyUrl(issuer.url, clock=clock) as made:
        yield made


async def settled(keys: KeyUrl) -> None:
    """Wait for the fetch that goes on behind the callers' backs."""
    assert keys._fetching is not None
    await keys._fetching


class TestFetching:
    async def test_it_waits_for_the_first_caller(self, keys: KeyUrl, issuer: Issuer) -> None:
        """Nothing is fetched before somebody asks, and once for all who ask then."""
        assert 0 == issuer.fetches
        found = await asyncio.gather(*(keys.find("RS256", "rsa") for _ in range(20)))
        assert 20 == sum(key is not None for key in found)
        assert 1 == issuer.fetches

    async def test_the_keys_are_kept(self, keys: KeyUrl, issuer: Issuer, clock: Clock) -> None:
        """For five minutes the issuer is not asked again."""
        for _ in range(3):
            keys.renew_if_old()
            assert await keys.find("RS256", "rsa") is not None
            clock.tick(100.0)
        assert 1 == issuer.fetches

    async def test_they_are_renewed(self, keys: KeyUrl, issuer: Issuer, clock: Clock) -> None:
        """After that they are fetched anew, and nobody waits: a key that was withdrawn is unknown then."""
        assert await keys.find("RS256", "rsa") is not None
        issuer.withdraw("rsa")
        edition = keys.edition
        clock.tick(301.0)
        keys.renew_if_old()
        assert await keys.find("RS256", "rsa") is not None
        await settled(keys)
        assert await keys.find("RS256", "rsa") is None
        assert edition != keys.edition
        assert 2 == issuer.fetches

    async def test_the_same_keys_are_the_same_edition(self, keys: KeyUrl, clock: Clock) -> None:
        """Tokens need not be checked anew where the issuer's keys stayed as they were."""
        await keys.find("RS256", "rsa")
        edition = keys.edition
        clock.tick(301.0)
        keys.renew_if_old()
        await settled(keys)
        assert edition == keys.edition

    async def test_an_unknown_key_is_looked_for(self, keys: KeyUrl, issuer: Issuer, clock: Clock) -> None:
        """A key that the issuer has added is found, ten seconds after the last look at the latest."""
        await keys.find("RS256", "rsa")
        issuer.published.append(public_jwk(issuer.keys.stranger, kid="new"))
        clock.tick(9.9)
        assert await keys.find("RS256", "new") is None
        clock.tick(0.2)
        assert await keys.find("RS256", "new") is not None
        assert 2 == issuer.fetches

    async def test_a_flood_of_unknown_keys(self, keys: KeyUrl, issuer: Issuer, clock: Clock) -> None:
        """However many keys nobody knows are asked for, the issuer is asked once in ten seconds."""
        await keys.find("RS256", "rsa")
        for expected in (2, 3):
            clock.tick(10.0)
            found = await asyncio.gather(*(keys.find("RS256", f"key-{number}") for number in range(200)))
            assert [None] * 200 == found
            assert expected == issuer.fetches

    async def test_a_caller_who_leaves(self, keys: KeyUrl, issuer: Issuer) -> None:
        """The fetch goes on for the others."""
        asked, go_on = asyncio.Event(), asyncio.Event()

        async def wait(_request: web.Request) -> None:
            asked.set()
            await go_on.wait()

        issuer.before = wait
        leaves = asyncio.create_task(keys.find("RS256", "rsa"))
        await asked.wait()
        stays = asyncio.create_task(keys.find("RS256", "rsa"))
        leaves.cancel()
        await asyncio.wait([leaves])
        go_on.set()
        assert await stays is not None
        assert 1 == issuer.fetches

    async def test_a_caller_who_waits_no_longer(self, issuer: Issuer) -> None:
        """A caller whose patience ends has an answer while the fetch goes on; leaving ends the fetch."""
        asked, never = asyncio.Event(), asyncio.Event()

        async def hang(_request: web.Request) -> None:
            asked.set()
            await never.wait()

        issuer.before = hang
        async with KeyUrl(issuer.url, lambda: 0.0) as keys:
            with pytest.raises(AuthUnavailable):
                await keys.find("RS256", "rsa")
            await asked.wait()

    async def test_it_is_used_outside_of_its_context(self, issuer: Issuer) -> None:
        """Without an open session there is nothing to fetch with: a mistake of the program."""
        with pytest.raises(RuntimeError, match="outside their context"):
            await KeyUrl(issuer.url)._text()


async def no_text(_request: web.Request) -> web.StreamResponse:
    """Bytes that are not UTF-8."""
    return web.Response(body=b'{"keys": ["\xff"]}')


FAULTS: dict[str, Hook] = {
    "500": answering(500),
    "404": answering(404),
    "HTML": answering(200, "<html>", content_type="text/html"),
    "JSON, but no key set": answering(200, "[]"),
    "no keys in it": answering(200, "{}"),
    "keys that are none": answering(200, '{"keys": [1]}'),
    "deep": answering(200, "[" * 100_000),
    "no text": no_text,
    "reset": reset,
    "half a body": half_a_body,
}


class TestFailing:
    @pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
    async def test_from_the_start(self, keys: KeyUrl, issuer: Issuer, clock: Clock, fault: Hook) -> None:
        """Without any key nobody can be known; ten seconds later the issuer is asked again."""
        issuer.before = fault
        with pytest.raises(AuthUnavailable) as caught:
            await keys.find("RS256", "rsa")
        assert issuer.url in caught.value.cause
        fetches = issuer.fetches
        clock.tick(9.9)
        with pytest.raises(AuthUnavailable):
            await keys.find("RS256", "rsa")
        assert fetches == issuer.fetches
        issuer.before = None
        clock.tick(0.2)
        assert await keys.find("RS256", "rsa") is not None

    @pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
    async def test_later(
        self, keys: KeyUrl, issuer: Issuer, clock: Clock, caplog: Caplog, fault: Hook
    ) -> None:
        """The keys that it had are believed, and the log says why there are no newer ones."""
        await keys.find("RS256", "rsa")
        issuer.before = fault
        clock.tick(3_600.0)
        keys.renew_if_old()
        await settled(keys)
        assert await keys.find("RS256", "rsa") is not None
        assert await keys.find("RS256", "unknown") is None
        assert 1 == len(caplog.records)
        assert "no keys from" in caplog.text

    async def test_it_is_unreachable(self, keys: KeyUrl, issuer: Issuer, clock: Clock) -> None:
        """An issuer that is gone changes nothing, and its new keys count once it is back."""
        await keys.find("RS256", "rsa")
        await issuer.stop()
        clock.tick(301.0)
        keys.renew_if_old()
        await settled(keys)
        assert await keys.find("RS256", "rsa") is not None
        issuer.withdraw("rsa")
        await issuer.start(int(issuer.url.split(":")[2].split("/")[0]))
        clock.tick(10.0)
        keys.renew_if_old()
        await settled(keys)
        assert await keys.find("RS256", "rsa") is None

    async def test_for_longer_than_a_day(self, keys: KeyUrl, issuer: Issuer, clock: Clock) -> None:
        """Keys that are older than a day are not believed, and neither are the tokens they had checked."""
        await keys.find("RS256", "rsa")
        edition = keys.edition
        issuer.before = answering(500)
        clock.tick(86_401.0)
        keys.renew_if_old()
        assert edition != keys.edition
        with pytest.raises(AuthUnavailable):
            await keys.find("RS256", "rsa")
        issuer.before = None
        clock.tick(10.0)
        assert await keys.find("RS256", "rsa") is not None

    async def test_all_keys_are_withdrawn(self, keys: KeyUrl, issuer: Issuer, clock: Clock) -> None:
        """An issuer that publishes no key any more has none: nobody can be known."""
        await keys.find("RS256", "rsa")
        issuer.published = []
        clock.tick(301.0)
        keys.renew_if_old()
        await settled(keys)
        with pytest.raises(AuthUnavailable):
            await keys.find("RS256", "rsa")

    @pytest.mark.parametrize(("size", "expected"), [(1_048_576, True), (1_048_577, False)])
    async def test_it_says_a_lot(self, keys: KeyUrl, issuer: Issuer, size: int, expected: bool) -> None:
        """A set of a megabyte is read, and none that is larger."""

        async def padded(_request: web.Request) -> web.StreamResponse:
            return web.Response(text=json.dumps({"keys": issuer.published}).ljust(size))

        issuer.before = padded
        if expected:
            assert await keys.find("RS256", "rsa") is not None
        else:
            with pytest.raises(AuthUnavailable):
                await keys.find("RS256", "rsa")

    async def test_it_hangs(self, issuer: Issuer) -> None:
        """An issuer that does not answer is given up in time."""
        never = asyncio.Event()

        async def hang(_request: web.Request) -> None:
            await never.wait()

        issuer.before = hang
        async with KeyUrl(issuer.url, timeout=0.05) as keys:
            with pytest.raises(AuthUnavailable):
                await keys.find("RS256", "rsa")

    async def test_it_sends_elsewhere(self, keys: KeyUrl, issuer: Issuer, caplog: Caplog) -> None:
        """A redirect is not followed: the keys are where the settings say, or nowhere."""
        async with Issuer(issuer.keys).serve() as elsewhere:
            issuer.before = answering(302, headers={"Location": elsewhere.url})
            with pytest.raises(AuthUnavailable):
                await keys.find("RS256", "rsa")
            assert 0 == elsewhere.fetches
        assert "status 302" in caplog.text


async def test_the_log_says_how_many_keys_there_are(keys: KeyUrl, caplog: Caplog) -> None:
    """Of the keys that are published, those that are taken are counted."""
    caplog.set_level(logging.INFO)
    await keys.find("RS256", "rsa")
    assert [f"2 keys from {keys._url}"] == [record.getMessage() for record in caplog.records]
