"""Lines as numbers and words: one axis for all, breaks, places of labels, sentences."""

from typing import Any

import pytest

from tests.console.modules import evaluated
from tests.console.watched import Watched

pytestmark = pytest.mark.console


def line(x: list[float], y: list[float | None], label: str = "a", **more: Any) -> dict[str, Any]:
    return {"label": label, "x": x, "y": y, **more}


async def data(page: Watched, expression: str, *values: Any) -> Any:
    """A value of the module of numbers, with undefined as "gap"."""
    whole = f'JSON.parse(JSON.stringify({expression}, (_, v) => v === undefined ? "gap" : v))'
    return await evaluated(page, "chart/lines-data.js", whole, *values)


async def test_lines_with_other_x_are_put_on_one_axis(module_page: Watched) -> None:
    """Where a line has no entry it has a gap, which is drawn over, and each x stands there once."""
    lines = [line([0, 2, 4], [1, 2, 3]), line([1, 2], [10, 20])]
    assert [[0, 1, 2, 4], [1, "gap", 2, 3], ["gap", 10, 20, "gap"]] == await data(
        module_page, "m.aligned(values[0], false)", lines
    )


async def test_a_value_that_is_no_number_breaks_its_line(module_page: Watched) -> None:
    """The break reaches from the value before to the value after, whatever x other lines have between."""
    lines = [line([0, 3, 6], [1, None, 2]), line([1, 2, 4, 5], [0, 0, 0, 0])]
    aligned = await data(module_page, "m.aligned(values[0], false)", lines)
    assert [1, None, None, None, None, None, 2] == aligned[1]
    assert ["gap", 0, 0, "gap", 0, 0, "gap"] == aligned[2]


async def test_an_x_that_is_there_twice_stays_twice(module_page: Watched) -> None:
    """Two values of one step are both drawn."""
    lines = [line([0, 1, 1], [1, 2, 3]), line([1], [9])]
    assert [[0, 1, 1], [1, 2, 3], ["gap", 9, "gap"]] == await data(
        module_page, "m.aligned(values[0], false)", lines
    )


async def test_a_logarithmic_axis_has_no_place_for_0_and_less(module_page: Watched) -> None:
    """Such values break the line, are counted, and do not stretch the axis."""
    lines = [line([0, 1, 2, 3], [1, 0, -5, 100])]
    assert [1, None, None, 100] == (await data(module_page, "m.aligned(values[0], true)", lines))[1]
    assert 2 == await data(module_page, "m.notPositive(values[0])", lines)
    assert [1, 100] == await data(module_page, "m.extent(values[0], true, [0, 3])", lines)


async def test_the_extent_of_a_part_has_its_spikes(module_page: Watched) -> None:
    """The least and greatest values of buckets count, those outside of the part do not."""
    buckets = line([0, 1, 2], [1, 1, 1], min=[1, -7, -99], max=[1, 9, 99])
    assert [-7, 9] == await data(module_page, "m.extent(values[0], false, [0, 1])", [buckets])
    assert await data(module_page, "m.extent(values[0], false, [5, 6])", [buckets]) is None


async def test_a_value_without_neighbours_is_known(module_page: Watched) -> None:
    """A line of one value between two breaks is no line, so that a dot is drawn there."""
    expression = "m.isolated([1, null, 2, undefined, null, 3, undefined, 4, null, 5])"
    assert [0, 2, 9] == await data(module_page, expression)


@pytest.mark.parametrize(("x", "place"), [(-5, 0), (0.9, 0), (1.1, 1), (7, 2)])
async def test_the_nearest_entry_is_found(module_page: Watched, x: float, place: int) -> None:
    """Before the first it is the first, after the last the last."""
    assert place == await data(module_page, "m.nearest([0, 2, 4], values[0])", x)


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"factor": 0.5}, [45, 55]),
        ({"factor": 2}, [30, 70]),
        ({"factor": 100}, [0, 100]),
        ({"share": 0.5}, [50, 70]),
        ({"share": -9}, [0, 20]),
        ({"share": 9}, [80, 100]),
    ],
)
async def test_zooming_stays_within_what_there_is(
    module_page: Watched, change: dict[str, float], part: list[float]
) -> None:
    """A part is halved, doubled or moved, and ends where the data end."""
    assert part == await data(module_page, "m.part([40, 60], [0, 100], values[0])", change)


async def test_labels_keep_apart(module_page: Watched) -> None:
    """Labels that would lie over each other move away, in their order, and stay inside."""
    assert [10, 24, 38] == await data(module_page, "m.apart([10, 10, 11], 14, 0, 100)")
    assert [72, 100, 86] == await data(module_page, "m.apart([99, 100, 99], 14, 0, 100)")


async def test_twelve_lines_are_told_apart(module_page: Watched) -> None:
    """No two have the same colour and dashes; without colours the dashes alone differ."""
    styles = await data(module_page, "[...Array(12).keys()].map((i) => m.styleOf(i))")
    assert 12 == len({(style["colour"], tuple(style["dash"])) for style in styles})
    plain = await data(module_page, "[...Array(4).keys()].map((i) => m.styleOf(i, true))")
    assert 4 == len({tuple(style["dash"]) for style in plain})


async def test_a_sentence_says_what_a_chart_shows(module_page: Watched) -> None:
    """It names the last values and the extremes, spikes included, and whose they are."""
    lines = [
        line([0, 10], [1, 2], "trial-1", min=[-3, 2], max=[1, 2]),
        line([0, 20], [5, None], "trial-2"),
    ]
    said = "m.sentence(values[0], values[1], (x) => `step ${x}`, String)"
    assert (
        "sharpe of 2 runs from step 0 to step 10: last 5 for trial-2, the highest, and 2 for trial-1, "
        "the lowest; smallest -3 for trial-1, largest 5 for trial-2."
    ) == await evaluated(module_page, "chart/lines-text.js", said, "sharpe of 2 runs", lines)
    assert "sharpe from step 0 to step 10: last 2, smallest -3, largest 2." == await evaluated(
        module_page, "chart/lines-text.js", said, "sharpe", lines[:1]
    )
    assert "sharpe: there is no value." == await evaluated(
        module_page, "chart/lines-text.js", said, "sharpe", [line([0], [None])]
    )


@pytest.mark.parametrize(
    ("values", "step", "written"),
    [
        ([0, 0.05, 0.1], 0.05, ["0", "0.05", "0.1"]),
        ([0.25, 0.5, 0.75], 0.25, ["0.25", "0.5", "0.75"]),
        ([1000.001, 1000.002], 0.001, ["1,000.001", "1,000.002"]),
        ([-2, None], 1, ["\u22122", ""]),
        ([1e12, 2e12], 1e12, ["1E12", "2E12"]),
        ([1e-9, 2e-9], 1e-9, ["1E\u22129", "2E\u22129"]),
    ],
)
async def test_numbers_of_an_axis_have_the_digits_they_need(
    module_page: Watched, values: list[float | None], step: float, written: list[str]
) -> None:
    """Neighbours on an axis are written differently, however near they are."""
    call = "m.axisNumbers(values[0], values[1])"
    assert written == await evaluated(module_page, "chart/lines-text.js", call, values, step)
