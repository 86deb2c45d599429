"""The order of the transport's layers: what an attempt passes, what it holds meanwhile, what is counted."""

import asyncio
from collections import Counter

import pytest

from service.context import IS_RENEWAL
from service.errors import UpstreamError, UpstreamNotAsked
from service.upstream.breaker import Signal
from service.upstream.failures import NoSlot
from service.upstream.transport import Limits, MlflowTransport
from tests.fakes.faults import answering, first
from tests.fakes.mlflow import FakeMlflow
from tests.resilience.faults import hang
from tests.resilience.measure import eventually

ENDPOINT = "experiments/search"
ONE_SLOT = Limits(max_in_flight=1, queue_timeout=60.0)


async def ask(transport: MlflowTransport) -> bytes:
    return await transport.call("POST", ENDPOINT, bytes, json={"max_results": 1})


async def test_a_pause_between_attempts_holds_no_slot(fake: FakeMlflow) -> None:
    """While a call waits for its next attempt, another one gets the only slot."""
    pausing, over = asyncio.Event(), asyncio.Event()

    async def sleep(_: float) -> None:
        pausing.set()
        await over.wait()

    fake.before = first(1, answering(503))
    async with MlflowTransport(fake.url, ONE_SLOT, sleep=sleep) as transport:
        retried = asyncio.create_task(ask(transport))
        await pausing.wait()
        assert not transport.layers.limit.is_full
        await ask(transport)
        assert not retried.done()
        over.set()
        await retried
    assert (1, 3) == (transport.layers.retrying.retries, fake.count(ENDPOINT))


async def test_each_attempt_asks_the_breaker(fake: FakeMlflow) -> None:
    """The second attempt of a call is held back where the breaker opened in the pause; both are counted."""

    async def sleep(_: float) -> None:
        if transport.layers.breaker.state == "open":
            await asyncio.Event().wait()  # the health probe, until it is due
        while transport.layers.breaker.state == "closed":
            transport.layers.breaker.record(Signal.UNREACHABLE, 1)

    fake.before = answering(503)
    limits = Limits(breaker_interval=60.0)
    async with MlflowTransport(fake.url, limits, sleep=sleep) as transport:
        with pytest.raises(UpstreamNotAsked, match="takes no more requests"):
            await ask(transport)
    assert 1 == fake.count(ENDPOINT)
    assert {"upstream_error": 1, "breaker_open": 1} == outcomes(transport)


async def test_a_renewal_does_not_queue_for_a_slot(fake: FakeMlflow) -> None:
    """A call that nobody waits for is refused at once where a caller's call holds the only slot."""
    fake.before = hang
    async with MlflowTransport(fake.url, ONE_SLOT) as transport:
        call = asyncio.create_task(ask(transport))
        await eventually(lambda: 1 == fake.in_flight, lambda: "it does not arrive")
        token = IS_RENEWAL.set(True)
        with pytest.raises(NoSlot):
            await ask(transport)
        IS_RENEWAL.reset(token)
        call.cancel()
        await asyncio.wait([call])
    assert {"gate_full": 1, "cancelled": 1} == outcomes(transport)


async def test_only_what_is_sent_is_timed(fake: FakeMlflow) -> None:
    """An attempt that fails counts among the durations, one that the breaker holds back does not."""
    fake.before = answering(500)
    async with MlflowTransport(fake.url, Limits(attempts=1)) as transport:
        with pytest.raises(UpstreamError):
            await ask(transport)
        while transport.layers.breaker.state == "closed":
            transport.layers.breaker.record(Signal.UNREACHABLE, 1)
        with pytest.raises(UpstreamNotAsked):
            await ask(transport)
    [(endpoint, durations)] = transport.layers.timing.durations.items()
    assert (ENDPOINT, ("+Inf", 1)) == (endpoint, durations.buckets()[-1])


def outcomes(transport: MlflowTransport) -> Counter[str]:
    """How often attempts at the endpoint had each outcome."""
    counts = transport.layers.counting.outcomes
    return Counter(
        {outcome: number for (endpoint, outcome), number in counts.items() if endpoint == ENDPOINT}
    )
