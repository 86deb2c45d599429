"""GET /strategies over an index."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from service.api import strategy_schemas as schemas
from tests.api.searching import BEGIN, RUNS, HeldIndex, make_run, searching
from tests.api.serving import API, Client, answered, refused
from tests.fakes.mlflow import FakeMlflow

STRATEGIES = f"{API}/strategies"


@pytest.fixture
def index() -> HeldIndex:
    """An index of sixty runs of five strategies, and of one run that belongs to none."""
    return HeldIndex([*RUNS, make_run(60, tags={"run_type": "training"})])


@pytest.fixture
async def api(index: HeldIndex, fake: FakeMlflow) -> AsyncIterator[Client]:
    """The service over that index."""
    async with searching(index, fake) as client:
        yield client


async def listed(api: Client, **query: str) -> dict[str, Any]:
    return await answered(await api.get(STRATEGIES, params=query), schemas.StrategyList)


async def test_a_strategy_is_a_group_of_its_runs(api: Client) -> None:
    """Each strategy has its runs, statuses, times and metrics; runs that belong to none are in none."""
    answer = await listed(api, metrics="sharpe", order_by="key")
    assert ["s0", "s1", "s2", "s3", "s4"] == [one["strategy_id"] for one in answer["strategies"]]
    first = answer["strategies"][0]
    assert (12, {"FINISHED": 12}) == (first["runs"], first["statuses"])
    assert (BEGIN, BEGIN + 55 * 60_000) == (first["first_start_time"], first["last_start_time"])
    assert (12, "run055") == (first["metrics"]["sharpe"]["n"], first["metrics"]["sharpe"]["best_run_id"])
    assert 5 == answer["total"]


async def test_the_kinds_of_runs_are_counted(api: Client, index: HeldIndex) -> None:
    """Each strategy says how many runs it has of each run type, and how many have none."""
    index.put(make_run(70, tags={"strategy_id": "s9"}), make_run(71, tags={"strategy_id": "s9"}))
    answer = await listed(api, order_by="key desc")
    assert {"unknown": 2} == answer["strategies"][0]["run_types"]
    assert {"training": 4, "backtest": 4, "cpcv": 4} == answer["strategies"][1]["run_types"]


async def test_more_kinds_of_runs_than_one_look_shows(api: Client, index: HeldIndex) -> None:
    """All run types of a strategy are counted, however many there are."""
    index.put(*(make_run(n, tags={"strategy_id": "many", "run_type": f"t{n}"}) for n in range(100, 550)))
    [many] = (await listed(api, filter="tags.strategy_id = 'many'"))["strategies"]
    assert {f"t{n}": 1 for n in range(100, 550)} == many["run_types"]


async def test_a_filter_narrows_runs_and_kinds(api: Client) -> None:
    """Only runs that match are counted, by type, too; where none does, there is no strategy."""
    answer = await listed(api, filter="tags.run_type = 'cpcv' OR metrics.sharpe < 0")
    assert [(4, {"cpcv": 4})] * 5 == [(one["runs"], one["run_types"]) for one in answer["strategies"]]
    nothing = await listed(api, filter="metrics.sharpe > 99")
    assert ([], 0) == (nothing["strategies"], nothing["total"])


async def test_pages_meet_every_strategy_once(api: Client) -> None:
    """A walk over pages, by token or by `Link`, meets each strategy once."""
    walked, token = [], ""
    while token is not None:
        response = await api.get(STRATEGIES, params={"page_size": "2", "page_token": token})
        found = await answered(response, schemas.StrategyList)
        walked += [one["strategy_id"] for one in found["strategies"]]
        token = found["next_page_token"]
        assert (token is not None) == ("next" in response.links)
    assert ["s0", "s1", "s2", "s3", "s4"] == walked


@pytest.mark.parametrize(
    ("query", "location"),
    [
        ({"filter": "status"}, "query.filter"),
        ({"order_by": "metrics.sharpe.mean"}, "query.order_by"),
        ({"page_size": "0"}, "query.page_size"),
        ({"page_token": "x"}, "query.page_token"),
        ({"experiment_id": "x"}, "query.experiment_id"),
    ],
)
async def test_what_is_wrong_is_said(api: Client, query: dict[str, str], location: str) -> None:
    """Bad input is a 422 that names the place."""
    body = await refused(await api.get(STRATEGIES, params=query), 422, "invalid_request")
    assert [location] == [error["location"] for error in body["errors"]]


async def test_strategies_are_kept_and_validated(api: Client, index: HeldIndex) -> None:
    """The list is made once until the index may answer otherwise, and is validated."""
    first = await api.get(STRATEGIES)
    searches = index.searches
    headers = {"If-None-Match": first.headers["ETag"]}
    assert 304 == (await api.get(STRATEGIES, headers=headers)).status
    assert searches == index.searches
    index.put(make_run(61))
    assert 200 == (await api.get(STRATEGIES, headers=headers)).status


async def test_who_wants_it_anew_makes_the_index_look(api: Client, index: HeldIndex) -> None:
    """Cache-Control: no-cache has new runs looked for before."""
    await api.get(STRATEGIES, headers={"Cache-Control": "no-cache"})
    assert 1 == index.refreshes


async def test_an_index_that_is_not_ready(api: Client, index: HeldIndex) -> None:
    """Before all runs have been read there is no list; an experiment that is never read is a 422."""
    index.complete, index.followed = set(), {"0"}
    await refused(await api.get(STRATEGIES), 503, "index_not_ready")
    body = await refused(await api.get(STRATEGIES, params={"experiment_id": "7"}), 422, "invalid_request")
    assert ["query.experiment_id"] == [error["location"] for error in body["errors"]]


async def test_without_an_index_there_are_no_strategies(fake: FakeMlflow) -> None:
    """A service whose index is switched off says so, and what can be done."""
    async with searching(None, fake) as client:
        body = await refused(await client.get(STRATEGIES), 422, "invalid_request")
    assert "TRACKING_INDEX__ENABLED" in body["errors"][0]["message"]


async def test_without_the_default_experiment_there_are_no_strategies(fake: FakeMlflow) -> None:
    """Where the default experiment does not exist any more, the list is empty."""
    fake.store.experiments["0"].lifecycle_stage = "deleted"
    async with searching(HeldIndex(RUNS), fake) as client:
        assert [] == (await listed(client))["strategies"]
