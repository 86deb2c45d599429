"""Which runs count as trials, and which is the best of them."""

import pytest

from service.tracking.analysis.selection import Selection, SelectionInputs, selection_of
from service.tracking.runs import Run
from tests.tracking.analysis.many_trials import DECLARED, METRIC, MOMENTS, trial, trials

CHILD = {**DECLARED, "mlflow.parentRunId": "r1"}


def report(runs: list[Run], deleted: list[Run] | None = None) -> Selection:
    """On these runs."""
    return selection_of(trials(runs, deleted or []), SelectionInputs(METRIC))


def some(*sharpes: float) -> list[Run]:
    """A trial for each."""
    return [trial(number, sharpe) for number, sharpe in enumerate(sharpes)]


def test_all_that_was_tried_counts() -> None:
    """Failed, killed, running and deleted runs of the run type are trials; two have one configuration."""
    runs = [
        *some(1.0, 0.5),
        trial(10, None, status="FAILED"),
        trial(11, None, status="KILLED"),
        trial(12, None, status="RUNNING"),
        trial(13, 0.5, params={"window": "0"}),
    ]
    counts = report(runs, [trial(20, 0.7)]).trials
    assert (7, 6, 4) == (counts.all, counts.distinct, counts.with_sharpe)
    assert (2, 1, 1) == (counts.failed, counts.running, counts.deleted)


def test_the_best_is_a_finished_run_that_is_there() -> None:
    """Neither a deleted nor a failed nor a running one, though their Sharpe ratios count for the spread."""
    runs = [*some(1.0, 0.5), trial(10, 3.0, status="FAILED"), trial(11, 4.0, status="RUNNING")]
    selection = report(runs, [trial(20, 5.0)])
    assert "r0" == selection.best_run_id
    assert 5 == selection.trials.with_sharpe


def test_of_several_best_ones_it_is_the_newest() -> None:
    """By the order of lists of runs."""
    assert "r2" == report(some(1.0, 0.5, 1.0)).best_run_id


def test_no_finished_run_is_no_best_run() -> None:
    """Everything that needs one has the same reason."""
    selection = report([trial(0, 1.0, status="RUNNING"), trial(1, 0.5, status="FAILED")])
    assert selection.best_run_id is None
    assert selection.dsr.reason is not None
    assert "missing_input" == selection.dsr.reason.code
    assert "undecided" == selection.verdict.code


def test_one_trial_has_no_spread_and_needs_none() -> None:
    """Its DSR is its PSR; how the trials are spread is unknown."""
    selection = report(some(1.0))
    assert selection.psr.value == selection.dsr.value
    assert selection.deviation.reason is not None
    assert "too_few_trials" == selection.deviation.reason.code


@pytest.mark.parametrize(("count", "said"), [(2, True), (9, True), (10, False)])
def test_a_spread_of_few_trials_is_said_to_be_rough(count: int, said: bool) -> None:
    """From ten on the deviation is known to a fifth or so."""
    warnings = report(some(*(number / 10 for number in range(count)))).dsr.warnings
    assert said == any("hardly known from so few" in warning for warning in warnings)


def test_one_result_of_many_trials_is_too_few() -> None:
    """What the others would have had is not guessed."""
    selection = report([*some(1.0), trial(10, None, status="FAILED")])
    assert selection.dsr.reason is not None
    assert "too_few_trials" == selection.dsr.reason.code


def test_a_constant_series_is_not_the_best() -> None:
    """Its deviation is rounding, and its Sharpe ratio 4.6e15."""
    selection = report(some(1.0, 0.5, 4.6e15))
    assert "r0" == selection.best_run_id
    assert (3, 2) == (selection.trials.all, selection.trials.with_sharpe)
    assert any("impossible only count as trials: 1." in warning for warning in selection.warnings)


def test_trials_of_unknown_unit_only_count() -> None:
    """Where others say theirs; 99 may be anything."""
    selection = report([*some(1.0, 0.5), trial(10, 99.0, tags={})])
    assert "r0" == selection.best_run_id
    assert (3, 2) == (selection.trials.all, selection.trials.with_sharpe)
    assert any(
        "do not say the unit of oos_sharpe only count as trials: 1." in warning
        for warning in selection.warnings
    )


def test_daily_and_monthly_trials_are_compared_as_annual_ones() -> None:
    """A monthly 0.3 is an annual 1.04, which is more than a daily 0.06, an annual 0.95."""
    daily = trial(0, 0.06, tags={"sharpe_unit": "period", "periods_per_year": "252"}, metrics={})
    monthly = trial(1, 0.3, tags={"sharpe_unit": "period", "periods_per_year": "12"}, metrics={})
    selection = report([daily, monthly])
    assert "r1" == selection.best_run_id
    assert 0.3 == selection.sharpe.value
    apart = 0.3 - 0.06 * (252 / 12) ** 0.5
    assert apart / 2**0.5 == pytest.approx(selection.deviation.value)


def test_each_p_value_is_from_its_own_number_of_returns() -> None:
    """Where trials have different numbers, both are said; where one has none, that of the best is taken."""
    runs = [
        trial(0, 2.0),
        trial(1, 1.0, metrics={**MOMENTS, "n_obs": 250.0}),
        trial(2, 1.0, metrics={"skewness": 0.0}),
    ]
    selection = report(runs)
    said = " ".join(selection.haircut.holm.warnings)
    assert "Trials without a number of returns, for which that of the best is taken: 1." in said
    assert "The trials have 250 to 1250 returns" in said
    assert any("different numbers of returns" in warning for warning in selection.warnings)


def test_haircuts_are_over_all_trials() -> None:
    """99 trials of noise beside one: Holm takes as much off as Bonferroni, and more than off one alone."""
    noise = [trial(number, (number - 50) / 100) for number in range(1, 100)]
    alone, among = report([trial(0, 2.0)]).haircut, report([trial(0, 2.0), *noise]).haircut
    assert 0 == pytest.approx(alone.holm.value, abs=1e-9)
    assert alone.holm.value is not None
    assert among.holm.value == among.bonferroni.value
    assert among.holm.value is not None
    assert among.benjamini_yekutieli.value is not None
    assert alone.holm.value < among.holm.value < among.benjamini_yekutieli.value
    inputs = {one.name: one.value for one in among.holm.inputs}
    assert 100 * float(inputs["p_value"] or 0) == pytest.approx(inputs["adjusted_p_value"])


def test_nothing_is_taken_off_a_sharpe_ratio_below_zero() -> None:
    """Where even the best trial lost."""
    cut = report(some(-1.0, -2.0)).haircut.holm
    assert cut.reason is not None
    assert "not_computable" == cut.reason.code


@pytest.mark.parametrize(
    ("runs", "metric", "text"),
    [
        (
            [trial(0, 1.0, tags=CHILD), trial(1, 0.5)],
            METRIC,
            "children of other trials: 1.",
        ),
        ([trial(0, 1.0, run_type="cpcv"), trial(1, 0.5)], METRIC, "The paths of CPCV overlap"),
        ([trial(0, 20.0), trial(1, 0.5)], METRIC, "an annual Sharpe ratio of 20"),
        ([trial(0, 1.0, metrics={"mean_oos_sharpe": 1.0})], "mean_oos_sharpe", "seems to be of folds"),
        ([trial(0, 1.0, metrics={"accuracy": 1.0})], "accuracy", "is a Sharpe ratio"),
    ],
)
def test_what_makes_the_report_doubtful_is_said(runs: list[Run], metric: str, text: str) -> None:
    """In a warning on the whole report."""
    warnings = selection_of(trials(runs), SelectionInputs(metric)).warnings
    assert [True] == [text in warning for warning in warnings if text in warning]


def test_trials_that_may_be_missing_are_said() -> None:
    """Where the index has not read every run, and where deleted runs are not listed."""
    of = trials(some(1.0, 0.5), complete=False)
    unlisted = type(of)(of.runs, (), of.index, "the server does not list them")
    warnings = " ".join(selection_of(unlisted, SelectionInputs(METRIC)).warnings)
    assert "The index has not read every run yet" in warnings
    assert "the server does not list them" in warnings
