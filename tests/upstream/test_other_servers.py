"""Servers that read a question in another way, ignore parts of it or refuse them: the answers are right."""

from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any

import pytest
from aiohttp import web

from service.errors import UpstreamAuth, UpstreamForbidden, UpstreamRefused
from service.tracking.questions import GetExperiment, GetRun, ListExperiments, ListRuns
from service.upstream.client import MlflowClient
from service.upstream.transport import Limits, MlflowTransport
from tests.fakes import others
from tests.fakes.faults import answering, only
from tests.fakes.mlflow import FakeMlflow

ODD = [
    "training",
    '"training"',
    "'training'",
    "buy and hold",
    "buy AND hold",
    " and ",
    "a\nand\nb",
    "it's",
    'say "hi"',
    "both ' and \"",
    "a = b",
    "in ('a')",
    "end\\",
    "50%",
    "50_",
    "'",
    '"',
    "''",
    " padded ",
    "é",
    "🎲",
    "tags.x = 'y'",
    "x' AND tags.run_type != 'y",
]


class Clock:
    """A clock that a test moves; seconds."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def client(fake: FakeMlflow, clock: Clock) -> AsyncIterator[MlflowClient]:
    async with MlflowTransport(fake.url, Limits(attempts=1)) as transport:
        yield MlflowClient(transport, clock)


async def listed(client: MlflowClient, run_type: str | None = None, limit: int = 50) -> list[str]:
    """The ids of a list of the default experiment's."""
    return [run.run_id for run in (await client.answer(ListRuns("0", run_type, None, limit))).value]


def searches(fake: FakeMlflow) -> list[dict[str, Any]]:
    """What was searched for, in order."""
    return [call.json for call in fake.calls if call.endpoint == "runs/search"]


@pytest.mark.parametrize("server", [None, others.fasttrackml, others.gitlab])
async def test_any_text_finds_exactly_its_runs(client: MlflowClient, fake: FakeMlflow, server: Any) -> None:
    """Names with quotes and words of the grammar find the runs that bear them, and no others."""
    for place, text in enumerate(ODD):
        fake.add_run(run_id=f"r{place}", tags={"run_type": text})
    fake.before = server and server(fake)
    for place, text in enumerate(ODD):
        assert [f"r{place}"] == await listed(client, text), text
    assert [] == await listed(client, "nobody and nothing")


async def test_two_filters_over_fasttrackml(client: MlflowClient, fake: FakeMlflow) -> None:
    """Both must hold, though one of them can only be asked for as a pattern."""
    fake.add_run(run_id="a", tags={"run_type": "buy and hold", "strategy_id": "s"})
    fake.add_run(run_id="b", tags={"run_type": "buy-and-hold", "strategy_id": "s"})
    fake.add_run(run_id="c", tags={"run_type": "buy and hold", "strategy_id": "t"})
    fake.before = others.fasttrackml(fake)
    found = (await client.answer(ListRuns("0", "buy and hold", "s", 5))).value
    assert ["a"] == [run.run_id for run in found]


async def test_plain_texts_are_one_exact_question(client: MlflowClient, fake: FakeMlflow) -> None:
    """What no server can misread is asked for in MLflow's own words, whatever was refused before."""
    fake.add_run(run_id="r", tags={"run_type": "cpcv-1.5"})
    fake.before = others.fasttrackml(fake)
    await listed(client, "a and b")
    fake.calls.clear()
    assert ["r"] == await listed(client, "cpcv-1.5")
    assert ["tags.run_type = 'cpcv-1.5'"] == [asked["filter"] for asked in searches(fake)]


async def test_a_refusal_is_remembered_for_ten_minutes(
    client: MlflowClient, fake: FakeMlflow, clock: Clock
) -> None:
    """Not each question is asked twice, and a server that has learnt it is asked in full again."""
    fake.add_run(run_id="r")
    fake.before = others.gitlab(fake)
    for expected in (2, 1, 1):
        fake.calls.clear()
        assert ["r"] == await listed(client)
        assert expected == len(searches(fake))
    clock.now += 601
    fake.before = None
    fake.calls.clear()
    assert ["r"] == await listed(client)
    [asked] = searches(fake)
    assert (["attributes.start_time DESC"], 50) == (asked["order_by"], asked["max_results"])


async def test_what_is_refused_in_every_form_is_refused(client: MlflowClient, fake: FakeMlflow) -> None:
    """The first refusal is the caller's, nothing is remembered, and the forms are few."""
    fake.before = only("runs/search", answering(400, '{"error_code": "BAD_REQUEST", "message": "m"}'))
    for _ in range(2):
        fake.calls.clear()
        with pytest.raises(UpstreamRefused):
            await listed(client, "a b")
        assert 5 == len(searches(fake))


@pytest.mark.parametrize("part", ["order_by", "filter", "run_view_type"])
async def test_each_optional_part_may_be_refused(client: MlflowClient, fake: FakeMlflow, part: str) -> None:
    """A server that takes a question without one part of it answers it rightly."""
    for place in range(5):
        fake.add_run(run_id=f"r{place}", tags={"run_type": "ab"[place % 2]})
    fake.add_run(run_id="gone", tags={"run_type": "a"}, lifecycle_stage="deleted")

    async def refuse(request: web.Request) -> web.Response | None:
        is_there = request.path.endswith("runs/search") and (await request.json()).get(part)
        return web.json_response({"error": f"{part} is invalid"}, status=400) if is_there else None

    fake.before = refuse
    assert ["r4", "r2", "r0"] == await listed(client, "a")
    assert ["r4", "r2"] == await listed(client, "a", limit=2)


async def test_an_order_that_is_ignored(client: MlflowClient, fake: FakeMlflow) -> None:
    """Where pages do not come newest first, all are read, and the newest are the newest."""
    starts = [5, 3, 9, 1, 7, 2, 8, 4, 6]
    for place, start in enumerate(starts):
        fake.add_run(run_id=f"r{place}", start_time=start)
    fake.before = others.in_order_of_ids(fake)
    newest = [f"r{starts.index(start)}" for start in range(9, 0, -1)]
    assert newest[:3] == await listed(client, limit=3)
    assert newest == await listed(client, limit=20)


async def test_a_server_whose_own_order_is_the_right_one(client: MlflowClient, fake: FakeMlflow) -> None:
    """Where an order is refused, and a page shows that runs come newest first, no more pages are read."""
    run_ids = [fake.add_run() for _ in range(150)][::-1]
    fake.before = others.gitlab(fake)
    assert run_ids[:5] == await listed(client, limit=5)
    assert [5, 100] == [asked["max_results"] for asked in searches(fake)]
    assert run_ids == await listed(client, limit=150)


async def test_runs_that_started_together(client: MlflowClient, fake: FakeMlflow) -> None:
    """The id decides, whatever the server makes of it: where it sorts them otherwise, all are read."""
    pages = {None: "dcb", "2": "a", "3": "y", "4": "x"}

    async def backwards(request: web.Request) -> web.Response:
        token = (await request.json()).get("page_token")
        start_time = 4 if token in {"3", "4"} else 5
        runs = [{"run_id": one, "status": "FINISHED", "start_time": start_time} for one in pages[token]]
        body = {"runs": [{"info": one} for one in runs], "next_page_token": following[token]}
        return web.json_response(body)

    following = {None: "2", "2": "3", "3": "4", "4": ""}
    fake.before = backwards
    assert ["a", "b"] == await listed(client, limit=2)
    assert [None, "2", "3"] == [asked.get("page_token") for asked in searches(fake)]


async def test_what_was_not_asked_for_is_left_out(client: MlflowClient, fake: FakeMlflow) -> None:
    """Runs of another experiment, deleted ones and such with other tags may come back, and are not listed."""
    good = {"run_id": "r", "status": "FINISHED", "experiment_id": "0", "lifecycle_stage": "active"}
    elsewhere, deleted = {"run_id": "x", "experiment_id": "1"}, {"run_id": "y", "lifecycle_stage": "deleted"}
    runs = [good, {**good, **elsewhere}, {**good, **deleted}]

    async def everything(request: web.Request) -> web.Response:
        return web.json_response({"runs": [{"info": info} for info in runs]})

    fake.before = everything
    assert ["r"] == await listed(client)
    assert [] == await listed(client, "cpcv")


@pytest.mark.parametrize("text", ["\0", "a\0b", "\ud800", "x\udfff"])
async def test_a_text_that_no_tag_can_be(client: MlflowClient, fake: FakeMlflow, text: str) -> None:
    """No run bears it, and MLflow is not asked."""
    assert [] == await listed(client, text)
    assert [] == fake.calls


@pytest.mark.parametrize("refused", ["order_by", "view_type"])
async def test_experiments_of_a_server_that_sorts_none(
    client: MlflowClient, fake: FakeMlflow, refused: str
) -> None:
    """They are sorted here, and deleted ones left out; the refusal is remembered."""
    for number in range(12):
        fake.add_experiment(f"e{number}", lifecycle_stage="deleted" if number == 3 else "active")

    async def refuse(request: web.Request) -> web.Response | None:
        asked = await request.json()
        if refused in asked:
            return web.json_response({"error": f"{refused} is invalid"}, status=HTTPStatus.BAD_REQUEST)
        return None

    fake.before = refuse
    expected = ["Default", *(f"e{number}" for number in range(12) if number != 3)]
    assert expected == [one.name for one in (await client.answer(ListExperiments())).value]
    fake.calls.clear()
    assert expected == [one.name for one in (await client.answer(ListExperiments())).value]
    assert 1 == len(fake.calls)


async def test_an_unreadable_run_is_told_of_once(
    client: MlflowClient, fake: FakeMlflow, caplog: pytest.LogCaptureFixture
) -> None:
    """The list has the others, however often it is asked for, and the log one line."""
    good = {"info": {"run_id": "good", "status": "FINISHED"}}
    bad = {"info": {"run_id": "bad", "status": "FINISHED", "start_time": "soon"}}

    async def both(request: web.Request) -> web.Response:
        return web.json_response({"runs": [bad, good]})

    fake.before = both
    for _ in range(3):
        assert ["good"] == await listed(client)
    [line] = [record.getMessage() for record in caplog.records]
    assert "'bad' cannot be read and is left out: a time is not a number" in line


async def test_runs_that_may_not_be_read(client: MlflowClient, fake: FakeMlflow) -> None:
    """Over basic-auth they are as runs that do not exist; one more call tells that the account is served."""
    hidden = fake.add_experiment("hidden")
    fake.add_run(run_id="mine")
    fake.add_run(hidden, run_id="theirs")
    fake.before = others.basic_auth(fake, ["0"])
    await listed(client)
    answers = await client.answer_many(list(map(GetRun, ["mine", "theirs", "nobody"])))
    assert ["mine", None, None] == [answer.value and answer.value.run_id for answer in answers]
    assert (await client.answer(GetRun("theirs"))).value is None
    assert 1 == fake.count("experiments/search")


async def test_an_account_that_is_refused(client: MlflowClient, fake: FakeMlflow, clock: Clock) -> None:
    """Where MLflow forbids everything, no run is said not to exist; that is believed for a moment only."""
    fake.add_run(run_id="r")
    fake.before = answering(403)
    for _ in range(3):
        with pytest.raises(UpstreamAuth):
            await client.answer(GetRun("r"))
    assert 1 == fake.count("experiments/search")
    clock.now += 3
    fake.before = others.basic_auth(fake, ["0"])
    assert (await client.answer(GetRun("nobody"))).value is None
    fake.before = answering(403)
    clock.now += 11
    with pytest.raises(UpstreamAuth):
        await client.answer(GetRun("nobody"))


async def test_an_experiment_that_may_not_be_read(client: MlflowClient, fake: FakeMlflow) -> None:
    """The failure names it, by its name where that is known."""
    hidden = fake.add_experiment("hidden")
    assert (await client.answer(GetExperiment("hidden"))).value is not None
    fake.before = others.basic_auth(fake, ["0"])
    with pytest.raises(UpstreamForbidden, match="'hidden'"):
        await client.answer(GetExperiment("hidden"))
    fake.before = only("runs/search", answering(403))
    with pytest.raises(UpstreamForbidden, match="'hidden'"):
        await client.answer(ListRuns(hidden, None, None, 5))
    with pytest.raises(UpstreamForbidden, match="'77'"):
        await client.answer(ListRuns("77", None, None, 5))
    fake.before = answering(403)
    with pytest.raises(UpstreamForbidden):
        await client.answer(GetExperiment("hidden"))
