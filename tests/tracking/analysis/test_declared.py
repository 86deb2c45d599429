"""What is declared of a Sharpe ratio, and that nothing is guessed."""

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.tracking.analysis.computed import Input
from service.tracking.analysis.declared import Declaration, Declared
from service.tracking.analysis.refusals import Refusal
from service.tracking.runs import Run
from tests.tracking.values import make_run

Ask = Callable[[Declared, Run], Input]


def declared(metric: str = "oos_sharpe", declaration: Declaration | None = None) -> Declared:
    return Declared(metric, declaration or Declaration())


@pytest.mark.parametrize("name", ["oos_sharpe_unit", "sharpe_unit"])
def test_a_run_says_its_unit(name: str) -> None:
    """In a tag or a param, with or without what stands before "sharpe" in the metric's name."""
    assert Input("unit", "annual", "", f"tags.{name}") == declared().unit(make_run(tags={name: "Annual"}))
    assert f"params.{name}" == declared().unit(make_run(params={name: "period"})).source


def test_the_query_goes_before_the_run() -> None:
    """What is asked for holds for every run."""
    asked = declared(declaration=Declaration(unit="period"))
    assert Input("unit", "period", "", "query") == asked.unit(make_run(tags={"sharpe_unit": "annual"}))


def test_the_own_name_goes_before_the_common_one() -> None:
    """A run may have several Sharpe ratios from different numbers of returns."""
    run = make_run(metrics={"n_obs": 250.0, "oos_n_obs": 1250.0})
    assert Input("observations", 1250.0, "returns", "metrics.oos_n_obs") == declared().observations(run)
    assert "metrics.n_obs" == declared("sharpe_ratio").observations(run).source


@pytest.mark.parametrize(
    ("ask", "code", "text"),
    [
        (lambda of, run: of.unit(run), "unit_unknown", "unit=annual or unit=period"),
        (lambda of, run: of.periods(run), "unit_unknown", "periods_per_year=252"),
        (lambda of, run: of.observations(run), "missing_input", "observations=1250"),
    ],
)
def test_what_nobody_says_is_refused(ask: Ask, code: str, text: str) -> None:
    """With a sentence that says how to say it."""
    with pytest.raises(Refusal, match=text) as refusal:
        ask(declared(), make_run(metrics={"oos_sharpe": 1.0}))
    assert code == refusal.value.reason.code


@pytest.mark.parametrize("tags", [{"sharpe_unit": "daily"}, {"sharpe_unit": ""}])
def test_another_unit_is_refused(tags: dict[str, str]) -> None:
    """There are two, and none is taken for the other."""
    with pytest.raises(Refusal, match="neither annual nor period"):
        declared().unit(make_run(tags=tags))


@pytest.mark.parametrize("periods", ["0", "-252"])
def test_a_year_has_periods(periods: str) -> None:
    """More than none."""
    with pytest.raises(Refusal, match=r"tags\.periods_per_year"):
        declared().periods(make_run(tags={"periods_per_year": periods}))


@pytest.mark.parametrize("observations", [1.0, 0.0, -5.0])
def test_it_takes_two_returns(observations: float) -> None:
    """One has no deviation."""
    with pytest.raises(Refusal, match="at least two"):
        declared().observations(make_run(metrics={"n_obs": observations}))


@pytest.mark.parametrize("value", ["many", "nan", "inf", ""])
def test_a_text_that_is_no_finite_number_says_nothing(value: str) -> None:
    """As if the run did not have it."""
    with pytest.raises(Refusal, match="observations=1250"):
        declared().observations(make_run(params={"n_obs": value}))


@pytest.mark.parametrize(
    ("field", "source"),
    [("metrics.days", 1.0), ("days", 1.0), ("params.days", 2.0), ("tags.days", 3.0)],
)
def test_the_query_may_name_a_field(field: str, source: float) -> None:
    """A metric by its name alone, and anything by its kind and name."""
    asked = declared(declaration=Declaration(skewness=field))
    run = make_run(metrics={"days": 1.0}, params={"days": "2"}, tags={"days": "3"})
    assert Input("skewness", source, "", field) == asked.skewness(run)


def test_a_named_field_that_is_missing_is_refused() -> None:
    """The query says that it is there."""
    asked = declared(declaration=Declaration(skewness="metrics.skew"))
    with pytest.raises(Refusal, match=r"The run r has no number in metrics\.skew"):
        asked.skewness(make_run())


def test_missing_moments_are_assumed_and_said_to_be() -> None:
    """Those of a normal distribution."""
    assert Input("skewness", 0.0, "", "assumed") == declared().skewness(make_run())
    assert Input("kurtosis", 3.0, "raw", "assumed") == declared().kurtosis(make_run())


@pytest.mark.parametrize(
    ("metrics", "tags"),
    [
        ({"raw_kurtosis": 10.0}, {}),
        ({"kurtosis_raw": 10.0}, {}),
        ({"excess_kurtosis": 7.0}, {}),
        ({"oos_kurtosis_excess": 7.0}, {}),
        ({"kurtosis": 10.0}, {"kurtosis_convention": "raw"}),
        ({"kurt": 7.0}, {"kurtosis_convention": "excess"}),
    ],
)
def test_kurtosis_comes_raw(metrics: dict[str, float], tags: dict[str, str]) -> None:
    """Whichever convention the name or a tag declares."""
    assert 10.0 == declared().kurtosis(make_run(metrics=metrics, tags=tags)).value


def test_kurtosis_without_a_convention_is_refused() -> None:
    """Raw or excess is not to be told from the number."""
    with pytest.raises(Refusal, match="kurtosis_convention=raw or excess") as refusal:
        declared().kurtosis(make_run(metrics={"kurtosis": 5.0}))
    assert "unit_unknown" == refusal.value.reason.code


def test_kurtosis_that_cannot_be_raw_is_said_to_be_so() -> None:
    """Nobody declared the convention: the sentence says what is impossible, and nothing is guessed."""
    with pytest.raises(Refusal, match=r"As raw kurtosis 2\.3 is impossible"):
        declared().kurtosis(make_run(metrics={"kurtosis": 2.3, "skew": -1.5}))


@given(st.floats(-5, 5), st.floats(-10, 40))
def test_impossible_kurtosis_is_refused(skewness: float, kurtosis: float) -> None:
    """What is declared raw is taken where it is at least 1 + skewness², and else refused."""
    asked = declared(declaration=Declaration(skewness=skewness, kurtosis=kurtosis, kurtosis_convention="raw"))
    if kurtosis >= 1 + skewness**2:
        assert kurtosis == asked.kurtosis(make_run()).value
        return
    with pytest.raises(Refusal, match="impossible") as refusal:
        asked.kurtosis(make_run())
    assert "not_computable" == refusal.value.reason.code


def test_a_normal_kurtosis_may_be_impossible() -> None:
    """With a large skewness no kurtosis of 3 can be assumed."""
    with pytest.raises(Refusal, match="Declare the kurtosis, too"):
        declared(declaration=Declaration(skewness=-2.0)).kurtosis(make_run())


@pytest.mark.parametrize("value", [None, math.inf, -math.inf, 1.7976931348623157e308])
def test_a_metric_that_is_not_finite_is_none(value: float | None) -> None:
    """NaN, infinity, and the number that MLflow keeps in its place."""
    assert declared().value(make_run(metrics={"oos_sharpe": value})) is None
    assert declared().value(make_run()) is None
