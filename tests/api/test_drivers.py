"""GET /strategies/{strategy_id}/drivers over an index."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from service.api import drivers_schemas as schemas
from service.tracking.analysis.trials import MOST_TRIALS
from tests.api.searching import HeldIndex, make_run, searching
from tests.api.serving import API, Client, answered, refused
from tests.fakes.mlflow import FakeMlflow

DRIVERS = f"{API}/strategies/alpha/drivers"


def tried(number: int, **fields: Any) -> Any:
    """One of 48 runs: depth 6 is better by 1, the rate moves with the features, the seed does nothing."""
    depth, rate, seed = number % 2, number // 2 % 2, number // 4
    return make_run(
        number,
        params={"depth": str(4 + 2 * depth), "rate": ("0.1", "5e-2")[rate], "seed": str(seed)},
        metrics={
            "sharpe": 1.0 + depth + 0.5 * rate + 0.01 * (seed * 5 % 7),
            "max_drawdown": -0.2 - 0.1 * depth,
        },
        tags={
            "strategy_id": "alpha",
            "run_type": "backtest",
            "git_commit": "abc",
            "feature_version": f"v{rate}",
        },
        **fields,
    )


@pytest.fixture
def index() -> HeldIndex:
    """An index of the 48 runs of one strategy, of a run that failed and of another strategy's run."""
    return HeldIndex([*map(tried, range(48)), tried(48, status="FAILED"), make_run(49)])


@pytest.fixture
async def api(index: HeldIndex, fake: FakeMlflow) -> AsyncIterator[Client]:
    """The service over that index."""
    async with searching(index, fake) as client:
        yield client


async def drivers(api: Client, address: str = DRIVERS, **query: str) -> dict[str, Any]:
    return await answered(await api.get(address, params={"metric": "sharpe", **query}), schemas.Drivers)


async def test_the_change_that_did_it_comes_first(api: Client) -> None:
    """The first pairs are those of the parameter that made the metric better, with their figures."""
    first = (await drivers(api))["pairs"][0]
    assert ("params", "depth", 4.0, 6.0) == (first["kind"], first["parameter"], first["from"], first["to"])
    assert (24, 1.0, 1.0, None) == (
        first["n"],
        first["share_positive"],
        first["share_better"],
        first["reason"],
    )
    assert pytest.approx(1.0) == first["mean"]
    assert 3 == len(first["examples"])


async def test_what_is_read_is_said(api: Client) -> None:
    """The answer says how many runs there are, how many are used, and which way the metric is better."""
    answer = await drivers(api)
    assert (49, 48, "max") == (answer["runs"], answer["used"], answer["direction"])
    assert [{"run_type": "backtest", "runs": 48, "configurations": 48, "reason": None}] == answer["run_types"]
    assert answer["rule"] is not None
    assert answer["index"]["complete"]


async def test_an_association_is_called_no_cause(api: Client) -> None:
    """The surest association is that of the parameter that works; the answer says that it is no cause."""
    answer = await drivers(api)
    first = answer["associations"][0]
    assert ("depth", "spearman", True) == (first["parameter"], first["method"], first["rise_is_better"])
    assert first["q_value"] < 0.001
    assert "not a cause" in answer["notes"]["associations"]


async def test_what_moved_together_is_named(api: Client) -> None:
    """A rate that changed with the features only is named with them, and what never varied is listed."""
    confounded = (await drivers(api))["confounded"]
    [group] = confounded["together"]
    assert [{"kind": "params", "parameter": "rate"}, {"kind": "tags", "parameter": "feature_version"}] == (
        group["parameters"]
    )
    assert ["git_commit"] == [each["parameter"] for each in confounded["constant"]]


async def test_the_direction_of_the_metric_counts(api: Client) -> None:
    """A drawdown that gets deeper with the depth rises in no pair, and is better in none."""
    answer = await drivers(api, metric="max_drawdown")
    first = answer["pairs"][0]
    assert ("depth", 0.0, 0.0) == (first["parameter"], first["share_positive"], first["share_better"])


async def test_a_filter_narrows_the_runs(api: Client) -> None:
    """Only runs that match the filter are compared; with few of them there are pairs and a reason."""
    answer = await drivers(api, filter="number(params.seed) < 2")
    assert (8, []) == (answer["used"], answer["associations"])
    assert "too_few_trials" == answer["run_types"][0]["reason"]["code"]
    assert answer["pairs"]


async def test_results_can_be_ignored(api: Client) -> None:
    """A parameter that is ignored is listed nowhere; runs that differ in it alone are one configuration."""
    response = await api.get(f"{DRIVERS}?metric=sharpe&ignore=params.seed&ignore=tags.feature_version")
    answer = await answered(response, schemas.Drivers)
    assert 4 == answer["run_types"][0]["configurations"]
    assert {"depth", "rate"} == {each["parameter"] for each in answer["pairs"]}


async def test_an_unknown_strategy_or_metric_has_no_drivers(api: Client) -> None:
    """A strategy that no run belongs to, and a metric that none has, give empty lists and their counts."""
    nobody = await drivers(api, f"{API}/strategies/nobody/drivers")
    assert (0, 0, [], []) == (nobody["runs"], nobody["used"], nobody["pairs"], nobody["associations"])
    nothing = await drivers(api, metric="nothing")
    assert (49, 0, []) == (nothing["runs"], nothing["used"], nothing["run_types"])


@pytest.mark.parametrize(
    ("query", "location"),
    [
        ("", "query.metric"),
        ("metric=", "query.metric"),
        ("metric=sharpe&filter=status", "query.filter"),
        ("metric=sharpe&ignore=params", "query.ignore"),
        ("metric=sharpe&ignore=metrics.sharpe", "query.ignore"),
        ("metric=sharpe&experiment_id=x", "query.experiment_id"),
    ],
)
async def test_what_is_wrong_is_said(api: Client, query: str, location: str) -> None:
    """Bad input is a 422 that names the place."""
    body = await refused(await api.get(f"{DRIVERS}?{query}"), 422, "invalid_request")
    assert [location] == [error["location"] for error in body["errors"]]


async def test_too_many_trials_are_refused(api: Client, index: HeldIndex) -> None:
    """More trials than can be compared are a 422 that says to narrow them."""
    index.put(*(make_run(n, tags={"strategy_id": "many"}) for n in range(100, 101 + MOST_TRIALS)))
    response = await api.get(f"{API}/strategies/many/drivers?metric=sharpe")
    body = await refused(response, 422, "invalid_request")
    assert ["query.filter"] == [error["location"] for error in body["errors"]]


async def test_drivers_are_kept_and_validated(api: Client, index: HeldIndex) -> None:
    """The answer is made once until the index may answer otherwise, and is validated."""
    first = await api.get(f"{DRIVERS}?metric=sharpe")
    searches = index.searches
    headers = {"If-None-Match": first.headers["ETag"]}
    assert 304 == (await api.get(f"{DRIVERS}?metric=sharpe", headers=headers)).status
    assert searches == index.searches
    index.put(tried(50))
    assert 200 == (await api.get(f"{DRIVERS}?metric=sharpe", headers=headers)).status


async def test_who_wants_it_anew_makes_the_index_look(api: Client, index: HeldIndex) -> None:
    """Cache-Control: no-cache has new runs looked for before."""
    await api.get(f"{DRIVERS}?metric=sharpe", headers={"Cache-Control": "no-cache"})
    assert 1 == index.refreshes


async def test_an_index_that_is_not_ready(api: Client, index: HeldIndex) -> None:
    """Before all runs have been read nothing is compared; an experiment that is never read is a 422."""
    index.complete, index.followed = set(), {"0"}
    await refused(await api.get(f"{DRIVERS}?metric=sharpe"), 503, "index_not_ready")
    response = await api.get(f"{DRIVERS}?metric=sharpe&experiment_id=7")
    body = await refused(response, 422, "invalid_request")
    assert ["query.experiment_id"] == [error["location"] for error in body["errors"]]


async def test_mlflow_that_fails_is_no_empty_answer(fake: FakeMlflow) -> None:
    """Where MLflow cannot say which experiment to read, that is an error and not a strategy without runs."""
    async with searching(HeldIndex(), fake) as client:
        await fake.stop()
        await refused(await client.get(f"{DRIVERS}?metric=sharpe"), 502, "upstream_error")


async def test_without_the_default_experiment_there_are_no_drivers(fake: FakeMlflow) -> None:
    """Where the default experiment does not exist any more, no run is compared."""
    fake.store.experiments["0"].lifecycle_stage = "deleted"
    async with searching(HeldIndex([tried(1)]), fake) as client:
        assert 0 == (await drivers(client))["runs"]
