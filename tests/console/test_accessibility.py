"""Each page, in each of its states, as each reader may see it, has no fault that axe finds."""

import hashlib

import pytest

from tests.api.serving import Client
from tests.console.accessibility import AXE, THEMES, faults
from tests.console.conftest import Open
from tests.console.data import ODD_NAMES, odd_id
from tests.console.states import STATES, UNKNOWN, addresses, has_data
from tests.console.watched import Watched

pytestmark = pytest.mark.console
slow = pytest.mark.slow

# `make console` looks at pages with data; the other states are for the night.
CASES = [
    pytest.param(page, state, id=f"{page}, {state}", marks=[] if state == "data" else [slow])
    for page in addresses()
    for state in STATES
]
ODD = {
    "runs": "runs",
    "run": f"run?id={odd_id(0)}",
    "compare": f"compare?ids={','.join(odd_id(number) for number in range(len(ODD_NAMES) + 1))}",
    "strategies": "strategy",
    "no hit": "runs?q=status+%3D+%27KILLED%27+AND+run_name+%3D+%27x%27",
}
NOTHING = {
    "runs": "runs",
    "no hit": "runs?q=status+%3D+%27KILLED%27",
    "run": f"run?id={UNKNOWN}",
    "compare": f"compare?ids={UNKNOWN},{UNKNOWN[:-1]}0",
    "compare of none": "compare",
    "strategies": "strategy",
    "strategy": "strategy?id=unknown",
    "lineage": f"lineage?ref={UNKNOWN}",
}


async def faults_in_all_themes(watched: Watched) -> dict[str, list[str]]:
    return {theme: found for theme in THEMES if (found := await faults(watched, theme))}


@pytest.mark.parametrize(("page", "state"), CASES)
async def test_a_page_in_a_state(sample_page: Watched, page: str, state: str) -> None:
    """It has no fault in light and dark, 320 px wide, and in forced colours."""
    await STATES[state](sample_page, addresses()[page])
    assert {} == await faults_in_all_themes(sample_page)


@pytest.mark.parametrize("page", [pytest.param(page, marks=slow) for page in NOTHING])
async def test_a_page_without_data(open_page: Open, indexed: Client, page: str) -> None:
    """A page with nothing to show, or of what there is not, has no fault."""
    watched = await open_page(indexed)
    watched.expected.append("404")
    await has_data(watched, NOTHING[page])
    assert {} == await faults_in_all_themes(watched)


@pytest.mark.parametrize("page", [pytest.param(page, marks=slow) for page in ODD])
async def test_a_page_with_odd_data(odd_page: Watched, page: str) -> None:
    """Names of 300 characters, from right to left and with markup, and values that are no numbers."""
    await has_data(odd_page, ODD[page])
    assert {} == await faults_in_all_themes(odd_page)


async def test_the_question_for_a_key(open_page: Open, keyed: tuple[Client, str]) -> None:
    """The form that asks for a key has no fault."""
    watched = await open_page(keyed[0])
    watched.expected.append("401")
    await watched.go("health")
    await watched.page.get_by_label("API key or token").wait_for()
    assert {} == await faults_in_all_themes(watched)


async def test_settings_and_shortcuts(sample_page: Watched) -> None:
    """The menu of settings and the list of shortcuts have no fault while they are open."""
    await has_data(sample_page, "health")
    await sample_page.page.get_by_text("Settings").click()
    assert {} == await faults_in_all_themes(sample_page)
    await sample_page.page.get_by_role("button", name="List the shortcuts").click()
    await sample_page.page.get_by_role("dialog").wait_for()
    assert {} == await faults_in_all_themes(sample_page)


@pytest.mark.parametrize(
    ("break_it", "rule"),
    [
        ("document.querySelector('main').append(document.createElement('button'))", "button-name"),
        ("document.querySelector('h1').style.color = 'rgb(150, 150, 150)'", "color-contrast"),
        ("document.querySelector('h1').style.width = '700px'", "wider than 320 px"),
    ],
)
async def test_faults_are_found(sample_page: Watched, break_it: str, rule: str) -> None:
    """The checks can fail: a button without a name, pale text, and what is too wide are found."""
    await has_data(sample_page, "health")
    await sample_page.page.evaluate(f"() => {{ {break_it} }}")
    found = await faults_in_all_themes(sample_page)
    assert any(rule in one for one in found["narrow"])


def test_axe_is_the_released_one() -> None:
    """Its files have the checksums that were written down."""
    lines = (AXE.parent / "SHA256SUMS").read_text("ascii").splitlines()
    written = {name: digest for digest, name in (line.split() for line in lines)}
    assert AXE.name in written
    assert written == {name: hashlib.sha256((AXE.parent / name).read_bytes()).hexdigest() for name in written}
