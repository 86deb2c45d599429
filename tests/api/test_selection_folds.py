"""What the folds of walk-forward runs add to a selection: how likely the choice is overfitted."""

import math
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from service.api import selection_schemas as schemas
from service.tracking.analysis.reading_folds import MOST_RUNS
from tests.api.searching import HeldIndex, make_run, searching
from tests.api.serving import API, Client, answered, refused
from tests.fakes.faults import answering
from tests.fakes.mlflow import FakeMlflow

SELECTION = f"{API}/strategies/s/selection"
HISTORY = "metrics/get-history"
TAGS = {"strategy_id": "s", "run_type": "walk_forward", "sharpe_unit": "annual", "periods_per_year": "252"}


@pytest.fixture
def index() -> HeldIndex:
    """An index that holds no runs yet."""
    return HeldIndex()


@pytest.fixture
async def api(index: HeldIndex, fake: FakeMlflow) -> AsyncIterator[Client]:
    """The service over that index."""
    async with searching(index, fake) as client:
        yield client


def walk(
    index: HeldIndex,
    fake: FakeMlflow,
    number: int,
    folds: Sequence[float],
    key: str = "fold_sharpe",
    status: str = "FINISHED",
) -> None:
    """A walk forward with one value a fold, in the index and in MLflow."""
    last = None if math.isnan(folds[-1]) else folds[-1]
    metrics = {"sharpe": 0.1 * number, key: last, "n_obs": 1_250.0}
    params = {"lookback": str(number % 1_000)}
    run = make_run(number, params=params, metrics=metrics, tags=TAGS, status=status)
    index.put(run)
    fake.add_run(run_id=run.run_id, start_time=run.start_time, params=params, tags=run.tags, status=status)
    fake.log(run.run_id, key, [(step, 1_000 + step, value) for step, value in enumerate(folds)])


async def selected(api: Client, **query: str) -> dict[str, Any]:
    response = await api.get(SELECTION, params={"metric": "sharpe", **query})
    return await answered(response, schemas.SelectionReport)


async def test_a_trial_that_is_best_in_every_fold_is_not_overfitted(
    api: Client, index: HeldIndex, fake: FakeMlflow
) -> None:
    """Where one configuration is best in all folds, the probability of overfitting is zero."""
    for number in range(5):
        walk(index, fake, number, [number + step / 10 for step in range(6)])
    report = await selected(api)
    assert (0.0, "fold_sharpe") == (report["pbo"]["value"], report["fold_metric"])
    inputs = {one["name"]: one["value"] for one in report["pbo"]["inputs"]}
    assert (5, 6, 20) == (inputs["configurations"], inputs["folds"], inputs["halves"])
    assert report["effective_trials"]["value"] is not None


async def test_walks_that_logged_no_fold_are_left_out(
    api: Client, index: HeldIndex, fake: FakeMlflow
) -> None:
    """Runs that failed before they logged the metric change nothing, wherever they stand among the others."""
    for number in range(5):
        walk(index, fake, number, [number + step / 10 for step in range(6)])
    before = await selected(api)
    for number, lookback in ((10, "4"), (11, "0"), (12, "other")):
        params = {"lookback": lookback}
        index.put(make_run(number, params=params, metrics={"loss": 1.0}, tags=TAGS, status="FAILED"))
    index.put(make_run(13, params={"lookback": "4"}, metrics={}, tags=TAGS, start_time=1))
    after = await selected(api)
    assert before["pbo"] == after["pbo"]


@pytest.mark.parametrize(
    ("status", "folds"),
    [("FAILED", [0.9, 0.1]), ("RUNNING", [0.9]), ("FINISHED", [math.nan] * 6)],
    ids=["failed", "running", "only NaN"],
)
async def test_a_newer_run_without_all_folds_takes_no_configuration_away(
    api: Client, index: HeldIndex, fake: FakeMlflow, status: str, folds: list[float]
) -> None:
    """The run that finished with numbers stands for its configuration."""
    for number in range(5):
        walk(index, fake, number, [number + step / 10 for step in range(6)])
    walk(index, fake, 1_002, folds, status=status)
    inputs = {one["name"]: one["value"] for one in (await selected(api))["pbo"]["inputs"]}
    assert (5, 6) == (inputs["configurations"], inputs["folds"])


async def test_walks_that_logged_only_nan_are_said(api: Client, index: HeldIndex, fake: FakeMlflow) -> None:
    """Though they are more than the others; by themselves they are no folds at all."""
    for number in range(6):
        walk(index, fake, number, [math.nan] * 4)
    assert "missing_input" == (await selected(api))["pbo"]["reason"]["code"]
    for number in range(6, 11):
        walk(index, fake, number, [number + step / 10 for step in range(6)])
    pbo = (await selected(api))["pbo"]
    assert (0.0, True) == (pbo["value"], any("none of their folds" in one for one in pbo["warnings"]))


async def test_folds_beyond_what_can_be_squared(api: Client, index: HeldIndex, fake: FakeMlflow) -> None:
    """They are no numbers to compute with, and said like NaN."""
    for number in range(5):
        walk(index, fake, number, [1e308 * (-1) ** (number + step) for step in range(16)])
    assert "missing_input" == (await selected(api))["pbo"]["reason"]["code"]


async def test_the_metric_of_the_folds_may_be_named(api: Client, index: HeldIndex, fake: FakeMlflow) -> None:
    """Without a metric named fold_…, the metric itself is looked at, or the one that the query names."""
    for number in range(5):
        walk(index, fake, number, [number + step / 10 for step in range(6)], key="by_fold")
    report = await selected(api)
    assert ("sharpe", None) == (report["fold_metric"], report["pbo"]["value"])
    report = await selected(api, fold_metric="by_fold")
    assert ("by_fold", 0.0) == (report["fold_metric"], report["pbo"]["value"])


async def test_only_the_newest_run_of_a_configuration_is_read(
    api: Client, index: HeldIndex, fake: FakeMlflow
) -> None:
    """A configuration that was run again is one column: MLflow is asked once for each."""
    for number in (0, 1, 2, 1_000, 1_001):
        walk(index, fake, number, [0.1] * 6)
    await selected(api)
    asked = sorted(call.params["run_id"] for call in fake.calls if call.endpoint == HISTORY)
    assert ["run002", "run1000", "run1001"] == asked


async def test_folds_are_remembered(api: Client, index: HeldIndex, fake: FakeMlflow) -> None:
    """The history of a run that has ended is asked for once."""
    for number in range(5):
        walk(index, fake, number, [0.1] * 6)
    await selected(api)
    await selected(api, alpha="0.1")
    assert 5 == fake.count(HISTORY)


async def test_without_walk_forward_runs_there_is_no_axis(api: Client, index: HeldIndex) -> None:
    """The steps of other runs are not known to be folds; those of CPCV overlap: both are refused."""
    index.put(make_run(0, metrics={"sharpe": 1.0}, tags={**TAGS, "run_type": "backtest"}))
    assert "axis_unknown" == (await selected(api))["pbo"]["reason"]["code"]
    index.put(make_run(1, metrics={"sharpe": 1.0}, tags={**TAGS, "run_type": "cpcv"}))
    assert "folds_overlap" == (await selected(api))["pbo"]["reason"]["code"]


async def test_more_walk_forwards_than_are_read(api: Client, index: HeldIndex, fake: FakeMlflow) -> None:
    """Past the bound no history is read, and the reason says to narrow the trials."""
    runs = [
        make_run(n, params={"x": str(n)}, metrics={"sharpe": 1.0}, tags=TAGS) for n in range(MOST_RUNS + 1)
    ]
    index.put(*runs)
    report = await selected(api)
    assert ("too_many", MOST_RUNS + 1) == (report["pbo"]["reason"]["code"], report["trials"]["all"])
    assert 0 == fake.count(HISTORY)


async def test_folds_that_cannot_be_read_are_an_error(
    api: Client, index: HeldIndex, fake: FakeMlflow
) -> None:
    """Where MLflow lists deleted runs and then fails, there is no report without folds."""
    walk(index, fake, 0, [0.1] * 6)
    await selected(api, run_type="cpcv")  # the deleted runs are remembered by then
    fake.before = answering(500)
    await refused(await api.get(SELECTION, params={"metric": "sharpe"}), 502, "upstream_error")
