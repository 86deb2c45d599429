"""Components of the console, drawn on their own in a page of it, and what they tell whoever draws them."""

from typing import Any

from service.console.files import digest
from tests.console.watched import Watched

# What a component hands to its `on…` functions is kept, and its changes of `state` become its next props.
_MOUNT = """
async ([base, path, name, props, functions]) => {
  const { h, render } = await import("preact");
  const { signal } = await import("@preact/signals");
  const component = (await import(base + path))[name];
  window.calls = [];
  window.props = signal(props);
  const called = Object.fromEntries(functions.map((one) => [one, (...args) => {
    window.calls.push([one, ...args]);
    const { state } = window.props.value;
    if (one !== "onChange" || !state) return;
    window.props.value = { ...window.props.value, state: { ...state, ...args[0] } };
  }]));
  const Drawn = () => h("main", null, h(component, { ...window.props.value, ...called }));
  const place = document.querySelector("#console");
  render(null, place);
  render(h(Drawn), place);
}
"""


async def mount(watched: Watched, module: str, name: str, props: Any, *functions: str) -> None:
    """Draw a component in place of the page. functions: names of the props that are functions."""
    base = f"{watched.base}assets/{digest()}/js/"
    await watched.page.evaluate(_MOUNT, [base, module, name, props, list(functions)])


async def calls(watched: Watched) -> list[list[Any]]:
    """The calls of those functions so far: the name of each and its arguments."""
    return list(await watched.page.evaluate("window.calls"))


async def give(watched: Watched, **props: Any) -> None:
    """Change some props of the component."""
    await watched.page.evaluate(
        "(changes) => { window.props.value = { ...window.props.value, ...changes }; }", props
    )
