"""What the pages of strategies decide without a network: filters, metrics, the best of noise, marks."""

import math
from typing import Any

import pytest

from service.api.selection_examples import SELECTION
from service.tracking.analysis.sharpe import expected_maximum
from tests.console.modules import evaluated
from tests.console.watched import Watched

pytestmark = pytest.mark.console


def field(key: str, runs: int, direction: str | None, rule: str | None = "a rule") -> dict[str, Any]:
    """A metric as GET /runs/fields lists it."""
    name = f"metrics.{key}"
    return {"name": name, "written": name, "runs": runs, "direction": direction, "rule": rule}


async def test_a_plain_text_is_a_part_of_the_id_and_a_comparison_is_a_filter(module_page: Watched) -> None:
    """A text without a comparison is looked for in the id, quotes doubled; a filter is passed on as it is."""
    call = "m.filterOf(values[0])"
    assert "" == await evaluated(module_page, "strategy/view.js", call, "  ")
    assert "tags.strategy_id ILIKE '%a''b%'" == await evaluated(module_page, "strategy/view.js", call, "a'b")
    for text in ("metrics.oos_sharpe > 1", "tags.run_type IN ('a')", "tags.x IS NULL"):
        assert text == await evaluated(module_page, "strategy/view.js", call, text)


async def test_a_sharpe_ratio_of_runs_is_the_metric_to_begin_with(module_page: Watched) -> None:
    """Sharpe ratios go before other metrics, and those of most runs before others; parts of runs never."""
    call = "m.defaultMetric(values[0])"
    fields = [
        field("n_obs", 65, "none"),
        field("fold_oos_sharpe", 33, "max"),
        field("oos_sharpe", 25, "max"),
        field("joined_oos_sharpe", 32, "max"),
        field("std_oos_sharpe", 40, "min"),
        field("total_return", 60, "max"),
    ]
    assert "joined_oos_sharpe" == await evaluated(module_page, "strategy/metrics.js", call, fields)
    others = [field("n_obs", 9, "none"), field("accuracy", 3, "max"), field("odd", 9, "max", None)]
    assert "accuracy" == await evaluated(module_page, "strategy/metrics.js", call, others)
    assert "" == await evaluated(module_page, "strategy/metrics.js", call, [])


async def test_the_folds_of_a_metric_are_found_by_its_name(module_page: Watched) -> None:
    """The metric of folds that shares most words is taken; one that the service finds itself is not named."""
    call = "m.foldMetric(values[0], values[1])"
    folds = [field("fold_mse", 9, "min"), field("fold_oos_sharpe", 9, "max"), field("oos_sharpe", 9, "max")]
    ask = (module_page, "strategy/metrics.js", call)
    assert "fold_oos_sharpe" == await evaluated(*ask, "joined_oos_sharpe", folds)
    assert "" == await evaluated(*ask, "oos_sharpe", folds)
    assert "" == await evaluated(*ask, "oos_sharpe", folds[:1])


async def test_the_best_of_noise_is_that_of_the_service(module_page: Watched) -> None:
    """The curve is of the formula by which the service says its last point."""
    for trials in (1, 2, 3, 14, 100, 5_000):
        value = await evaluated(module_page, "strategy/noise.js", "m.expectedMaximum(values[0])", trials)
        assert math.isclose(expected_maximum(trials), value, rel_tol=1e-7), trials
    after = "[2, 14].map((n) => m.noiseAfter(n, 0.7, 14))"
    early, late = await evaluated(module_page, "strategy/noise.js", after)
    assert 0.0 < early < late == 0.7
    assert await evaluated(module_page, "strategy/noise.js", "m.noiseAfter(1, 0.7, 1)") is None


async def test_the_best_so_far_goes_the_way_that_is_better(module_page: Watched) -> None:
    """Each point is better than the one before; what is not a number is left out."""
    trials = [{"time": time, "value": value} for time, value in enumerate([0.2, None, 0.1, 0.5, 0.4])]
    for higher, steps in ((True, [0, 3]), (False, [0, 2])):
        best = await evaluated(
            module_page, "strategy/noise.js", "m.bestSoFar(values[0], values[1])", trials, higher
        )
        assert steps == [one["time"] for one in best]


async def test_the_best_of_noise_is_drawn_in_the_unit_of_the_metric(module_page: Watched) -> None:
    """Of an annual metric the benchmark of the DSR is made annual; of one of a period, the best of noise."""
    marks = await evaluated(module_page, "strategy/marks.js", "m.marksOf(values[0])", SELECTION)
    assert 1.42 == marks["best"]
    assert math.isclose(SELECTION["expected_best_of_noise"]["value"], marks["noise"])
    assert math.isclose(SELECTION["deflation_benchmark"]["value"] * math.sqrt(252), marks["benchmark"])
    sharpe = SELECTION["sharpe"]
    value, *others = sharpe["inputs"]
    of_period = SELECTION | {"sharpe": sharpe | {"inputs": [value | {"unit": "period"}, *others]}}
    marks = await evaluated(module_page, "strategy/marks.js", "m.marksOf(values[0])", of_period)
    assert math.isclose(SELECTION["expected_best_of_noise"]["value"] / math.sqrt(252), marks["noise"])
    assert math.isclose(SELECTION["deflation_benchmark"]["value"], marks["benchmark"])


async def test_what_cannot_be_had_has_no_mark(module_page: Watched) -> None:
    """Where the unit is not known, there is no best of noise, and the reason is handed on."""
    lacking: dict[str, Any] = {
        "value": None,
        "inputs": [],
        "reason": {"code": "missing_input", "text": "Declare the unit."},
    }
    report = SELECTION | dict.fromkeys(("sharpe", "expected_best_of_noise", "deflation_benchmark"), lacking)
    marks = await evaluated(module_page, "strategy/marks.js", "m.marksOf(values[0])", report)
    assert {"best": None, "noise": None, "benchmark": None, "reason": "Declare the unit."} == marks


async def test_dots_that_would_cover_each_other_lie_in_rows(module_page: Watched) -> None:
    """Dots at one place go into rows above each other, dots apart stay on the first one."""
    call = "m.stacked([0, 1, 40, 2], 10)"
    assert [0, 1, 0, 2] == await evaluated(module_page, "strategy/distribution.js", call)


async def test_a_time_axis_names_days_or_hours(module_page: Watched) -> None:
    """A month is named by days, an hour by minutes, in UTC."""
    begin = 1_772_442_000_000  # 2026-03-02T09:00:00Z
    call = "m.timeTicks(values, 6, true).map((tick) => tick.text)"
    day, hour = 86_400_000, 3_600_000
    ticks = await evaluated(module_page, "chart/scale.js", call, begin, begin + 30 * day)
    assert "2026-03-12" in ticks
    assert 6 >= len(ticks)
    ticks = await evaluated(module_page, "chart/scale.js", call, begin, begin + hour)
    assert ["09:00", "09:15", "09:30", "09:45", "10:00"] == ticks
