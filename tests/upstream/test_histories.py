"""How MLflow is asked for the history of a metric."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from service.errors import UpstreamAuth, UpstreamError, UpstreamFailure, UpstreamRefused, UpstreamTooLarge
from service.tracking.history import NO_POINTS, GetHistory, History
from service.upstream.client import MlflowClient
from service.upstream.transport import Limits, MlflowTransport
from tests.fakes.faults import answering
from tests.fakes.mlflow import FakeMlflow, json_reply
from tests.fakes.others import basic_auth
from tests.fakes.wire import MlflowError

HISTORY = "metrics/get-history"


@pytest.fixture
async def client(fake: FakeMlflow) -> AsyncIterator[MlflowClient]:
    """A client of the fake that does not try again."""
    async with MlflowTransport(fake.url, Limits(attempts=1)) as transport:
        yield MlflowClient(transport)


async def history(client: MlflowClient, run_id: str, key: str = "loss") -> History:
    return (await client.answer(GetHistory(run_id, key, ended=True))).value


def logged(fake: FakeMlflow, count: int, key: str = "loss") -> str:
    run_id = fake.add_run()
    fake.log(run_id, key, ((step, 1_000 + step, step / 2) for step in range(count)))
    return run_id


@pytest.mark.parametrize("key", ["loss", "val/loss", "Sharpe ratio", "Verlust größer", "系列", "a.b-c:d"])
async def test_a_history_is_read(fake: FakeMlflow, client: MlflowClient, key: str) -> None:
    """Every point comes, whatever characters the key has."""
    read = await history(client, logged(fake, 3, key), key)
    assert ([0, 1, 2], [1_000, 1_001, 1_002], [0.0, 0.5, 1.0]) == (
        read.steps.tolist(),
        read.times.tolist(),
        read.values.tolist(),
    )


async def test_a_long_history_is_read_page_by_page(fake: FakeMlflow, client: MlflowClient) -> None:
    """12,000 points are three pages of at most 5,000, and none is lost between them."""
    read = await history(client, logged(fake, 12_000))
    assert list(range(12_000)) == read.steps.tolist()
    assert 3 == fake.count(HISTORY)
    assert {"5000"} == {call.params["max_results"] for call in fake.calls}


@pytest.mark.thorough
async def test_a_page_that_is_too_slow_is_asked_for_in_parts(fake: FakeMlflow) -> None:
    """After a page that took too long the service asks for a quarter of it, and no point is lost."""

    async def slow(request: web.Request) -> web.StreamResponse | None:
        if int(request.query["max_results"]) > 2_000:
            await asyncio.sleep(5)
        return None

    run_id = logged(fake, 3_000)
    fake.before = slow
    async with MlflowTransport(fake.url, Limits(attempts=1, read_timeout=0.3)) as transport:
        read = await history(MlflowClient(transport), run_id)
    assert list(range(3_000)) == read.steps.tolist()
    assert ["5000", "1250"] == [call.params["max_results"] for call in fake.calls][:2]


async def test_a_server_without_pages_gives_all_at_once(fake: FakeMlflow, client: MlflowClient) -> None:
    """An older server ignores max_results: what it answers is the whole history."""
    points = [{"key": "loss", "value": 1.0, "timestamp": step, "step": step} for step in range(12_000)]

    async def older(request: web.Request) -> web.StreamResponse | None:
        del request
        return json_reply(json.dumps({"metrics": points}))

    fake.before = older
    assert 12_000 == len(await history(client, fake.add_run()))
    assert 1 == fake.count(HISTORY)


async def test_a_server_that_refuses_pages_is_asked_without(fake: FakeMlflow, client: MlflowClient) -> None:
    """A server that takes no max_results is asked for everything; its own refusal of that is an error."""

    async def strict(request: web.Request) -> web.StreamResponse | None:
        error = MlflowError("unknown field max_results")
        return json_reply(error.body, error.status) if "max_results" in request.query else None

    fake.before = strict
    run_id = logged(fake, 3)
    assert 3 == len(await history(client, run_id))

    async def refusing(request: web.Request) -> web.StreamResponse | None:
        del request
        error = MlflowError("no")
        return json_reply(error.body, error.status)

    fake.before = refusing
    with pytest.raises(UpstreamRefused):
        await history(client, run_id)


async def test_what_does_not_exist_has_no_points(fake: FakeMlflow, client: MlflowClient) -> None:
    """An unknown run or key is a history without points; an id that no run can have is not asked for."""
    assert NO_POINTS == await history(client, "0" * 32)
    assert NO_POINTS == await history(client, logged(fake, 1), "other")
    assert 2 == fake.count(HISTORY)
    assert NO_POINTS == await history(client, "no id")
    assert NO_POINTS == await history(client, "0" * 32, "null\0byte")
    assert 2 == fake.count(HISTORY)


async def test_a_store_that_says_that_the_run_is_missing(fake: FakeMlflow, client: MlflowClient) -> None:
    """MLflow's file store answers a 404 of its own for an unknown run: no points, either."""

    async def missing(request: web.Request) -> web.StreamResponse | None:
        del request
        error = MlflowError("Run '0' not found", "RESOURCE_DOES_NOT_EXIST")
        return json_reply(error.body, error.status)

    fake.before = missing
    assert NO_POINTS == await history(client, "0" * 32)


async def test_a_run_that_may_not_be_read(fake: FakeMlflow, client: MlflowClient) -> None:
    """MLflow's basic-auth says the same of a run that may not be read and of one that does not exist."""
    hidden = fake.add_experiment("hidden")
    run_id = fake.add_run(hidden, metrics={"loss": 1.0})
    fake.before = basic_auth(fake, ["0"])
    assert NO_POINTS == await history(client, run_id)
    assert 1 == len(await history(client, fake.add_run(metrics={"loss": 1.0})))


async def test_an_account_that_may_read_nothing(fake: FakeMlflow, client: MlflowClient) -> None:
    """Where MLflow refuses the account altogether, that is an error."""
    fake.before = answering(403, "Permission denied")
    with pytest.raises(UpstreamAuth):
        await history(client, fake.add_run(metrics={"loss": 1.0}))


async def test_a_page_that_fails_is_a_failure(fake: FakeMlflow, client: MlflowClient) -> None:
    """Where MLflow fails at a later page, the points of the first are no history."""

    async def broken(request: web.Request) -> web.StreamResponse | None:
        return web.Response(status=500) if "page_token" in request.query else None

    run_id = logged(fake, 5_001)
    fake.before = broken
    with pytest.raises(UpstreamError):
        await history(client, run_id)
    await fake.stop()
    with pytest.raises(UpstreamFailure):
        await history(client, run_id)


async def test_pages_that_never_end_are_a_failure(fake: FakeMlflow, client: MlflowClient) -> None:
    """A server that gives the same page again and again is not asked for ever."""
    page = {"metrics": [{"key": "loss", "value": 1.0, "timestamp": 1, "step": 1}], "next_page_token": "x"}

    async def again(request: web.Request) -> web.StreamResponse | None:
        del request
        return json_reply(json.dumps(page))

    fake.before = again
    with pytest.raises(UpstreamError):
        await history(client, fake.add_run())


@pytest.mark.thorough
async def test_a_history_of_more_than_a_million_points(fake: FakeMlflow, client: MlflowClient) -> None:
    """What is too long to be read is an error that says so."""
    points = [{"key": "loss", "value": 1.0, "timestamp": step, "step": step} for step in range(250_000)]
    text = json.dumps({"metrics": points, "next_page_token": "x"}, separators=(",", ":"))

    async def endless(request: web.Request) -> web.StreamResponse | None:
        del request
        return json_reply(text)

    fake.before = endless
    with pytest.raises(UpstreamTooLarge) as failure:
        await history(client, fake.add_run())
    assert "1000000 points" in failure.value.cause


async def test_a_point_that_is_logged_while_pages_are_read(fake: FakeMlflow, client: MlflowClient) -> None:
    """A point with an earlier time moves the others on between two pages: none of them counts twice."""
    run_id = logged(fake, 15_000)

    async def logging(request: web.Request) -> web.StreamResponse | None:
        if "page_token" in request.query:
            fake.log(run_id, "loss", [(20_000, 5, 1.0)])
        return None

    fake.before = logging
    assert list(range(15_000)) == (await history(client, run_id)).steps.tolist()
