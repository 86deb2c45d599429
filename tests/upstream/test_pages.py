"""Walking a list page by page, over MLflow and over servers that ignore or refuse parts of a question."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from service.tracking.questions import ListRuns
from service.tracking.runs import Place
from service.upstream.client import MlflowClient
from service.upstream.transport import Limits, MlflowTransport
from tests.fakes import others
from tests.fakes.mlflow import FakeMlflow

STARTS = st.integers(-1, 3)
RUNS = st.lists(st.tuples(STARTS, st.sampled_from(["a", "b", "it's \" a"])), max_size=14)
LIMITS = st.integers(1, 5)
FILTERS = st.sampled_from([None, "a", "it's \" a"])


def refusing(part: str) -> Callable[[FakeMlflow], Any]:
    """A server that refuses each filter with this text in it."""

    def of(_fake: FakeMlflow) -> Any:
        async def hook(request: web.Request) -> web.Response | None:
            is_search = request.path.endswith("runs/search")
            if is_search and part in (await request.json()).get("filter", ""):
                return web.json_response({"error": "filter is invalid"}, status=400)
            return None

        return hook

    return of


SERVERS = {
    "mlflow": lambda _fake: None,
    "fasttrackml": others.fasttrackml,
    "gitlab": others.gitlab,
    "ties reversed": others.with_ties_reversed,
    "no start_time in filters": refusing("start_time"),
    "no filters": refusing(" "),
}


async def pages_of(
    client: MlflowClient,
    run_type: str | None,
    limits: list[int],
    between: Callable[[], object] = lambda: None,
) -> list[str]:
    """The ids of all pages. limits: of one page after another, again and again. between: done after each."""
    run_ids: list[str] = []
    after: Place | None = None
    for turn in range(100):
        limit = limits[turn % len(limits)]
        runs = (await client.answer(ListRuns("0", run_type, None, limit + 1, after))).value
        run_ids += [run.run_id for run in runs[:limit]]
        if len(runs) <= limit:
            return run_ids
        after = runs[limit - 1].place
        between()
    raise AssertionError("the pages do not end")


async def over(server: str, walk: Callable[[FakeMlflow, MlflowClient], Awaitable[None]]) -> None:
    """Walk over an MLflow of its own."""
    async with (
        FakeMlflow().serve() as fake,
        MlflowTransport(fake.url, Limits(attempts=1)) as transport,
    ):
        fake.before = SERVERS[server](fake)
        await walk(fake, MlflowClient(transport))


def expected_of(fake: FakeMlflow, run_type: str | None) -> list[str]:
    """The ids of all runs of the type, newest start first."""
    runs = [run for run in fake.store.newest_first(["0"]) if run_type in (None, run.tags.get("run_type"))]
    return [run.run_id for run in runs]


@pytest.mark.parametrize("server", SERVERS)
@given(runs=RUNS, limits=st.lists(LIMITS, min_size=1, max_size=3), run_type=FILTERS)
async def test_every_run_is_met_exactly_once(
    server: str, runs: list[tuple[int, str]], limits: list[int], run_type: str | None
) -> None:
    """In order, however many runs started together, whatever the limits, and whatever the server lacks."""

    async def walk(fake: FakeMlflow, client: MlflowClient) -> None:
        for number, (start_time, type_) in enumerate(runs):
            fake.add_run(run_id=f"r{number:02}", start_time=start_time, tags={"run_type": type_})
        assert expected_of(fake, run_type) == await pages_of(client, run_type, limits)

    await over(server, walk)


@pytest.mark.parametrize("server", ["mlflow", "gitlab", "ties reversed"])
@given(runs=RUNS, limit=LIMITS, arriving=st.lists(st.lists(STARTS | st.just(9), max_size=3), min_size=14))
async def test_no_run_is_missed_while_others_arrive(
    server: str, runs: list[tuple[int, str]], limit: int, arriving: list[list[int]]
) -> None:
    """Whatever arrives between two pages, before or behind: what was there is met once, and nothing twice."""

    async def walk(fake: FakeMlflow, client: MlflowClient) -> None:
        for number, (start_time, _) in enumerate(runs):
            fake.add_run(run_id=f"r{number:02}", start_time=start_time)
        expected, coming = expected_of(fake, None), iter(arriving)

        def arrive() -> None:
            for start_time in next(coming, []):
                fake.add_run(start_time=start_time)

        run_ids = await pages_of(client, None, [limit], arrive)
        assert expected == [run_id for run_id in run_ids if run_id in expected]
        assert len(set(run_ids)) == len(run_ids)

    await over(server, walk)


async def test_more_runs_of_one_start_than_a_page_has() -> None:
    """They are read on over with MLflow's own tokens, in larger pages, from their first on."""

    async def walk(fake: FakeMlflow, client: MlflowClient) -> None:
        for number in range(300):
            fake.add_run(run_id=f"r{number:03}", start_time=5)
        newest = (await client.answer(ListRuns("0", None, None, 10, Place(5, "r249")))).value
        assert [f"r{number:03}" for number in range(250, 260)] == [run.run_id for run in newest]
        assert [11, 44, 176, 704] == [call.json["max_results"] for call in fake.calls]
        assert {"attributes.start_time <= 5"} == {call.json["filter"] for call in fake.calls}

    await over("mlflow", walk)


async def test_runs_without_a_start_come_last() -> None:
    """Behind one of them MLflow cannot begin, so that all are read; behind all others it can."""

    async def walk(fake: FakeMlflow, client: MlflowClient) -> None:
        infos: list[dict[str, Any]] = [{"run_id": one, "status": "FINISHED"} for one in "abc"]
        infos.insert(0, {**infos[0], "run_id": "z", "start_time": 5})

        async def everything(request: web.Request) -> web.Response:
            return web.json_response({"runs": [{"info": info} for info in infos]})

        fake.before = everything
        assert ["z", "a", "b", "c"] == await pages_of(client, None, [1])
        assert ["attributes.start_time <= 5", ""] == [call.json["filter"] for call in fake.calls[1:3]]

    await over("mlflow", walk)
