from __future__ import annotations

import math
from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise
from uuid import UUID

import pytest

from service.local.sample.runs import Finding, SampleRun, place
from service.local.sample.session import session

LINEAGE = {
    "strategy_id",
    "run_type",
    "git_commit",
    "dataset_version",
    "feature_version",
    "model_version",
    "signal_version",
}
SHAPE = {"n_obs", "skewness", "kurtosis"}  # of the daily returns that a Sharpe ratio is of
SUMMARIES: dict[str, set[str]] = {
    "training": {"oos_sharpe", "oos_sortino", "max_drawdown", "calmar_ratio", *SHAPE},
    "sweep": set(),
    "walk_forward": {
        "joined_oos_sharpe",
        "mean_oos_sharpe",
        "std_oos_sharpe",
        "fold_oos_sharpe",
        "fold_mse",
        "fold_dir_acc",
        "fold_lookback_days",
        *SHAPE,
    },
    "cpcv": {
        "cv_mean_mse",
        "cv_mean_mae",
        "cv_directional_accuracy",
        "best_score",
        "split_mse",
        "split_mae",
        "path_sharpe",
    },
    "backtest": {
        "total_return",
        "perf_cagr",
        "perf_sharpe_ratio",
        "perf_sortino_ratio",
        "perf_calmar_ratio",
        "risk_max_drawdown",
        "risk_max_drawdown_duration",
        "risk_var_95",
        "risk_cvar_95",
        "risk_var_99",
        "risk_cvar_99",
        "risk_volatility_annualised",
        "trade_win_rate",
        "trade_profit_factor",
        "trade_avg_loss",
        "trade_expectancy",
        "trade_turnover_annualised",
        "trade_count",
        *SHAPE,
    },
}


def last_values(run: SampleRun) -> dict[str, float]:
    """Each metric's value at its highest step, as MLflow shows it."""
    return {point.key: point.value for point in sorted(run.metrics, key=lambda point: point.step)}


def of_type(runs: tuple[SampleRun, ...], run_type: str, n_splits: int | None = None) -> list[SampleRun]:
    found = [run for run in runs if run.tags["run_type"] == run_type]
    return [run for run in found if n_splits is None or run.params["n_splits"] == str(n_splits)]


def test_every_kind_of_run_is_there(runs: tuple[SampleRun, ...]) -> None:
    """Four strategies are trained, walked forward, cross-validated and backtested twice, two also swept."""
    kinds = Counter(run.tags["run_type"] for run in runs)
    assert kinds == {"training": 25, "walk_forward": 34, "cpcv": 4, "backtest": 8, "sweep": 2}
    assert Counter(run.status for run in runs) == {"FINISHED": 71, "FAILED": 1, "RUNNING": 1}
    assert len({run.tags["strategy_id"] for run in runs}) == 4


def test_every_run_bears_its_whole_lineage(runs: tuple[SampleRun, ...]) -> None:
    """All seven lineage tags are there and not empty, the name is the type, and the id is a UUID."""
    for run in runs:
        assert set() == LINEAGE - run.tags.keys()
        assert all(run.tags.values())
        assert run.tags["run_type"] == run.name
        assert UUID(run.tags["strategy_id"]).version == 5


def test_strategies_keep_their_ids(runs: tuple[SampleRun, ...]) -> None:
    """The first strategy's id is the same in every session."""
    assert runs[0].tags["strategy_id"][:8] == "a6d092e0"


def test_runs_follow_each_other_in_a_fixed_week(runs: tuple[SampleRun, ...]) -> None:
    """Starts are strictly ascending from a fixed Monday on, and no run starts before the last one ended.

    Children follow each other within the time of their parent.
    """
    assert datetime(2026, 3, 2, 9, tzinfo=UTC).timestamp() * 1000 == runs[0].start_time
    assert all(before.start_time < after.start_time for before, after in pairwise(runs))
    for before, after in pairwise(run for run in runs if run.parent is None):
        assert before.end_time is not None
        assert before.start_time < before.end_time < after.start_time
    for parent in of_type(runs, "sweep"):
        children = [run for run in runs if run.parent == parent.start_time]
        for child, following in pairwise([*children, parent]):
            assert child.end_time is not None
            assert child.end_time <= following.start_time or child.end_time == parent.end_time


@pytest.mark.parametrize("run_type", SUMMARIES)
def test_finished_runs_have_the_metrics_of_their_type(runs: tuple[SampleRun, ...], run_type: str) -> None:
    """A finished run has exactly the metrics that its type is known by."""
    for run in of_type(runs, run_type):
        if run.status == "FINISHED":
            assert SUMMARIES[run_type] == last_values(run).keys()


def test_the_running_run_has_only_the_folds_it_has_done(runs: tuple[SampleRun, ...]) -> None:
    """The last run has no end, three of its eight folds, and no mean yet."""
    running = runs[-1]
    assert running.status == "RUNNING"
    assert running.end_time is None
    assert running.params["n_splits"] == "8"
    assert {0, 1, 2} == {point.step for point in running.metrics}
    assert "mean_oos_sharpe" not in last_values(running)


def test_the_failed_run_says_why(runs: tuple[SampleRun, ...]) -> None:
    """The failed run has ended without metrics, and its note is the reason."""
    (failed,) = (run for run in runs if run.status == "FAILED")
    assert failed.metrics == ()
    assert failed.end_time is not None
    assert failed.tags["mlflow.note.content"].endswith("a fold needs more than the 5 days of a label.")


def test_one_run_never_traded(runs: tuple[SampleRun, ...]) -> None:
    """One training run found no trade: what is divided by risk is NaN, its drawdown 0; no other has NaN."""
    (silent,) = (run for run in runs if any(math.isnan(point.value) for point in run.metrics))
    values = last_values(silent)
    ratios = {"oos_sharpe", "oos_sortino", "calmar_ratio", "skewness", "kurtosis"}
    assert ratios == {key for key in values if math.isnan(values[key])}
    assert str(values["max_drawdown"]) == "0.0"


def test_no_value_is_infinite(runs: tuple[SampleRun, ...]) -> None:
    """Infinity appears nowhere: MLflow's SQL store cannot keep it."""
    assert not [point for run in runs for point in run.metrics if math.isinf(point.value)]


def test_folds_and_splits_are_steps(runs: tuple[SampleRun, ...]) -> None:
    """A walk forward has five steps, a cross-validation a step for each of C(6, 2) splits and 5 paths."""
    walked, validated = of_type(runs, "walk_forward", 5)[0], of_type(runs, "cpcv")[0]
    assert list(range(5)) == [point.step for point in walked.metrics if point.key == "fold_oos_sharpe"]
    assert list(range(15)) == [point.step for point in validated.metrics if point.key == "split_mse"]
    assert list(range(5)) == [point.step for point in validated.metrics if point.key == "path_sharpe"]


def test_a_mean_is_the_mean_of_the_logged_folds(runs: tuple[SampleRun, ...]) -> None:
    """The summary of a walk forward follows from the folds that stand beside it."""
    walked = of_type(runs, "walk_forward", 5)[0]
    folds = [point.value for point in walked.metrics if point.key == "fold_oos_sharpe"]
    assert pytest.approx(sum(folds) / len(folds)) == last_values(walked)["mean_oos_sharpe"]


def test_signs_are_those_that_research_code_logs(runs: tuple[SampleRun, ...]) -> None:
    """A training run's drawdown is negative; a backtest's is positive, as are its losses at risk."""
    assert all(last_values(run)["max_drawdown"] <= 0.0 for run in of_type(runs, "training"))
    for run in of_type(runs, "backtest"):
        values = last_values(run)
        assert 0.0 < values["risk_max_drawdown"] < 1.0
        assert 0.0 < values["risk_var_95"] < values["risk_cvar_95"] < values["risk_cvar_99"]
        assert values["risk_var_95"] < values["risk_var_99"] < values["risk_cvar_99"]
        assert values["trade_avg_loss"] < 0.0 < values["trade_win_rate"] < 1.0


def test_costs_make_a_backtest_worse(runs: tuple[SampleRun, ...]) -> None:
    """The second backtest of a strategy differs in cost only, and earns less."""
    backtests = of_type(runs, "backtest")
    for usual, stressed in zip(backtests[::2], backtests[1::2], strict=True):
        differing = {key for key in usual.params if usual.params[key] != stressed.params[key]}
        assert {"cost_bps"} == differing
        assert last_values(stressed)["total_return"] < last_values(usual)["total_return"]


def test_the_control_has_the_weakest_walk_forward(runs: tuple[SampleRun, ...]) -> None:
    """Prices without a trend give the lowest mean out-of-sample Sharpe ratio of the four."""
    means = {
        run.params["universe"]: last_values(run)["mean_oos_sharpe"]
        for run in of_type(runs, "walk_forward", 5)
        if run.params["method"] == "rolling"
    }
    assert min(means, key=lambda universe: means[universe]) == "no-trend-control"


def test_each_session_has_the_same_numbers(runs: tuple[SampleRun, ...]) -> None:
    """A few results, pinned to the ten digits that are logged."""
    pinned = {
        (20, "best_score"): 1.124657207,
        (13, "joined_oos_sharpe"): 1.228099032,
        (13, "kurtosis"): 4.818242634,
        (21, "perf_sharpe_ratio"): 1.128787755,
        (34, "mean_oos_sharpe"): 1.017855099,
        (47, "trade_profit_factor"): 2.062759715,
        (55, "joined_oos_sharpe"): 0.7553007514,
        (72, "fold_mse"): 1.015778786,
    }
    assert pinned == {(index, key): last_values(runs[index])[key] for index, key in pinned}


def test_a_second_session_is_equal_to_the_first(runs: tuple[SampleRun, ...]) -> None:
    """Nothing depends on when, or how often, the session is worked out; repr makes NaN equal to itself."""
    assert repr(runs) == repr(session())


def test_steps_are_spread_over_the_run_and_the_summary_ends_it() -> None:
    """Of 300 ms, three steps take the first three quarters; values keep ten digits and no minus zero."""
    finding = Finding("cpcv", {"n": 3}, {"total": -0.0}, ({"x": 1 / 3}, {"x": 2.0}, {"x": 3.0}))
    run = place(finding, {"strategy_id": "s"}, start_time=1_000, duration=300)
    assert [point.timestamp for point in run.metrics] == [1_075, 1_150, 1_225, 1_300]
    assert [str(point.value) for point in run.metrics] == ["0.3333333333", "2.0", "3.0", "0.0"]
    assert run.end_time == 1_300
    assert run.params == {"n": "3"}
    assert run.tags == {"run_type": "cpcv", "strategy_id": "s"}
