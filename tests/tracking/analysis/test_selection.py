"""Whether the best trial is more than luck: the report as a whole."""

import math
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.tracking.analysis.computed import Computed, Reason
from service.tracking.analysis.declared import Declaration
from service.tracking.analysis.selection import Selection, SelectionInputs, selection_of
from service.tracking.analysis.sharpe import expected_maximum
from service.tracking.analysis.trials import Trials
from tests.tracking.analysis.many_trials import (
    DECLARED,
    METRIC,
    MOMENTS,
    example_of_2014,
    sharpes_of_2014,
    trial,
    trials,
)

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
DECLARATIONS = st.builds(
    Declaration, st.sampled_from(["annual", "period"]), *[NUMBERS] * 4, st.sampled_from(["raw", "excess"])
)


def report(of: Trials, **asked: object) -> Selection:
    """What is answered for the metric."""
    return selection_of(of, SelectionInputs(METRIC, **asked))  # type: ignore[arg-type]


def every(selection: Selection) -> Iterator[Computed]:
    """All that was computed."""
    for name in selection.__struct_fields__:
        value = getattr(selection, name)
        if isinstance(value, Computed):
            yield value
    cut = selection.haircut
    yield from (cut.bonferroni, cut.holm, cut.benjamini_yekutieli)


def check(selection: Selection) -> None:
    """Each value is finite, or null with a reason; and so is each input."""
    for result in every(selection):
        assert (result.value is None) == (result.reason is not None), result
        assert result.value is None or math.isfinite(result.value), result
        for one in result.inputs:
            assert not isinstance(one.value, float) or math.isfinite(one.value), result


def code_of(result: Computed) -> str:
    assert result.value is None
    assert result.reason is not None
    return result.reason.code


@pytest.mark.parametrize(
    ("count", "benchmark", "dsr"),
    [(46, 0.100362, 0.9505017068756), (100, 0.113172, 0.9003968344494), (1000, 0.145573, 0.6399149554)],
)
def test_the_example_of_2014(count: int, benchmark: float, dsr: float) -> None:
    """Annual Sharpe ratios with daily returns, as the runs declare them: the DSR is the paper's."""
    selection = report(example_of_2014(count))
    assert "r0" == selection.best_run_id
    assert benchmark == pytest.approx(selection.deflation_benchmark.value, abs=1e-6)
    assert dsr == pytest.approx(selection.dsr.value, abs=1e-6)
    assert 0.9999969 == pytest.approx(selection.psr.value, abs=1e-7)
    assert 46 == selection.break_even_trials.value


def test_declared_units_lead_to_the_same_number_either_way() -> None:
    """The same trials with Sharpe ratios of one day: neither .99999994 nor .618 comes out of a wrong unit."""
    annual = report(example_of_2014())
    tags = {**DECLARED, "sharpe_unit": "period"}
    sharpes = [sharpe / math.sqrt(250) for sharpe in sharpes_of_2014()]
    of_days = report(trials([trial(number, sharpe, tags=tags) for number, sharpe in enumerate(sharpes)]))
    assert 0.9003968344493904 == pytest.approx(of_days.dsr.value, abs=1e-9)
    assert annual.dsr.value == pytest.approx(of_days.dsr.value)
    assert annual.expected_best_of_noise.value == pytest.approx(of_days.expected_best_of_noise.value)
    for wrong in (0.9999999378, 0.6176052367):
        assert wrong != pytest.approx(annual.dsr.value, abs=1e-3)


def test_the_query_declares_in_place_of_the_runs() -> None:
    """Runs that say nothing, and a query that says it all: the same number."""
    silent = trials([trial(n, sharpe, metrics={}, tags={}) for n, sharpe in enumerate(sharpes_of_2014())])
    asked = Declaration("annual", 250, 1250, -3, 7, "excess")
    assert 0.9003968344493904 == pytest.approx(report(silent, declared=asked).dsr.value, abs=1e-9)


def test_without_a_unit_nothing_is_computed_from_the_sharpe_ratio() -> None:
    """Trials are counted and the highest is named; every number that needs the unit is null and says why."""
    selection = report(trials([trial(number, number / 100, tags={}) for number in range(50)]))
    assert "r49" == selection.best_run_id
    assert (50, 50, 0) == (selection.trials.all, selection.trials.distinct, selection.trials.with_sharpe)
    of_sharpe = (selection.sharpe, selection.psr, selection.dsr, selection.deviation, selection.haircut.holm)
    for result in (*of_sharpe, selection.min_track_record, selection.expected_best_of_noise):
        assert "unit_unknown" == code_of(result)
    assert "undecided" == selection.verdict.code


def test_an_annual_sharpe_ratio_takes_the_periods_of_a_year() -> None:
    """252 for days is not guessed."""
    selection = report(example_of_2014(), declared=Declaration(unit="annual"))
    assert selection.dsr.value is not None
    tags = {"sharpe_unit": "annual", "kurtosis_convention": "raw"}
    without = report(trials([trial(number, number / 100, tags=tags) for number in range(50)]))
    assert "unit_unknown" == code_of(without.dsr)


def test_a_sharpe_ratio_of_a_period_needs_no_year() -> None:
    """But what is said in years does."""
    tags = {"sharpe_unit": "period", "kurtosis_convention": "raw"}
    selection = report(trials([trial(number, 0.01 + number / 1000, tags=tags) for number in range(50)]))
    for result in (selection.psr, selection.dsr, selection.break_even_trials, selection.haircut.holm):
        assert result.value is not None
    for result in (selection.expected_best_of_noise, selection.min_backtest_length, selection.trial_budget):
        assert "unit_unknown" == code_of(result)


def test_without_the_number_of_returns_there_is_no_probability() -> None:
    """The spread of the trials is known all the same."""
    selection = report(trials([trial(number, number / 20, metrics={}) for number in range(50)]))
    assert selection.deviation.value is not None
    for result in (selection.psr, selection.dsr, selection.expected_best_of_noise, selection.haircut.holm):
        assert "missing_input" == code_of(result)


def test_missing_moments_are_assumed_with_a_sensitivity() -> None:
    """The inputs say so, a warning does, and the numbers for returns with a tail stand beside it."""
    selection = report(trials([trial(n, n / 40, metrics={"n_obs": 500.0}) for n in range(60)]))
    sources = {one.name: one.source for one in selection.dsr.inputs}
    assert ("assumed", "assumed") == (sources["skewness"], sources["kurtosis"])
    assert any("assumed" in warning for warning in selection.psr.warnings)
    assert [(-1.0, 8.0), (-3.0, 10.0)] == [(one.skewness, one.kurtosis) for one in selection.sensitivity]
    mild, strong = selection.sensitivity
    assert selection.dsr.value is not None
    assert mild.dsr.value is not None
    assert strong.dsr.value is not None
    assert selection.dsr.value > mild.dsr.value > strong.dsr.value


def test_declared_moments_need_no_sensitivity() -> None:
    """What is known is not varied."""
    selection = report(example_of_2014())
    assert () == selection.sensitivity
    assert () == selection.dsr.warnings


def test_impossible_kurtosis_is_refused() -> None:
    """Declared raw and below 1 + skewness²: no probability, and the sentence says what to check."""
    metrics = {**MOMENTS, "kurtosis": 7.0}
    selection = report(trials([trial(number, number / 40, metrics=metrics) for number in range(60)]))
    assert "not_computable" == code_of(selection.dsr)
    assert selection.dsr.reason is not None
    assert "Check whether metrics.kurtosis is excess" in selection.dsr.reason.text


def test_the_verdict_is_luck_below_the_level() -> None:
    """100 trials of the example are luck at 95 %, and more at 90 %; 46 are more at 95 %."""
    assert "luck" == report(example_of_2014(100)).verdict.code
    assert "more_than_luck" == report(example_of_2014(100), alpha=0.1).verdict.code
    assert "more_than_luck" == report(example_of_2014(46)).verdict.code
    assert "The DSR is 0.9004, below 0.95." in report(example_of_2014(100)).verdict.text


def test_runs_that_may_have_chosen_the_trials_leave_it_open() -> None:
    """Of the example 46 trials are more than luck, and no more: with one run beside them nobody knows."""
    assert "more_than_luck" == report(example_of_2014(40), others=6).verdict.code
    verdict = report(example_of_2014(46), others=1).verdict
    assert "undecided" == verdict.code
    assert "with more than 46 trials the DSR is below" in verdict.text
    assert "luck" == report(example_of_2014(100), others=1).verdict.code


def test_the_formula_of_2025_is_chosen_by_name() -> None:
    """Its method says so, and it takes the autocorrelation."""
    selection = report(example_of_2014(), formula="ldp2025", autocorrelation=0.1)
    assert "ldp2025" == selection.dsr.method.conventions["formula"]
    assert 0.1 == {one.name: one.value for one in selection.dsr.inputs}["autocorrelation"]
    assert selection.dsr.value != report(example_of_2014()).dsr.value
    assert selection.dsr.value != report(example_of_2014(), formula="ldp2025").dsr.value


def test_a_benchmark_is_in_the_unit_of_the_metric() -> None:
    """An annual 1 against daily returns is 1/√250 a day, and makes the PSR and the track record worse."""
    against_0, against_1 = report(example_of_2014()), report(example_of_2014(), benchmark=1.0)
    assert 1 / math.sqrt(250) == pytest.approx({i.name: i.value for i in against_1.psr.inputs}["benchmark"])
    assert against_0.psr.value is not None
    assert against_1.psr.value is not None
    assert against_1.psr.value < against_0.psr.value
    assert against_0.dsr.value == against_1.dsr.value


def test_years_and_budget() -> None:
    """100 trials and an annual target of 1: (E[max])² years; five years are enough for 45 trials."""
    selection = report(example_of_2014(), target=1.0)
    assert expected_maximum(100) ** 2 == pytest.approx(selection.min_backtest_length.value)
    assert 45 == selection.trial_budget.value
    assert 1.13 == round(selection.expected_best_of_noise.value or 0, 2)


def test_folds_make_the_pbo_and_the_effective_trials() -> None:
    """Eight folds of twenty runs: 70 halves, about one half for noise, and fewer trials than there are."""
    noise = np.random.default_rng(2).normal(size=(20, 8)) + np.random.default_rng(3).normal(size=8)
    folds = {f"r{number}": dict(enumerate(row.tolist())) for number, row in enumerate(noise)}
    selection = report(example_of_2014(), folds=folds)
    assert {"configurations": 20, "folds": 8, "blocks": 8, "halves": 70} == {
        one.name: one.value for one in selection.pbo.inputs
    }
    assert selection.pbo.value is not None
    assert 0 <= selection.pbo.value <= 1
    assert 0.5 == selection.pbo.method.conventions["noise"]
    assert selection.effective_trials.value is not None
    assert 1 < selection.effective_trials.value < 100
    assert (selection.dsr_effective.value or 0) > (selection.dsr.value or 0)


def test_the_oldest_fold_that_is_left_out_is_named() -> None:
    """Nine folds make eight blocks."""
    noise = np.random.default_rng(2).normal(size=(20, 9))
    folds = {f"r{number}": dict(enumerate(row.tolist(), start=3)) for number, row in enumerate(noise)}
    assert any("at step 3," in warning for warning in report(example_of_2014(), folds=folds).pbo.warnings)


def test_why_folds_are_unknown_is_said() -> None:
    """Whoever reads them may have a reason of its own."""
    reason = Reason("folds_overlap", "The splits of CPCV overlap.")
    selection = report(example_of_2014(), folds_reason=reason)
    for result in (selection.pbo, selection.effective_trials, selection.dsr_effective):
        assert reason == result.reason
    assert "missing_input" == code_of(report(example_of_2014()).pbo)


def test_nothing_that_cannot_be_written_as_json_is_answered() -> None:
    """Neither NaN nor infinity, whatever the trials are like."""
    for sharpe in (None, math.inf, -math.inf, 1.7976931348623157e308, 4.6e15, 0.0, -1.0):
        for count in (0, 1, 9):
            check(report(trials([trial(number, sharpe) for number in range(count)])))


@given(st.lists(NUMBERS, min_size=1, max_size=6), DECLARATIONS)
def test_no_number_makes_the_report_fail(sharpes: list[float], declared: Declaration) -> None:
    """However large or small: what cannot be computed with is null, with a reason."""
    runs = [trial(number, sharpe) for number, sharpe in enumerate(sharpes)]
    for formula in ("bailey2012", "ldp2025"):
        check(report(trials(runs), declared=declared, formula=formula))


@given(st.lists(st.floats(-3, 3), min_size=2, max_size=40))
def test_the_order_of_trials_does_not_matter(sharpes: list[float]) -> None:
    """Nor what they are called: every number is the same."""
    runs = [trial(number, sharpe) for number, sharpe in enumerate(sharpes)]
    renamed = [trial(1000 - number, sharpe) for number, sharpe in enumerate(sharpes)]
    expected = [result.value for result in every(report(trials(runs)))]
    for other in (runs[::-1], renamed, runs[1::2] + runs[::2]):
        again = [result.value for result in every(report(trials(other)))]
        assert [value is None for value in expected] == [value is None for value in again]
        assert [v for v in expected if v is not None] == pytest.approx([v for v in again if v is not None])


@given(st.integers(18, 60).map(lambda half: 2 * half), st.integers(1, 60))
def test_failed_trials_lower_the_dsr(count: int, failed: int) -> None:
    """Trials without a result were tried all the same."""
    before = example_of_2014(count)
    more = trials([*before.runs, *(trial(1000 + n, None, status="FAILED") for n in range(failed))])
    lower, higher = report(more).dsr.value, report(before).dsr.value
    assert lower is not None
    assert higher is not None
    assert lower < higher
