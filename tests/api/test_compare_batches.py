"""What a comparison asks of MLflow: one search where the experiment is known, else all runs at once."""

import asyncio
from typing import Any

from aiohttp import web

from service.api import schemas
from tests.api.serving import API, Client, answered, refused
from tests.fakes.faults import Hook, answering, only
from tests.fakes.mlflow import FakeMlflow

REFUSED = '{"error_code": "INVALID_PARAMETER_VALUE", "message": "Invalid attribute key run_id"}'


async def listed(api: Client, fake: FakeMlflow) -> None:
    """One run was listed, so that the default experiment is known; what that asked is forgotten.

    The list brought one run more, which tells that there is a next page.
    """
    fake.add_run(run_id="listed", start_time=2_000_000_000_001)
    fake.add_run(run_id="next", start_time=2_000_000_000_000)
    assert 200 == (await api.get(f"{API}/runs?limit=1")).status
    fake.calls.clear()
    fake.max_in_flight = 0


async def compared(api: Client, *run_ids: str) -> list[str]:
    """The runs of a comparison."""
    response = await api.post(f"{API}/runs/compare", json={"run_ids": run_ids})
    return [run["run_id"] for run in (await answered(response, schemas.Comparison))["runs"]]


def until_together(fake: FakeMlflow, number: int, endpoint: str = "runs/get") -> Hook:
    """Answer nothing at this endpoint before so many calls are in flight."""
    together = asyncio.Event()

    async def hold(request: web.Request) -> None:
        if fake.in_flight == number:
            together.set()
        async with asyncio.timeout(5):
            await together.wait()

    return only(endpoint, hold)


async def test_runs_of_the_listed_experiment_are_one_search(api: Client, fake: FakeMlflow) -> None:
    """Once the default experiment is known, ten cold runs of it are one search by their ids."""
    run_ids = [fake.add_run() for _ in range(10)][::-1]
    await listed(api, fake)
    assert run_ids == await compared(api, *run_ids)
    [call] = fake.calls
    assert "runs/search" == call.endpoint
    ids = ", ".join(f"'{run_id}'" for run_id in run_ids)
    assert {
        "experiment_ids": ["0"],
        "filter": f"attributes.run_id IN ({ids})",
        "run_view_type": "ALL",
        "max_results": 10,
    } == call.json


async def test_only_what_is_not_known_is_searched(api: Client, fake: FakeMlflow) -> None:
    """Runs that a list brought are not asked for again."""
    run_ids = [fake.add_run() for _ in range(3)]
    await listed(api, fake)
    assert ["listed", *run_ids] == await compared(api, "listed", *run_ids)
    [call] = fake.calls
    assert "listed" not in call.json["filter"]
    assert run_ids == await compared(api, *run_ids)
    assert 1 == len(fake.calls)


async def test_a_single_run_that_is_not_known_is_no_search(api: Client, fake: FakeMlflow) -> None:
    """For one run runs/get is the cheaper call."""
    run_id = fake.add_run()
    await listed(api, fake)
    assert ["listed", run_id] == await compared(api, "listed", run_id)
    assert ["runs/get"] == [call.endpoint for call in fake.calls]


async def test_runs_of_other_experiments_are_fetched_besides(api: Client, fake: FakeMlflow) -> None:
    """What the search does not bring is asked for by runs/get, all at once, and by nothing else."""
    other = fake.add_experiment("other")
    here = [fake.add_run() for _ in range(4)]
    there = [fake.add_run(other) for _ in range(3)]
    await listed(api, fake)
    fake.before = until_together(fake, len(there))
    mixed = [here[0], there[0], here[1], there[1], here[2], there[2], here[3]]
    assert mixed == await compared(api, *mixed)
    assert ["runs/search", *["runs/get"] * 3] == [call.endpoint for call in fake.calls]
    assert set(there) == {call.params["run_id"] for call in fake.calls[1:]}


async def test_a_deleted_run_is_answered_by_the_search(api: Client, fake: FakeMlflow) -> None:
    """Deleted runs are compared like others, at no further call."""
    run_ids = [fake.add_run(lifecycle_stage=stage) for stage in ("deleted", "active", "deleted")]
    await listed(api, fake)
    assert run_ids == await compared(api, *run_ids)
    assert ["runs/search"] == [call.endpoint for call in fake.calls]


async def test_missing_runs_are_named_after_a_search(api: Client, fake: FakeMlflow) -> None:
    """That a run does not exist is MLflow's word at runs/get, never a gap in what a search brought."""
    run_id = fake.add_run()
    await listed(api, fake)
    body = {"run_ids": ["zzz", run_id, "aaa"]}
    problem = await refused(await api.post(f"{API}/runs/compare", json=body), 404, "run_not_found")
    assert ["zzz", "aaa"] == problem["missing_run_ids"]
    assert ["runs/search", "runs/get", "runs/get"] == [call.endpoint for call in fake.calls]


async def test_without_a_list_all_are_fetched_at_once(api: Client, fake: FakeMlflow) -> None:
    """As long as no list told which experiment is the default one, ten cold runs are ten calls together."""
    run_ids = [fake.add_run() for _ in range(10)]
    fake.before = until_together(fake, 10)
    assert run_ids == await compared(api, *run_ids)
    assert ["runs/get"] * 10 == [call.endpoint for call in fake.calls]
    assert 10 == fake.max_in_flight


async def test_a_server_without_such_a_search(api: Client, fake: FakeMlflow) -> None:
    """Where MLflow refuses to search by ids, the runs are fetched one by one, all at once."""
    run_ids = [fake.add_run() for _ in range(10)]
    await listed(api, fake)
    refuse = only("runs/search", answering(400, REFUSED, content_type="application/json"))
    hold = until_together(fake, 10)

    async def both(request: web.Request) -> web.StreamResponse | None:
        return await refuse(request) or await hold(request)

    fake.before = both
    assert run_ids == await compared(api, *run_ids)
    assert ["runs/search", *["runs/get"] * 10] == [call.endpoint for call in fake.calls]


async def test_a_search_that_fails_is_no_gap(api: Client, fake: FakeMlflow) -> None:
    """A search that fails is a failure: the runs are not asked for one by one of an MLflow in trouble."""
    run_ids = [fake.add_run() for _ in range(3)]
    await listed(api, fake)
    fake.before = only("runs/search", answering(500))
    response = await api.post(f"{API}/runs/compare", json={"run_ids": run_ids})
    await refused(response, 502, "upstream_error")
    plain = {"experiments/get-by-name"}  # after three failures MLflow is asked how it is
    assert {"runs/search"} == {call.endpoint for call in fake.calls} - plain


async def test_a_search_that_is_forbidden(api: Client, fake: FakeMlflow) -> None:
    """The runs are asked for one by one."""
    run_ids = [fake.add_run() for _ in range(3)]
    await listed(api, fake)
    fake.before = only("runs/search", answering(403))
    assert run_ids == await compared(api, *run_ids)


async def test_a_search_that_is_forbidden_as_all_else_is(api: Client, fake: FakeMlflow) -> None:
    """Where MLflow refuses the account, no run is asked for."""
    run_ids = [fake.add_run() for _ in range(3)]
    await listed(api, fake)
    fake.before = answering(403)
    response = await api.post(f"{API}/runs/compare", json={"run_ids": run_ids})
    await refused(response, 502, "upstream_auth")
    assert ["runs/search", "experiments/search"] == [call.endpoint for call in fake.calls]


async def test_others_share_the_search(api: Client, fake: FakeMlflow) -> None:
    """Who opens a run, or compares others with it, while it is searched for, asks only for what is left."""
    run_ids = [fake.add_run() for _ in range(5)]
    await listed(api, fake)
    searched = asyncio.Event()

    async def hold(request: web.Request) -> None:
        if fake.count("runs/search") == 1:
            await searched.wait()

    fake.before = hold
    asked: list[asyncio.Task[Any]] = [asyncio.create_task(compared(api, *run_ids[:3]))]
    async with asyncio.timeout(5):
        while not fake.calls:
            await asyncio.sleep(0)
        asked.append(asyncio.create_task(compared(api, *run_ids[1:])))
        while fake.count("runs/search") < 2:
            await asyncio.sleep(0)
        asked += [asyncio.create_task(_opened(api, run_id)) for run_id in run_ids]
        searched.set()
        answers = await asyncio.gather(*asked)
    assert [run_ids[:3], run_ids[1:], *run_ids] == answers
    assert ["runs/search"] * 2 == [call.endpoint for call in fake.calls]
    assert not set(run_ids[:3]) & set(fake.calls[1].json["filter"].split("'"))


async def _opened(api: Client, run_id: str) -> str:
    return str((await (await api.get(f"{API}/runs/{run_id}")).json())["run_id"])
