"""The filter bar in a real browser: what is asked, offered and said while somebody types."""

import asyncio
from typing import Any

import pytest

from service.console.files import digest
from tests.console.components import calls, give, mount
from tests.console.watched import Watched

pytestmark = pytest.mark.console

FACETS = ("type", "strategy", "status", "dataset", "features", "signal", "model", "user")
STATE: dict[str, Any] = {"q": "", "exp": [], **{name: [] for name in FACETS}}


def field(name: str, **more: Any) -> dict[str, Any]:
    kind = name.partition(".")[0]
    return {"name": name, "kind": kind, "runs": 3, "distinct": 2, "numeric": None, "min": None, **more}


FIELDS = [
    field("metrics.oos_sharpe", min=-0.3, max=1.42),
    field("metrics.is_sharpe"),
    field("params.lr", numeric=True),
    field("tags.run_type", numeric=False),
]


async def draw(watched: Watched, **props: Any) -> Any:
    """The bar, drawn on its own; its text field."""
    await watched.go("health")
    await watched.has_title("Health")
    given = {"state": STATE, "fields": FIELDS, "error": None, "experimentIds": [], **props}
    await mount(watched, "filter/bar.js", "FilterBar", given, "onChange")
    return watched.page.get_by_role("combobox", name="Filter")


async def expected_calls(watched: Watched, *filters: str) -> None:
    """Wait until these filters have been asked, one after the other, and no other ones."""

    async def asked() -> list[str]:
        return [call[1]["q"] for call in await calls(watched)]

    deadline = asyncio.get_running_loop().time() + 10
    while len(await asked()) < len(filters) and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(0.02)
    assert list(filters) == await asked()


async def test_a_comparison_with_a_bare_name_is_asked_by_its_field(watched: Watched) -> None:
    """`lr=0.1` is asked as a comparison of the parameter's numbers, and the line below says so."""
    bar = await draw(watched)
    await bar.fill("lr=0.1")
    await expected_calls(watched, "number(params.lr)=0.1")
    assert "asked as: number(params.lr)=0.1" in await watched.page.locator("#filter-remark").inner_text()


async def test_a_filter_is_asked_at_once_but_for_keys_in_quick_succession(watched: Watched) -> None:
    """A text is asked without a pause; of texts that follow each other within 60 ms, the last one is."""
    await watched.page.clock.install(time=0)
    bar = await draw(watched)
    await watched.page.clock.pause_at(600_000)
    await bar.fill("lr=1")
    await expected_calls(watched, "number(params.lr)=1")
    for text in ("lr=12", "lr=123", "lr=1234"):
        await watched.page.clock.run_for(40)
        await bar.fill(text)
    await expected_calls(watched, "number(params.lr)=1")
    await watched.page.clock.run_for(60)
    await expected_calls(watched, "number(params.lr)=1", "number(params.lr)=1234")


async def test_what_is_typed_while_the_language_comes_stays(watched: Watched) -> None:
    """A text that is typed right after the module that reads it has come is kept, and asked at once."""
    await watched.page.clock.install(time=0)
    bar = await draw(watched)
    await watched.page.clock.pause_at(600_000)
    await bar.focus()
    module = f"{watched.base}assets/{digest()}/js/filter/language.js"
    await watched.page.evaluate("async (module) => void (await import(module))", module)
    await bar.fill("lr=1")
    await expected_calls(watched, "number(params.lr)=1")
    assert "lr=1" == await bar.input_value()


async def test_a_name_that_several_fields_have_is_never_guessed(watched: Watched) -> None:
    """`sharpe>1.2` asks nothing until a reader has chosen which metric is meant."""
    bar = await draw(watched)
    await bar.fill("sharpe>1.2")
    await watched.page.get_by_role("button", name="metrics.is_sharpe").click()
    assert "metrics.is_sharpe>1.2" == await bar.input_value()
    await expected_calls(watched, "metrics.is_sharpe>1.2")


async def test_choices_by_keyboard(watched: Watched) -> None:
    """A field, an operator and a value are put in with arrows and Enter, and the field keeps the focus."""
    bar = await draw(watched)
    await bar.fill("oos")
    await expected_calls(watched, "run_name ILIKE '%oos%' OR run_id LIKE 'oos%'")
    for offered in ("metrics.oos_sharpe", ">"):
        await watched.page.locator("[role=option] bdi").get_by_text(offered, exact=True).wait_for()
        await bar.press("ArrowDown")
        await bar.press("Enter")
    await bar.press_sequentially("1")
    assert "metrics.oos_sharpe > 1" == await bar.input_value()
    await expected_calls(watched, "run_name ILIKE '%oos%' OR run_id LIKE 'oos%'", "metrics.oos_sharpe > 1")
    assert await bar.evaluate("(element) => element === document.activeElement")


async def test_a_reader_of_the_screen_hears_which_choice_is_meant(watched: Watched) -> None:
    """The field names its list and the choice in it; Escape closes the list and leaves the text."""
    bar = await draw(watched)
    await bar.press_sequentially("sharpe")
    await watched.page.get_by_role("option").first.wait_for()
    await bar.press("ArrowDown")
    assert "true" == await bar.get_attribute("aria-expanded")
    chosen = watched.page.locator(f"#{await bar.get_attribute('aria-activedescendant')}")
    assert ("option", "true") == (
        await chosen.get_attribute("role"),
        await chosen.get_attribute("aria-selected"),
    )
    assert "metrics.oos_sharpe" in await chosen.inner_text()
    await bar.press("Escape")
    assert "false" == await bar.get_attribute("aria-expanded")
    assert "sharpe" == await bar.input_value()


async def test_what_is_not_complete_waits_and_says_what_is_missing(watched: Watched) -> None:
    """A filter without its value is not asked; Enter marks it as wrong and says what was expected."""
    bar = await draw(watched)
    await bar.fill("metrics.oos_sharpe >")
    remark = watched.page.locator("#filter-remark")
    await remark.get_by_text("Not asked yet: expected a value").wait_for()
    assert "false" == await bar.get_attribute("aria-invalid")
    await bar.press("Enter")
    await remark.get_by_text("At character 21: expected a value").wait_for()
    assert "true" == await bar.get_attribute("aria-invalid")
    assert [] == await calls(watched)


async def test_the_services_refusal_stands_under_its_place(watched: Watched) -> None:
    """A 422 with a position, counted in characters of the whole filter, marks the place in the bar's text."""
    state = {**STATE, "q": "tags.a = '🎉' OR start_time > '2026-02-31'", "status": ["FAILED"]}
    position = f"({state['q']}) AND status = 'FAILED'".index("'2026")
    message = f"at position {position}: expected a date that the calendar has; found '2026-02-31'"
    refusal = {"location": "query.filter", "message": message, "position": position}
    await draw(watched, state=state, error={"status": 422, "errors": [refusal]})
    marked = watched.page.locator("#filter-remark mark")
    assert "'2026-02-31'" == await marked.inner_text()
    text = await watched.page.locator("#filter-remark").inner_text()
    assert "expected a date that the calendar has" in text
    await watched.page.get_by_role("button", name="Go there").click()
    caret = await watched.page.locator("#filter").evaluate("(element) => element.selectionStart")
    assert "'2026-02-31'" == state["q"].encode("utf-16-le")[caret * 2 :].decode("utf-16-le")


async def test_a_filter_that_comes_from_elsewhere_is_shown(watched: Watched) -> None:
    """Another filter of the view, such as by the back button, stands in the bar, and words as words."""
    bar = await draw(watched)
    await give(watched, state={**STATE, "q": "run_name ILIKE '%momentum%' OR run_id LIKE 'momentum%'"})
    from playwright.async_api import expect  # noqa: PLC0415 - `make console` installs it

    await expect(bar).to_have_value("momentum")
    assert [] == await calls(watched)


async def test_typing_is_one_step_of_the_back_button(watched: Watched) -> None:
    """The first filter of some typing is a step, those that follow take its place until Enter ends it."""
    bar = await draw(watched)
    for text in ("lr=1", "lr=10"):
        await bar.fill(text)
        await (
            watched.page.locator("#filter-remark")
            .get_by_text(f"number(params.{text.replace('=', ')=')}")
            .wait_for()
        )
        await expected_calls(watched, *["number(params.lr)=1", "number(params.lr)=10"][: len(text) - 3])
    await bar.press("Enter")
    await bar.fill("lr=2")
    await expected_calls(watched, "number(params.lr)=1", "number(params.lr)=10", "number(params.lr)=2")
    assert [False, True, False] == [call[2]["replace"] for call in await calls(watched)]


async def test_last_filters_are_offered_again(watched: Watched) -> None:
    """A filter that was asked in this browser is offered where the bar is empty."""
    bar = await draw(watched)
    await bar.fill("lr=0.5")
    await expected_calls(watched, "number(params.lr)=0.5")
    await bar.press("Enter")
    await bar.fill("")
    await bar.press("ArrowDown")
    await bar.press("Enter")
    assert "number(params.lr)=0.5" == await bar.input_value()
