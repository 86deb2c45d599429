"""Folds and paths as dots: what is drawn, what is said, and what the keyboard does."""

from typing import Any

import pytest

from tests.console.modules import drawn, evaluated
from tests.console.watched import Watched

pytestmark = pytest.mark.console


def folds(values: list[float | None], **more: Any) -> dict[str, Any]:
    """A group of dots; the mean is that of the finite values."""
    finite = [value for value in values if value is not None]
    return {
        "name": "walk_forward",
        "unit": "fold",
        "direction": "max",
        "values": [{"step": step, "value": value} for step, value in enumerate(values)],
        "mean": sum(finite) / len(finite),
        "sd": 0.5,
        "low": -0.2,
        "high": 1.2,
        "worst": {"step": values.index(min(finite)), "value": min(finite)},
        "share": sum(value > 0 for value in finite) / len(finite),
        "reason": "",
        "warnings": [],
    } | more


async def test_one_lucky_fold_is_said_to_carry_the_mean(module_page: Watched) -> None:
    """Where less than half of the mean is left without the best fold, that fold is named; else none is."""
    watched, call = module_page, "m.withoutBest(values[0])"
    lucky = await evaluated(watched, "chart/dots.js", call, folds([0.0, 0.1, 3.0, -0.1]))
    assert {"step": 2, "value": 3.0, "mean": 0.0, "carries": True} == lucky
    steady = await evaluated(watched, "chart/dots.js", call, folds([1.0, 1.2, 1.1, 0.9]))
    assert steady["carries"] is False
    assert await evaluated(watched, "chart/dots.js", call, folds([1.0, 2.0], direction=None)) is None


async def test_folds_and_paths_are_drawn_side_by_side_on_one_axis(watched: Watched) -> None:
    """Each value is a dot, NaN a cross; the worst has a ring; equal values lie on one height."""
    await watched.go("health")
    groups = [
        folds([1.0, -0.5, None]),
        folds([1.0, 0.5, 0.7], name="cpcv", unit="path", low=None, high=None, reason="Paths share data."),
    ]
    await drawn(watched, "chart/dots.js", "Dots", {"metric": "fold_oos_sharpe", "groups": groups})
    dots = watched.page.locator(".plot-dot")
    await dots.nth(4).wait_for()
    assert 5 == await dots.count()
    assert 1 == await watched.page.locator(".plot-nan").count()
    assert 2 == await watched.page.locator(".plot-worst").count()
    assert 1 == await watched.page.locator(".plot-band").count()
    heights = [await dots.nth(index).get_attribute("cy") for index in (0, 2)]
    assert heights[0] == heights[1]
    assert await watched.page.get_by_text("cpcv: Paths share data.", exact=True).count() == 1
    name = await watched.page.get_by_role("img").get_attribute("aria-label")
    assert "fold_oos_sharpe. walk_forward: 3 folds, mean 0.25, worst −0.5; cpcv: 3 paths" in str(name)


async def test_the_arrow_keys_say_each_value(watched: Watched) -> None:
    """From the plot, the arrow keys go from dot to dot, and what is under the cursor is said."""
    await watched.go("health")
    await drawn(watched, "chart/dots.js", "Dots", {"metric": "m", "groups": [folds([1.25, -0.5])]})
    await watched.page.get_by_role("img").focus()
    said = watched.page.locator(".plot-said")
    await watched.page.keyboard.press("ArrowRight")
    await said.get_by_text("walk_forward, fold 0: 1.25").wait_for()
    await watched.page.keyboard.press("End")
    await said.get_by_text("walk_forward, fold 1: −0.5").wait_for()


async def test_the_dots_can_be_read_as_a_table(watched: Watched) -> None:
    """A button puts a table in the plot's place, with every value, and back."""
    await watched.go("health")
    await drawn(watched, "chart/dots.js", "Dots", {"metric": "m", "groups": [folds([1.25, -0.5, None])]})
    await watched.page.get_by_role("button", name="Show as table").click()
    rows = watched.page.locator(".plot-table tbody tr")
    texts = [" ".join((await rows.nth(index).all_inner_texts())[0].split()) for index in range(3)]
    assert [
        "walk_forward fold 0 1.25",
        "walk_forward fold 1 −0.5 (worst)",
        "walk_forward fold 2 NaN",
    ] == texts
    await watched.page.get_by_role("button", name="Show as plot").click()
    await watched.page.get_by_role("img").wait_for()


async def test_ticks_are_round_numbers_within_the_values(module_page: Watched) -> None:
    """An axis names round values, with as many digits as tell them apart, and 0 without a sign."""
    watched, call = module_page, "m.labels(m.ticks(values[0], 5))"
    assert ["−1", "0", "1", "2"] == await evaluated(watched, "chart/scale.js", call, [-1.3, 2.9])
    assert ["0.00", "0.05", "0.10"] == await evaluated(watched, "chart/scale.js", call, [-0.001, 0.12])
    assert ["3"] == await evaluated(watched, "chart/scale.js", call, [3, 3])
