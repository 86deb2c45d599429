"""Modules and components of the console, called and drawn in a page of it on their own."""

from typing import Any

from tests.console.watched import Watched

_CALL = """
async ([path, name, args]) => {
  const base = document.querySelector("script[type=module]").src.replace(/js\\/main\\.js$/, "");
  return (await import(base + path))[name](...args);
}
"""
# What a component hands to its `on…` functions is kept, and its changes of `state` become its next props.
_MOUNT = """
async ([path, name, props, functions]) => {
  const base = document.querySelector("script[type=module]").src.replace(/js\\/main\\.js$/, "");
  const { h, render } = await import("preact");
  const { signal } = await import("@preact/signals");
  const component = (await import(base + path))[name];
  window.calls = [];
  window.props = signal(props);
  const called = Object.fromEntries(functions.map((one) => [one, (...args) => {
    window.calls.push([one, ...args]);
    const { state } = window.props.value;
    if (one === "onChange" && state) window.props.value = { ...window.props.value, state: { ...state, ...args[0] } };
  }]));
  const host = document.createElement("div");
  document.getElementById("console").hidden = true;
  document.body.prepend(host);
  render(h(() => h(component, { ...window.props.value, ...called })), host);
}
"""


async def call(watched: Watched, path: str, name: str, *args: Any) -> Any:
    """What a function of a module returns for these arguments. path: below the assets, "js/url.js"."""
    return await watched.page.evaluate(_CALL, [path, name, list(args)])


async def mount(watched: Watched, path: str, name: str, props: Any, *functions: str) -> None:
    """Draw a component in place of the page. functions: names of the props that are functions."""
    await watched.page.evaluate(_MOUNT, [path, name, props, list(functions)])


async def calls(watched: Watched) -> list[list[Any]]:
    """The calls of those functions so far: the name of each and its arguments."""
    return list(await watched.page.evaluate("window.calls"))


async def give(watched: Watched, **props: Any) -> None:
    """Change some props of the component."""
    await watched.page.evaluate(
        "(changes) => { window.props.value = { ...window.props.value, ...changes }; }", props
    )
