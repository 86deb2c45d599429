"""The plots of the comparison: a field against another, runs that no other beats, axes, histories."""

import math
from typing import Any

import pytest

from tests.console.comparing import compared, query_of, said
from tests.console.modules import evaluated
from tests.console.watched import Watched
from tests.fakes.mlflow import FakeMlflow

pytestmark = pytest.mark.console

# Of each run: its Sharpe ratio out of sample, its drawdown, its window.
RUNS = {"a1": (1.0, -0.2, "63"), "b1": (1.5, -0.1, "126"), "c1": (2.0, -0.3, "252"), "d1": (0.5, -0.4, "63")}


def four_runs(fake: FakeMlflow) -> list[str]:
    """Of the four runs b1 and c1 are beaten by no other on both metrics."""
    return [
        fake.add_run(
            run_id=run_id,
            metrics={"oos_sharpe": sharpe, "max_drawdown": drawdown},
            params={"window": window, "side": "long"},
            end_time=1,
        )
        for run_id, (sharpe, drawdown, window) in RUNS.items()
    ]


def plot(watched: Watched, heading: str) -> Any:
    """The section of a plot."""
    return watched.page.locator("section").filter(has=watched.page.get_by_role("heading", name=heading))


async def places(page: Watched, function: str, measure: dict[str, Any]) -> list[float | None]:
    """Where the values of a measure lie on its axis."""
    call = f"values[0].values.map((value) => m.{function}(values[0]).at(value))"
    return list(await evaluated(page, "chart/axes.js", call, {"name": "x", "direction": None, **measure}))


async def test_better_is_up_whatever_the_direction(module_page: Watched) -> None:
    """The best value lies at the top: the highest, the lowest, or the one nearest to zero."""
    values = [-0.4, -0.1, 0.2]
    cases = {"max": [0, 0.5, 1], "min": [1, 0.5, 0], "closest_to_zero": [0, 1, 2 / 3]}
    for direction, expected in cases.items():
        result = await places(module_page, "bestUp", {"values": values, "direction": direction})
        assert pytest.approx(expected) == result


async def test_texts_have_places_in_their_order(module_page: Watched) -> None:
    """Texts stand apart from each other, numbers in them by their size; what is missing has no place."""
    result = await places(module_page, "axisOf", {"values": ["w10", "w9", None, "w100"]})
    assert pytest.approx([0.5, 1 / 6, 5 / 6]) == [place for place in result if place is not None]
    assert result[2] is None


async def test_parameters_that_are_numbers_lie_on_an_axis_of_numbers(module_page: Watched) -> None:
    """A parameter whose texts are all numbers is drawn by its size; one text makes it an axis of texts."""
    low, middle, high = await places(module_page, "axisOf", {"values": ["0.1", "1e0", "1.9"]})
    assert pytest.approx((low or 0) + (high or 0)) == 2 * (middle or 0)
    call = "[['1', ''], ['1', 'x'], [null]].map((list) => m.isNumeric({values: list}))"
    assert [False, False, False] == await evaluated(module_page, "chart/axes.js", call)


async def test_a_line_breaks_where_a_run_has_no_value(module_page: Watched) -> None:
    """A run has no place on an axis of which it has no value."""
    measures = [
        {"name": "x", "direction": None, "values": ["1", "2"]},
        {"name": "y", "direction": "max", "values": [None, 1.5]},
    ]
    runs = [
        {"id": "a", "letter": "A", "name": "", "place": 0},
        {"id": "b", "letter": "B", "name": "", "place": 1},
    ]
    call = "m.crossings(values[0], values[1], 400, 300).map((line) => line.map((point) => point !== null))"
    result = await evaluated(module_page, "chart/parallel.js", call, runs, measures)
    assert [[True, False], [True, True]] == result


async def test_a_history_is_drawn_from_the_start_of_its_run(module_page: Watched) -> None:
    """Over time, runs of different days begin at the same place; a run without points has no line."""
    runs = [
        {"letter": "A", "differs": "window=63", "name": "x", "place": 0, "startMs": 1000},
        {"letter": "B", "differs": "", "name": "training", "place": 1, "startMs": None},
        {"letter": "C", "differs": "", "name": "x", "place": 2, "startMs": 0},
    ]
    series = {"n": 2, "step": [0, 1], "time": [1500, 2500], "value": [1, None], "min": None, "max": None}
    answers = [{"loss": series}, {"loss": {**series, "time": [9000, 9500]}}, {"loss": {**series, "n": 0}}]
    call = "m.linesOf(values[0], values[1], 'loss', 'time').map(({ label, x }) => [label, x])"
    result = await evaluated(module_page, "compare/histories.js", call, runs, answers)
    assert [["A window=63", [500, 1500]], ["B training", [0, 500]]] == result


async def test_the_scatter_is_read_by_the_keyboard_and_as_a_table(watched: Watched, fake: FakeMlflow) -> None:
    """The first parameter that differs is drawn against the first metric; arrows go from run to run."""
    await compared(watched, four_runs(fake))
    section = plot(watched, "One field against another")
    picture = section.get_by_role("img", name="oos_sharpe over window of 4 runs.")
    await picture.focus()
    await watched.page.keyboard.press("End")
    assert "C" in await said(section.locator(".plot-said"))
    assert "window 252, oos_sharpe 2" in await said(section.locator(".plot-said"))
    await section.get_by_role("button", name="Show as table").click()
    assert 4 == await section.locator("tbody tr").count()


async def test_runs_that_no_other_beats_are_marked(watched: Watched, fake: FakeMlflow) -> None:
    """Of two metrics the front is what the API says, marked with rings and joined by a line."""
    await compared(watched, four_runs(fake), "&across=metrics.max_drawdown&up=metrics.oos_sharpe")
    section = plot(watched, "One field against another")
    await section.get_by_role("img", name="B, C are beaten by no other run").wait_for()
    assert 2 == await section.locator(".ring").count()
    assert 1 == await section.locator("path.front").count()
    await section.get_by_label("Leave max_drawdown out").click()
    await section.get_by_role("img", name="C is beaten by no other run").wait_for()
    assert ["oos_sharpe"] == query_of(watched)["front"]


async def test_axes_are_ordered_by_buttons(watched: Watched, fake: FakeMlflow) -> None:
    """Parallel coordinates have the fields that differ; buttons order them, and the address keeps that."""
    await compared(watched, four_runs(fake))
    section = plot(watched, "All at once")
    await section.get_by_role("img", name="4 runs over window, oos_sharpe, max_drawdown").wait_for()
    await section.get_by_label("Move params.window right").click()
    await section.get_by_role("img", name="4 runs over oos_sharpe, window, max_drawdown").wait_for()
    assert ["metrics.oos_sharpe,params.window,metrics.max_drawdown"] == query_of(watched)["axes"]


async def test_two_runs_have_no_parallel_coordinates(watched: Watched, fake: FakeMlflow) -> None:
    """From three runs on there are parallel coordinates; of two the table says as much."""
    await compared(watched, four_runs(fake)[:2])
    await plot(watched, "One field against another").wait_for()
    assert 0 == await watched.page.get_by_role("heading", name="All at once").count()


async def test_histories_lie_over_each_other(watched: Watched, fake: FakeMlflow) -> None:
    """A metric with a history is drawn for all runs, each called by what tells it from the others."""
    ids = four_runs(fake)
    for run_id in ids:
        start = fake.store.runs[run_id].start_time
        fake.log(run_id, "equity", ((step, start + step, step * 1.5) for step in range(20)))
    await compared(watched, ids)
    section = watched.page.locator("section.when-seen")
    await section.scroll_into_view_if_needed()
    await section.get_by_role("img", name="equity of 4 runs").wait_for()
    assert "A window=63" in await said(section.locator("figcaption"))
    await section.get_by_label("Over").select_option("time")
    await (
        section.get_by_role("img", name="from 0").or_(section.get_by_role("img", name="ms")).first.wait_for()
    )
    assert ["time"] == query_of(watched)["x"]


async def test_a_run_without_the_metric_is_left_out_and_named(watched: Watched, fake: FakeMlflow) -> None:
    """A run that has no finite value is not drawn, and its letter is said."""
    ids = [*four_runs(fake), fake.add_run(run_id="e1", metrics={"oos_sharpe": math.nan}, end_time=1)]
    await compared(watched, ids)
    section = plot(watched, "One field against another")
    await section.get_by_text("Not drawn, for want of a finite value: E.").wait_for()


async def test_letters_of_points_that_touch_stand_together(module_page: Watched) -> None:
    """Two runs at one place have their letters beside each other, not over each other."""
    points = [
        {"x": x, "y": y, "letter": letter} for x, y, letter in ((10, 10, "A"), (11, 12, "B"), (90, 9, "C"))
    ]
    call = "m.lettersAt(values[0]).map(({ letters }) => letters)"
    assert ["A, B", "C"] == await evaluated(module_page, "chart/axes.js", call, points)


async def test_the_first_axes_are_those_that_most_runs_have(module_page: Watched) -> None:
    """Of parameters and metrics those come first that fewest runs lack; a seed is no axis at first."""
    tests = """(() => {
      const param = (name, ...texts) => ({ kind: "params", name, key: `params.${name}`, differs: true,
        isNumeric: true, of: { values: { ...texts } } });
      const metric = (name, ...values) => ({ kind: "metrics", name, key: `metrics.${name}`, differs: true,
        of: { direction: "max", values: { ...values } } });
      const fields = {
        params: [param("seed", "1", "2"), param("rare", "1", null), param("window", "63", "252")],
        metrics: [metric("rare", 1, null), metric("sharpe", 1, 2)],
      };
      const { x, y } = m.scatterFields(fields, "", "");
      return [x.key, y.key, m.parallelFields(fields, []).map(({ key }) => key)];
    })()"""
    x, y, axes = await evaluated(module_page, "compare/measures.js", tests)
    assert ("params.window", "metrics.sharpe") == (x, y)
    assert ["params.window", "params.rare", "metrics.sharpe", "metrics.rare"] == axes
