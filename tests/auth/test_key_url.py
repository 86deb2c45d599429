"""The keys that an issuer publishes: when they are fetched, and how long they are used."""

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
    """Seconds, controlled by the test."""
    return Clock()


@pytest.fixture
async def keys(issuer: Issuer, clock: Clock) -> AsyncIterator[KeyUrl]:
    """The issuer's keys."""
    async with KeyUrl(issuer.url, clock=clock) as made:
        yield made


async def settled(keys: KeyUrl) -> None:
    """Wait for the fetch in the background."""
    assert keys._fetching is not None
    await keys._fetching


class TestFetching:
    async def test_fetches_for_the_first_caller(self, keys: KeyUrl, issuer: Issuer) -> None:
        """The keys are fetched when they are first needed, once for all callers at that time."""
        assert 0 == issuer.fetches
        found = await asyncio.gather(*(keys.find("RS256", "rsa") for _ in range(20)))
        assert 20 == sum(key is not None for key in found)
        assert 1 == issuer.fetches

    async def test_keeps_the_keys_for_five_minutes(self, keys: KeyUrl, issuer: Issuer, clock: Clock) -> None:
        """The issuer is not asked again for five minutes."""
        for _ in range(3):
            keys.renew_if_old()
            assert await keys.find("RS256", "rsa") is not None
            clock.tick(100.0)
        assert 1 == issuer.fetches

    async def test_renews_the_keys_in_the_background(
        self, keys: KeyUrl, issuer: Issuer, clock: Clock
    ) -> None:
        """After five minutes the keys are fetched in the background, and a withdrawn key becomes unknown."""
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

    async def test_equal_keys_keep_the_edition(self, keys: KeyUrl, clock: Clock) -> None:
        """If the fetched keys are equal, the edition stays, so tokens need no new check."""
        await keys.find("RS256", "rsa")
        edition = keys.edition
        clock.tick(301.0)
        keys.renew_if_old()
        await settled(keys)
        assert edition == keys.edition

    async def test_fetches_an_unknown_key(self, keys: KeyUrl, issuer: Issuer, clock: Clock) -> None:
        """A key that the issuer has added is found at most ten seconds after the last fetch."""
        await keys.find("RS256", "rsa")
        issuer.published.append(public_jwk(issuer.keys.stranger, kid="new"))
        clock.tick(9.9)
        assert await keys.find("RS256", "new") is None
        clock.tick(0.2)
        assert await keys.find("RS256", "new") is not None
        assert 2 == issuer.fetches

    async def test_unknown_keys_cause_one_fetch_in_ten_seconds(
        self, keys: KeyUrl, issuer: Issuer, clock: Clock
    ) -> None:
        """However many unknown keys are asked for, the issuer is asked once in ten seconds."""
        await keys.find("RS256", "rsa")
        for expected in (2, 3):
            clock.tick(10.0)
            found = await asyncio.gather(*(keys.find("RS256", f"key-{number}") for number in range(200)))
            assert [None] * 200 == found
            assert expected == issuer.fetches

    async def test_a_cancelled_caller_does_not_cancel_the_fetch(self, keys: KeyUrl, issuer: Issuer) -> None:
        """If a caller is cancelled, the fetch goes on for the others."""
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

    async def test_a_caller_does_not_wait_past_its_deadline(self, issuer: Issuer) -> None:
        """A caller at its deadline gets an error while the fetch goes on; the end of the context stops it."""
        asked, never = asyncio.Event(), asyncio.Event()

        async def hang(_request: web.Request) -> None:
            asked.set()
            await never.wait()

        issuer.before = hang
        async with KeyUrl(issuer.url, lambda: 0.0) as keys:
            with pytest.raises(AuthUnavailable):
                await keys.find("RS256", "rsa")
            await asked.wait()

    async def test_rejects_use_outside_its_context(self, issuer: Issuer) -> None:
        """Use outside its context is an error of the program."""
        with pytest.raises(RuntimeError, match="outside their context"):
            await KeyUrl(issuer.url)._text()


async def no_text(_request: web.Request) -> web.StreamResponse:
    """Answer with bytes that are not UTF-8."""
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
    async def test_without_keys_callers_cannot_be_checked(
        self, keys: KeyUrl, issuer: Issuer, clock: Clock, fault: Hook
    ) -> None:
        """If the first fetch fails, there are no keys; the next fetch comes after ten seconds."""
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
    async def test_keeps_its_keys_while_the_issuer_fails(
        self, keys: KeyUrl, issuer: Issuer, clock: Clock, caplog: Caplog, fault: Hook
    ) -> None:
        """If a later fetch fails, the keys stay valid, and the log has the reason."""
        await keys.find("RS256", "rsa")
        issuer.before = fault
        clock.tick(3_600.0)
        keys.renew_if_old()
        await settled(keys)
        assert await keys.find("RS256", "rsa") is not None
        assert await keys.find("RS256", "unknown") is None
        assert 1 == len(caplog.records)
        assert "no keys from" in caplog.text

    async def test_recovers_when_the_issuer_returns(self, keys: KeyUrl, issuer: Issuer, clock: Clock) -> None:
        """An unreachable issuer changes nothing, and its new keys count once it is back."""
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

    async def test_drops_keys_after_a_day(self, keys: KeyUrl, issuer: Issuer, clock: Clock) -> None:
        """After a day without a fetch the keys are dropped, and with them the tokens that they verified."""
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

    async def test_without_published_keys_callers_cannot_be_checked(
        self, keys: KeyUrl, issuer: Issuer, clock: Clock
    ) -> None:
        """If the issuer publishes no keys any more, callers cannot be checked."""
        await keys.find("RS256", "rsa")
        issuer.published = []
        clock.tick(301.0)
        keys.renew_if_old()
        await settled(keys)
        with pytest.raises(AuthUnavailable):
            await keys.find("RS256", "rsa")

    @pytest.mark.parametrize(("size", "expected"), [(1_048_576, True), (1_048_577, False)])
    async def test_rejects_a_large_key_set(
        self, keys: KeyUrl, issuer: Issuer, size: int, expected: bool
    ) -> None:
        """A key set of a megabyte is read, and a larger one is an error."""

        async def padded(_request: web.Request) -> web.StreamResponse:
            return web.Response(text=json.dumps({"keys": issuer.published}).ljust(size))

        issuer.before = padded
        if expected:
            assert await keys.find("RS256", "rsa") is not None
        else:
            with pytest.raises(AuthUnavailable):
                await keys.find("RS256", "rsa")

    async def test_gives_up_on_a_hanging_issuer(self, issuer: Issuer) -> None:
        """A fetch from an issuer that does not answer ends after its time limit."""
        never = asyncio.Event()

        async def hang(_request: web.Request) -> None:
            await never.wait()

        issuer.before = hang
        async with KeyUrl(issuer.url, timeout=0.05) as keys:
            with pytest.raises(AuthUnavailable):
                await keys.find("RS256", "rsa")

    async def test_follows_no_redirect(self, keys: KeyUrl, issuer: Issuer, caplog: Caplog) -> None:
        """A redirect is an error and is not followed."""
        async with Issuer(issuer.keys).serve() as elsewhere:
            issuer.before = answering(302, headers={"Location": elsewhere.url})
            with pytest.raises(AuthUnavailable):
                await keys.find("RS256", "rsa")
            assert 0 == elsewhere.fetches
        assert "status 302" in caplog.text


async def test_logs_the_number_of_usable_keys(keys: KeyUrl, caplog: Caplog) -> None:
    """The log says how many of the published keys are usable."""
    caplog.set_level(logging.INFO)
    await keys.find("RS256", "rsa")
    assert [f"2 keys fetched from {keys._url}"] == [record.getMessage() for record in caplog.records]
