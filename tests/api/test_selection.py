"""GET /strategies/{strategy_id}/selection over an index."""

import math
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from service.api import selection_schemas as schemas
from service.tracking.analysis.trials import MOST_TRIALS
from service.tracking.runs import Run
from tests.api.searching import HeldIndex, make_run, over, searching
from tests.api.serving import API, Client, answered, refused
from tests.fakes.faults import answering
from tests.fakes.mlflow import FakeMlflow

DAYS = 1_250
TAGS = {"strategy_id": "s", "run_type": "backtest", "sharpe_unit": "annual", "periods_per_year": "252"}


def trial(number: int, sharpe: float | None, **fields: Any) -> Run:
    """A backtest of five years of daily returns. sharpe: annual; None where it was not logged."""
    metrics = {"n_obs": float(DAYS)} | ({} if sharpe is None else {"sharpe": sharpe})
    fields = {"params": {"lookback": str(number)}, "tags": TAGS, "metrics": metrics} | fields
    return make_run(number, **fields)


def path(strategy_id: str = "s") -> str:
    return f"{API}/strategies/{strategy_id}/selection"


async def selected(api: Client, strategy_id: str = "s", **query: str) -> dict[str, Any]:
    response = await api.get(path(strategy_id), params={"metric": "sharpe", **query})
    return await answered(response, schemas.SelectionReport)


@pytest.fixture
def index() -> HeldIndex:
    """An index of six trials."""
    sharpes = (2.9, 1.1, 0.4, 0.2, -0.3, 0.9)
    return HeldIndex([trial(number, sharpe) for number, sharpe in enumerate(sharpes)])


@pytest.fixture
async def api(index: HeldIndex, fake: FakeMlflow) -> AsyncIterator[Client]:
    """The service over that index."""
    async with searching(index, fake) as client:
        yield client


async def test_a_good_trial_among_few_is_more_than_luck(api: Client) -> None:
    """An annual Sharpe ratio of 2.9 over five years, the best of six trials, passes what noise reaches."""
    report = await selected(api)
    assert ("more_than_luck", "run000", 6) == (
        report["verdict"]["code"],
        report["best_run_id"],
        report["trials"]["all"],
    )
    assert 2.9 / math.sqrt(252) == pytest.approx(report["sharpe"]["value"])
    assert report["dsr"]["value"] >= 0.95
    assert "Bailey" in report["dsr"]["method"]["reference"]
    sources = {one["name"]: one["source"] for one in report["dsr"]["inputs"]}
    assert ("metrics.n_obs", "assumed", "derived") == (
        sources["observations"],
        sources["skewness"],
        sources["trials"],
    )


async def test_the_best_of_much_noise_is_luck(api: Client, index: HeldIndex) -> None:
    """The best of two hundred trials without skill looks good by itself, and is called luck."""
    dice = random.Random(7)
    noise = {**TAGS, "strategy_id": "noise"}
    index.put(*(trial(n, dice.gauss(0, 1 / math.sqrt(5)), tags=noise) for n in range(100, 300)))
    report = await selected(api, "noise")
    assert ("luck", 200) == (report["verdict"]["code"], report["trials"]["all"])
    assert report["psr"]["value"] > 0.95 > report["dsr"]["value"]
    assert report["expected_best_of_noise"]["value"] == pytest.approx(1.23, abs=0.03)


async def test_what_the_query_declares_is_used_and_said(api: Client) -> None:
    """Unit, returns, moments and formulas of the query are used, and each input says so."""
    declared = {"observations": "60", "skew": "-1", "kurtosis": "5", "kurtosis_convention": "excess"}
    report = await selected(
        api, unit="annual", periods_per_year="12", method="ldp2025", alpha="0.1", **declared
    )
    inputs = {one["name"]: one for one in report["psr"]["inputs"]}
    for name, value in (("observations", 60), ("skewness", -1), ("kurtosis", 8)):
        assert (value, "query") == (inputs[name]["value"], inputs[name]["source"])
    assert ("ldp2025", 0.9) == (report["method"], report["level"])
    assert 2.9 / math.sqrt(12) == pytest.approx(report["sharpe"]["value"])


async def test_what_is_not_declared_is_refused(api: Client, index: HeldIndex) -> None:
    """Without a unit there is no number, and the reason says what to do: nothing is guessed."""
    index.put(trial(10, 1.0, tags={"strategy_id": "bare", "run_type": "backtest"}))
    report = await selected(api, "bare")
    assert (None, "unit_unknown") == (report["dsr"]["value"], report["dsr"]["reason"]["code"])
    assert "unit=annual" in report["dsr"]["reason"]["text"]
    assert "undecided" == report["verdict"]["code"]
    assert 1 == report["trials"]["all"]


async def test_failed_and_deleted_trials_count(api: Client, index: HeldIndex, fake: FakeMlflow) -> None:
    """A run that failed and runs that were deleted were tried; MLflow is asked for the deleted ones."""
    index.put(trial(10, None, status="FAILED"))
    for number in range(3):
        tags = TAGS if number else {**TAGS, "strategy_id": "other"}
        fake.add_run(tags=tags, metrics={"sharpe": 0.1}, params={"lookback": "0"}, lifecycle_stage="deleted")
    report = await selected(api)
    counts = ("all", "failed", "deleted", "deleted_reason", "distinct", "with_sharpe")
    assert (9, 1, 2, None, 7, 8) == tuple(report["trials"][name] for name in counts)
    assert "run000" == report["best_run_id"]


async def test_a_filter_holds_for_deleted_trials_too(api: Client, fake: FakeMlflow) -> None:
    """A filter that MLflow's grammar cannot say narrows deleted runs as it narrows those that are there."""
    for lookback in ("0", "1", "7"):
        fake.add_run(
            tags=TAGS, metrics={"sharpe": 0.1}, params={"lookback": lookback}, lifecycle_stage="deleted"
        )
    report = await selected(api, filter="number(params.lookback) < 3 OR params.lookback = 'x'")
    assert (5, 2) == (report["trials"]["all"], report["trials"]["deleted"])


async def test_run_types_that_do_not_log_the_metric_are_no_trials(api: Client, index: HeldIndex) -> None:
    """The answer says which run types count, and how many runs of others there are."""
    training = {**TAGS, "run_type": "training"}
    index.put(trial(10, None, tags=training), trial(11, 0.5, tags={**TAGS, "run_type": "walk_forward"}))
    report = await selected(api)
    assert ["1 training" in warning for warning in report["warnings"]] == [True]
    trials = report["trials"]
    assert (["backtest", "walk_forward"], "derived", {"training": 1}) == (
        trials["run_types"],
        trials["run_types_source"],
        trials["other_run_types"],
    )
    trials = (await selected(api, run_type="backtest,cpcv"))["trials"]
    assert (["backtest"], "query", {"training": 1, "walk_forward": 1}) == (
        trials["run_types"],
        trials["run_types_source"],
        trials["other_run_types"],
    )


async def test_child_runs_that_are_folds_do_not_count_twice(api: Client, index: HeldIndex) -> None:
    """A child with the parameters of its parent is a part of it, one with others is a trial."""
    child = {**TAGS, "mlflow.parentRunId": "run001"}
    index.put(*(trial(n, 0.3, tags=child, params={"lookback": "1", "fold": str(n)}) for n in (10, 11)))
    index.put(trial(12, 0.3, tags=child))
    trials = (await selected(api))["trials"]
    assert (7, 2) == (trials["all"], trials["parts"])


async def test_a_strategy_that_nobody_knows_has_no_trials(api: Client) -> None:
    """As an unknown filter lists nothing, an unknown strategy has a report on no trials."""
    report = await selected(api, "nobody")
    assert (0, None, None) == (report["trials"]["all"], report["best_run_id"], report["dsr"]["value"])
    assert report["dsr"]["reason"]["text"]


async def test_without_the_default_experiment_there_are_no_trials(fake: FakeMlflow) -> None:
    """Where the default experiment does not exist any more, there is nothing to select from."""
    fake.store.experiments["0"].lifecycle_stage = "deleted"
    async with searching(HeldIndex(), fake) as client:
        assert 0 == (await selected(client))["trials"]["all"]


async def test_too_many_trials_are_refused(api: Client, index: HeldIndex) -> None:
    """Past the bound the answer is a 422 that says to narrow the trials."""
    index.put(*(trial(number, 0.1) for number in range(1_000, 1_000 + MOST_TRIALS)))
    body = await refused(await api.get(path(), params={"metric": "sharpe"}), 422, "invalid_request")
    [error] = body["errors"]
    assert "query.filter" == error["location"]
    assert "5,000" in error["message"]
    assert 1 == (await selected(api, filter="params.lookback = '1007'"))["trials"]["all"]


@pytest.mark.parametrize(
    ("query", "location"),
    [
        ({}, "query.metric"),
        ({"metric": ""}, "query.metric"),
        ({"unit": "daily"}, "query.unit"),
        ({"periods_per_year": "0"}, "query.periods_per_year"),
        ({"periods_per_year": "nan"}, "query.periods_per_year"),
        ({"observations": "1e999"}, "query.observations"),
        ({"kurtosis_convention": "normal"}, "query.kurtosis_convention"),
        ({"benchmark": "inf"}, "query.benchmark"),
        ({"target": "-1"}, "query.target"),
        ({"alpha": "1"}, "query.alpha"),
        ({"method": "sharpe1994"}, "query.method"),
        ({"autocorrelation": "0.1"}, "query.autocorrelation"),
        ({"method": "ldp2025", "autocorrelation": "1"}, "query.autocorrelation"),
        ({"run_type": ",".join(map(str, range(21)))}, "query.run_type"),
        ({"filter": "sharpe >"}, "query.filter"),
        ({"experiment_id": "x"}, "query.experiment_id"),
    ],
)
async def test_what_is_wrong_is_said(api: Client, query: dict[str, str], location: str) -> None:
    """Bad input is a 422 that names the place."""
    query = query if "metric" in query or location == "query.metric" else {"metric": "sharpe", **query}
    body = await refused(await api.get(path(), params=query), 422, "invalid_request")
    assert [location] == [error["location"] for error in body["errors"]]


async def test_empty_parameters_are_none(api: Client) -> None:
    """A parameter without a value is as good as left out."""
    names = ("unit", "periods_per_year", "observations", "skew", "kurtosis", "kurtosis_convention")
    more = ("benchmark", "target", "autocorrelation", "run_type", "fold_metric", "filter", "experiment_id")
    assert await selected(api) == await selected(api, **dict.fromkeys((*names, *more), ""))


async def test_mlflow_down_is_never_a_smaller_count(api: Client, fake: FakeMlflow) -> None:
    """Deleted trials that MLflow cannot be asked for are an error."""
    fake.before = answering(500)
    await refused(
        await api.get(path(), params={"metric": "sharpe", "experiment_id": "0"}), 502, "upstream_error"
    )


async def test_remembered_deleted_trials_stand_in(index: HeldIndex, fake: FakeMlflow) -> None:
    """While MLflow fails, remembered deleted trials count, and the answer says that it is stale."""
    fake.add_run(tags=TAGS, metrics={"sharpe": 0.1}, lifecycle_stage="deleted")
    index.age = 0.0
    async with Client(over(index, fake, cache={"list_ttl": 0, "stale_if_error": 600})) as api:
        await selected(api, experiment_id="0")
        fake.before = answering(500)
        index.put(trial(20, 0.7))
        response = await api.get(path(), params={"metric": "sharpe", "experiment_id": "0"})
        trials = (await answered(response, schemas.SelectionReport))["trials"]
    assert (8, 1) == (trials["all"], trials["deleted"])
    assert "stale" in response.headers["Cache-Status"]


async def test_a_server_that_lists_no_deleted_runs(api: Client, fake: FakeMlflow) -> None:
    """Where the server ignores what is asked about deleted runs, their number is null, with the reason."""
    there = {"run_id": "a", "status": "FINISHED", "experiment_id": "0", "lifecycle_stage": "active"}

    async def ignoring(request: web.Request) -> web.StreamResponse | None:
        body = await request.text()
        return web.json_response({"runs": [{"info": there}]}) if "DELETED_ONLY" in body else None

    fake.before = ignoring
    report = await selected(api)
    assert None is report["trials"]["deleted"]
    assert "does not list deleted runs" in report["trials"]["deleted_reason"]
    assert any("deleted" in warning.lower() for warning in report["warnings"])


async def test_a_report_is_kept_and_validated(api: Client, index: HeldIndex) -> None:
    """The report is made once until the trials may be others, and is validated."""
    first = await api.get(path(), params={"metric": "sharpe"})
    searches = index.searches
    headers = {"If-None-Match": first.headers["ETag"]}
    assert 304 == (await api.get(path(), params={"metric": "sharpe"}, headers=headers)).status
    assert searches == index.searches
    index.put(trial(20, 0.7))
    assert 200 == (await api.get(path(), params={"metric": "sharpe"}, headers=headers)).status


async def test_who_wants_it_anew_has_mlflow_asked(api: Client, index: HeldIndex, fake: FakeMlflow) -> None:
    """Cache-Control: no-cache looks for new runs, and asks MLflow for deleted ones again."""
    await selected(api)
    fake.add_run(tags=TAGS, metrics={"sharpe": 0.1}, lifecycle_stage="deleted")
    response = await api.get(path(), params={"metric": "sharpe"}, headers={"Cache-Control": "no-cache"})
    report = await answered(response, schemas.SelectionReport)
    assert (1, 1) == (index.refreshes, report["trials"]["deleted"])


async def test_an_index_that_is_not_ready(api: Client, index: HeldIndex) -> None:
    """Before all runs have been read nobody knows the number of trials; never indexed is a 422."""
    index.complete, index.followed = set(), {"0"}
    await refused(await api.get(path(), params={"metric": "sharpe"}), 503, "index_not_ready")
    query = {"metric": "sharpe", "experiment_id": "7"}
    body = await refused(await api.get(path(), params=query), 422, "invalid_request")
    assert ["query.experiment_id"] == [error["location"] for error in body["errors"]]


async def test_without_an_index_there_is_no_selection(fake: FakeMlflow) -> None:
    """A service whose index is switched off says so, and what can be done."""
    async with searching(None, fake) as client:
        body = await refused(await client.get(path(), params={"metric": "sharpe"}), 422, "invalid_request")
    assert "TRACKING_INDEX__ENABLED" in body["errors"][0]["message"]


@pytest.mark.parametrize("alpha", ["1e-17", "1e-300"])
async def test_any_alpha_above_zero_is_answered(api: Client, alpha: str) -> None:
    """A level that is 1.0 as a float takes many returns, and not an error."""
    report = await selected(api, alpha=alpha)
    assert report["min_track_record"]["value"] > DAYS
