"""A module of the console, asked in the browser that runs it."""

from typing import Any

from service.console.files import digest
from tests.console.watched import Watched


async def evaluated(watched: Watched, module: str, expression: str, *values: Any) -> Any:
    """What a JavaScript expression is, in which `m` is the module and `values` are these values.

    module: below js/, such as "chart/scale.js". A page of the console has to be shown. Numbers that JSON has
    no word for come back as they are, undefined as None.
    """
    address = f"{watched.base}assets/{digest()}/js/{module}"
    script = f"async ([address, values]) => {{ const m = await import(address); return ({expression}); }}"
    return await watched.page.evaluate(script, [address, list(values)])


async def drawn(watched: Watched, module: str, component: str, props: Any) -> None:
    """Draw a component of a module in place of the page, with these props."""
    address = f"{watched.base}assets/{digest()}/js/"
    script = """async ([address, module, name, props]) => {
      const [{ html }, { render }, found] = await Promise.all(
        [import(`${address}html.js`), import("preact"), import(address + module)]);
      const place = document.querySelector("#console");
      render(null, place);
      render(html`<main><${found[name]} ...${props} /></main>`, place);
    }"""
    await watched.page.evaluate(script, [address, module, component, props])
