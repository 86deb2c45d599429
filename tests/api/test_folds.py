"""GET /runs/{run_id}/folds."""

import math
from collections.abc import Sequence
from typing import Any

import pytest

from service.api import fold_schemas as schemas
from tests.api.serving import API, Client, answered, refused
from tests.fakes.faults import answering, only
from tests.fakes.mlflow import FakeMlflow

KEY = "fold_oos_sharpe"
BASE = [1.6, 1.2, 0.8, 1.5, 1.0]
BETTER = [1.62, 1.21, 0.83, 1.49, 1.02]


def walk_forward(
    fake: FakeMlflow, values: Sequence[float], data: str = "v1", run_type: str = "walk_forward"
) -> str:
    """A run that logged these values, one a fold."""
    run_id = fake.add_run(tags={"run_type": run_type, "dataset_version": data})
    fake.log(run_id, KEY, ((step, 1_000 + step, value) for step, value in enumerate(values)))
    return run_id


async def folds(api: Client, run_id: str, **query: str) -> dict[str, Any]:
    response = await api.get(f"{API}/runs/{run_id}/folds", params={"key": KEY, **query})
    return await answered(response, schemas.RunFolds)


async def test_the_folds_of_a_run(api: Client, fake: FakeMlflow) -> None:
    """Their mean is the run's result, where MLflow shows the last one."""
    body = await folds(api, walk_forward(fake, BETTER))
    assert {"value": "folds", "source": "tags.run_type"} == body["axis"]
    assert (5, 1.234, {"step": 2, "value": 0.83}, 1.0) == tuple(
        body[name] for name in ("n", "mean", "worst", "share_positive")
    )
    assert ("max", "*_sharpe_*", None, None) == tuple(
        body[name] for name in ("direction", "rule", "reason", "paired")
    )
    assert list(enumerate(BETTER)) == [(one["step"], one["value"]) for one in body["values"]]


async def test_two_runs_fold_by_fold(api: Client, fake: FakeMlflow) -> None:
    """Differences are matched by step, and tested with n_test/n_train as it is given."""
    this, other = walk_forward(fake, BETTER), walk_forward(fake, BASE)
    pair = (await folds(api, this, against=other, test_train_ratio="0.25"))["paired"]
    test = pair["corrected_t_test"]
    inputs = {one["name"]: one["value"] for one in test["inputs"]}
    assert (other, 5, 4, 1) == tuple(pair[name] for name in ("against", "n", "wins", "losses"))
    assert ("0.24080", "1.37612") == (f"{test['value']:.5f}", f"{inputs['t']:.5f}")
    assert (0.375, 0.1875, 0.0625) == tuple(
        pair[name]["value"] for name in ("sign_test", "signed_rank_test", "smallest_p")
    )


async def test_a_run_against_itself(api: Client, fake: FakeMlflow) -> None:
    """Nothing differs: all folds tie, and there is nothing to test."""
    run_id = walk_forward(fake, BASE)
    pair = (await folds(api, run_id, against=run_id))["paired"]
    assert (5, 5, 0.0) == (pair["n"], pair["ties"], pair["mean"])
    assert ["not_computable"] * 3 == [
        pair[name]["reason"]["code"] for name in ("corrected_t_test", "sign_test", "smallest_p")
    ]


async def test_a_run_type_that_has_no_folds(api: Client, fake: FakeMlflow) -> None:
    """Epochs are refused, an unknown run_type asks for the axis, and paths have no interval."""
    reasons = {}
    for run_type in ("training", "backtest", "cpcv"):
        body = await folds(api, walk_forward(fake, BETTER, run_type=run_type))
        reasons[run_type] = body["reason"]["code"], body["mean"], body["ci_low"]
    assert {
        "training": ("not_computable", None, None),
        "backtest": ("axis_unknown", None, None),
        "cpcv": ("folds_overlap", 1.234, None),
    } == reasons
    body = await folds(api, walk_forward(fake, BETTER, run_type="backtest"), axis="folds")
    assert ({"value": "folds", "source": "query"}, 1.234) == (body["axis"], body["mean"])


async def test_runs_that_cannot_be_paired(api: Client, fake: FakeMlflow) -> None:
    """Other data, another axis or paths that overlap: no test, and the answer says why."""
    this = walk_forward(fake, BETTER)
    others = {
        "mixed_dataset_version": walk_forward(fake, BASE, data="v2"),
        "not_computable": walk_forward(fake, BASE, run_type="cpcv"),
    }
    for code, other in others.items():
        pair = (await folds(api, this, against=other))["paired"]
        assert (code, None, 0) == (pair["reason"]["code"], pair["sign_test"]["value"], pair["n"])
    pair = (await folds(api, this, against=others["not_computable"], axis="paths"))["paired"]
    assert ("folds_overlap", 5, None) == (pair["reason"]["code"], pair["n"], pair["ci_low"])


async def test_runs_that_say_nothing_of_their_data(api: Client, fake: FakeMlflow) -> None:
    """Where neither run has a dataset_version they are paired with a warning; where one has, not."""
    silent = []
    for values in (BASE, BETTER):
        silent.append(fake.add_run(tags={"run_type": "walk_forward"}))
        fake.log(silent[-1], KEY, ((step, step, value) for step, value in enumerate(values)))
    pair = (await folds(api, silent[0], against=silent[1]))["paired"]
    assert 5 == pair["n"]
    assert any("dataset_version" in warning for warning in pair["warnings"])
    pair = (await folds(api, silent[0], against=walk_forward(fake, BASE)))["paired"]
    assert "mixed_dataset_version" == pair["reason"]["code"]


async def test_a_metric_that_the_run_lacks(api: Client, fake: FakeMlflow) -> None:
    """It has no folds, for a reason; and what is no number is no fold."""
    body = await folds(api, walk_forward(fake, [math.nan, 1.0]), key="other")
    assert (0, [], "too_few_folds") == (body["n"], body["values"], body["reason"]["code"])
    body = await folds(api, walk_forward(fake, [math.nan, 1.0]))
    assert (1, 1, None) == (body["n"], body["missing"], body["values"][0]["value"])


async def test_runs_that_do_not_exist(api: Client, fake: FakeMlflow) -> None:
    """Each that MLflow does not know is named."""
    known, unknown = walk_forward(fake, BASE), "0" * 32
    query = {"key": KEY, "against": unknown}
    body = await refused(await api.get(f"{API}/runs/{known}/folds", params=query), 404, "run_not_found")
    assert [unknown] == body["missing_run_ids"]
    query = {"key": KEY}
    await refused(await api.get(f"{API}/runs/no%20id/folds", params=query), 404, "run_not_found")


async def test_a_failure_is_an_error(api: Client, fake: FakeMlflow) -> None:
    """Where MLflow fails at a run or at a history, there are no folds to speak of."""
    run_id = walk_forward(fake, BASE)
    for endpoint in ("metrics/get-history", "runs/get"):
        fake.before = only(endpoint, answering(500))
        response = await api.get(
            f"{API}/runs/{run_id}/folds", params={"key": KEY}, headers={"Cache-Control": "no-cache"}
        )
        await refused(response, 502, "upstream_error")


@pytest.mark.parametrize(
    ("query", "location"),
    [
        ({}, "query.key"),
        ({"key": ""}, "query.key"),
        ({"key": KEY, "axis": "days"}, "query.axis"),
        ({"key": KEY, "against": "no id"}, "query.against"),
        ({"key": KEY, "test_train_ratio": "0"}, "query.test_train_ratio"),
        ({"key": KEY, "test_train_ratio": "nan"}, "query.test_train_ratio"),
        ({"key": KEY, "test_train_ratio": "many"}, "query.test_train_ratio"),
    ],
)
async def test_what_is_wrong_is_said(
    api: Client, fake: FakeMlflow, query: dict[str, str], location: str
) -> None:
    """A query that cannot be answered says which parameter is wrong, and MLflow is not asked."""
    response = await api.get(f"{API}/runs/abc123def456/folds", params=query)
    body = await refused(response, 422, "invalid_request")
    assert [location] == [error["location"] for error in body["errors"]]
    assert [] == fake.calls


async def test_an_answer_is_remembered(api: Client, fake: FakeMlflow) -> None:
    """The second answer asks MLflow for nothing, and whoever has it gets a 304."""
    this, other = walk_forward(fake, BETTER), walk_forward(fake, BASE)
    query = {"key": KEY, "against": other}
    first = await api.get(f"{API}/runs/{this}/folds", params=query)
    fake.calls.clear()
    again = {"If-None-Match": first.headers["ETag"]}
    assert 304 == (await api.get(f"{API}/runs/{this}/folds", params=query, headers=again)).status
    assert [] == fake.calls


async def test_more_steps_than_folds_are_not_paired(api: Client, fake: FakeMlflow) -> None:
    """Two runs that log a metric at 1,100 steps are refused with and without the other, in the same words."""
    this, other = walk_forward(fake, [0.1] * 1_100), walk_forward(fake, [0.2] * 1_100)
    body = await folds(api, this, against=other)
    assert "too_many" == body["reason"]["code"]
    assert body["reason"] == body["paired"]["reason"]
