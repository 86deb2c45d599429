"""Charts of lines, drawn."""

import re
from typing import Any

import pytest

from tests.console.modules import drawn
from tests.console.watched import Watched

pytestmark = pytest.mark.console

STEPS = list(range(2000))


def flat(label: str = "equity", spike: int | None = None) -> dict[str, Any]:
    """A line at 1; with a spike to 9 that only its greatest values show."""
    highest = [9.0 if step == spike else 1.0 for step in STEPS]
    return {"label": label, "x": STEPS, "y": [1.0] * len(STEPS), "min": [1.0] * len(STEPS), "max": highest}


async def begun(watched: Watched) -> None:
    """Load a page to draw on, which has the styles of charts."""
    await watched.go("run")
    await watched.has_title("Run")


async def shown(watched: Watched, **props: Any) -> Any:
    """A chart of lines; its plot, once it is drawn."""
    await begun(watched)
    await drawn(watched, "chart/lines.js", "Lines", {"title": "equity of a run", **props})
    await watched.page.locator(".chart canvas").wait_for()
    return watched.page.locator(".chart-plot")


async def inked(watched: Watched, share: float) -> bool:
    """Whether something coloured is drawn in the upper half of the plot at this share of its width."""
    script = """async (share) => {
      await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
      const canvas = document.querySelector(".chart canvas");
      const over = document.querySelector(".u-over");
      const ratio = canvas.width / canvas.clientWidth;
      const left = Math.round((over.offsetLeft + share * over.clientWidth) * ratio);
      const top = (over.offsetTop + over.clientHeight * 0.1) * ratio;
      const height = over.clientHeight * 0.4 * ratio;
      const { data } = canvas.getContext("2d").getImageData(left - 3, top, 7, height);
      for (let i = 0; i < data.length; i += 4) {
        const [red, green, blue, alpha] = data.slice(i, i + 4);
        if (alpha > 40 && Math.max(red, green, blue) - Math.min(red, green, blue) > 40) return true;
      }
      return false;
    }"""
    watched.expected.append("willReadFrequently")
    return bool(await watched.page.evaluate(script, share))


async def test_a_spike_of_one_bucket_is_drawn(watched: Watched) -> None:
    """One value among many is seen, though the line goes through the last of each bucket."""
    await shown(watched, series=[flat(spike=500)])
    assert await inked(watched, 500 / 1999)
    assert not await inked(watched, 0.6)


async def test_a_chart_says_what_it_shows(watched: Watched) -> None:
    """It is an image with a sentence, and its legend is text."""
    plot = await shown(watched, series=[flat("lr=0.01"), flat("lr=0.05", spike=3)])
    assert "img" == await plot.get_attribute("role")
    assert re.match(
        r"equity of a run from step 0 to step 1,999: last 1 for lr=0.01, .* largest 9 for lr=0.05",
        await plot.get_attribute("aria-label"),
    )
    assert ["lr=0.01", "lr=0.05"] == await watched.page.locator(".chart-legend bdi").all_inner_texts()


async def test_values_are_read_by_keyboard(watched: Watched) -> None:
    """Arrow keys go from entry to entry, and what is there is announced, spikes of the bucket included."""
    plot = await shown(watched, series=[flat(spike=1)])
    said = watched.page.locator('.chart [aria-live="polite"]')
    await plot.focus()
    await plot.press("ArrowRight")
    assert "step 0: equity 1" == await said.inner_text()
    await plot.press("ArrowRight")
    assert "step 1: equity 1 (1 to 9)" == await said.inner_text()
    await plot.press("End")
    assert "step 1,999: equity 1" == await said.inner_text()


async def test_zoom_needs_no_dragging(watched: Watched) -> None:
    """Buttons show a part, move it and show all again, and the axis follows."""
    plot = await shown(watched, series=[flat()])
    button = watched.page.get_by_role("button")
    assert await button.filter(has_text="Show all").is_disabled()
    await button.filter(has_text="Zoom in").click()
    await plot.focus()
    await plot.press("Home")
    said = watched.page.locator('.chart [aria-live="polite"]')
    assert "step 500: equity 1" == await said.inner_text()
    await button.filter(has_text="Forward").click()
    await plot.press("Home")
    assert "step 1,000: equity 1" == await said.inner_text()
    await button.filter(has_text="Show all").click()
    await plot.press("Home")
    assert "step 0: equity 1" == await said.inner_text()


async def test_a_part_is_selected_with_the_mouse(watched: Watched) -> None:
    """What is dragged over is shown, and a double click shows all again."""
    await shown(watched, series=[flat()])
    over = watched.page.locator(".u-over")
    box = await over.bounding_box()
    middle = box["y"] + box["height"] / 2
    await watched.page.mouse.move(box["x"] + box["width"] * 0.25, middle)
    await watched.page.mouse.down()
    await watched.page.mouse.move(box["x"] + box["width"] * 0.75, middle, steps=4)
    await watched.page.mouse.up()
    whole = watched.page.get_by_role("button", name="Show all")
    await whole.and_(watched.page.locator(":enabled")).wait_for()
    await watched.page.locator(".u-over").dblclick()
    await whole.and_(watched.page.locator(":disabled")).wait_for()


async def test_the_values_are_there_as_a_table(watched: Watched) -> None:
    """A line without an entry has none there, a value that is no number says so, and rows come by pages."""
    series = [{"label": "a", "x": [0, 2], "y": [1, None]}, {"label": "b", "x": [1], "y": [5]}]
    await shown(watched, series=series)
    await watched.page.get_by_role("button", name="As table").click()
    rows = watched.page.locator(".chart-values tbody tr")
    texts = [re.split(r"\s*\t\s*", text.strip()) for text in await rows.all_inner_texts()]
    assert [["step 0", "1", "–"], ["step 1", "–", "5"], ["step 2", "NaN", "–"]] == texts
    await shown(watched, series=[flat()])
    await watched.page.get_by_role("button", name="As table").click()
    await watched.page.get_by_role("button", name="Rows after").click()
    assert "step 50" in await rows.first.inner_text()
    assert 50 == await rows.count()


@pytest.mark.parametrize(
    ("series", "is_log", "text"),
    [
        ([], False, "there is no finite value to draw"),
        ([{"label": "a", "x": [0, 1], "y": [None, None]}], False, "there is no finite value to draw"),
        ([{"label": "a", "x": [0, 1], "y": [0, -1]}], True, "a logarithmic axis has no place"),
    ],
)
async def test_where_nothing_can_be_drawn_the_chart_says_so(
    watched: Watched, series: list[Any], is_log: bool, text: str
) -> None:
    """There is no empty plot."""
    props = {"title": "loss", "series": series, "isLog": is_log}
    await begun(watched)
    await drawn(watched, "chart/lines.js", "Lines", props)
    await watched.page.locator(".chart-nothing", has_text=text).wait_for()
    assert 0 == await watched.page.locator(".chart canvas").count()


async def test_a_logarithmic_axis_says_what_it_leaves_out(watched: Watched) -> None:
    """Values of 0 and less are counted below the chart."""
    await shown(watched, series=[{"label": "a", "x": [0, 1, 2], "y": [10, 0, 1000]}], isLog=True)
    assert "1 entry is 0 or less" in await watched.page.locator(".chart").inner_text()


async def test_lines_break_and_never_join_over_what_is_no_number(watched: Watched) -> None:
    """Between two values with NaN between them nothing is drawn."""
    y: list[float | None] = [1.0] * 2000
    y[0], y[1], y[800:1200] = 0.0, 1.5, [None] * 400
    await shown(watched, series=[{"label": "a", "x": STEPS, "y": y}])
    assert await inked(watched, 0.3)
    assert not await inked(watched, 0.5)
    assert await inked(watched, 0.7)


async def test_a_chart_takes_the_colours_of_the_theme(watched: Watched) -> None:
    """With another theme it is drawn anew in its colours."""
    await watched.is_seen(color_scheme="light")
    await shown(watched, series=[flat()])
    colour = """async () => {
      await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
      const canvas = document.querySelector(".chart canvas");
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      const colours = new Set();
      for (let i = 0; i < data.length; i += 4) {
        if (data[i + 3] === 255) colours.add(data.slice(i, i + 3).join());
      }
      return [...colours];
    }"""
    light, dark = "0,114,178", "86,180,233"
    assert light in await watched.page.evaluate(colour)
    await watched.is_seen(color_scheme="dark")
    colours = await watched.page.evaluate(colour)
    assert dark in colours
    assert light not in colours


async def test_a_chart_is_as_wide_as_its_place(watched: Watched) -> None:
    """It shrinks with the window, and makes no page scroll sideways."""
    await shown(watched, series=[flat("a"), flat("b")])
    canvas = watched.page.locator(".chart canvas")
    wide = (await canvas.bounding_box())["width"]
    await watched.is_seen(width=320, height=700)
    await watched.page.locator(f'.chart canvas:not([width="{round(wide)}"])').wait_for()
    assert (await canvas.bounding_box())["width"] <= 320
    assert await watched.page.evaluate("document.documentElement.scrollWidth <= 320")


async def test_labels_are_text(watched: Watched) -> None:
    """A label with markup in it is shown as it is."""
    await shown(watched, series=[flat("<img src=x onerror=alert(1)>"), flat("\u05d0 \u202e abc")])
    assert "<img src=x onerror=alert(1)>" in await watched.page.locator(".chart-legend").inner_text()
    assert 0 == await watched.page.locator(".chart img").count()
