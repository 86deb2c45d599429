"""Faults of accessibility in a page: what axe-core finds, and what does not fit a narrow screen."""

from functools import cache
from pathlib import Path
from typing import Any, Final

from tests.console.watched import Watched

AXE: Final = Path(__file__).parent / "axe" / "axe.min.js"
# How a reader may see a page: options of Playwright's `emulate_media`, and the width of the window in CSS px.
THEMES: Final[dict[str, tuple[dict[str, Any], int]]] = {
    "light": ({"color_scheme": "light", "forced_colors": "none"}, 1280),
    "dark": ({"color_scheme": "dark", "forced_colors": "none"}, 1280),
    "narrow": ({"color_scheme": "light", "forced_colors": "none"}, 320),
    "forced colours": ({"color_scheme": "dark", "forced_colors": "active"}, 1280),
}
_RUN = """async () => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"] });
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, html, any }) => {
      const why = any.map((one) => one.message).join("; ");
      return `${id} (${help}) at ${target.join(" ")}: ${html.slice(0, 160)} ${why}`;
    }));
}"""
# WCAG 2.2, 1.4.10: nothing but tables and plots, which scroll by themselves, is wider than the window.
_TOO_WIDE = """() => {
  const room = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= room) return [];
  const isClipped = (element) => {
    for (let one = element.parentElement; one && one !== document.body; one = one.parentElement) {
      if (getComputedStyle(one).overflowX !== "visible") return true;
    }
    return false;
  };
  return [...document.querySelectorAll("body *")]
    .filter((one) => one.getBoundingClientRect().right > room + 1 && !isClipped(one))
    .map((one) => `wider than ${room} px: <${one.localName} class="${one.className}">`);
}"""


async def faults(watched: Watched, theme: str) -> list[str]:
    """The faults of what a page shows now, to a reader with this theme. theme: a key of THEMES."""
    page = watched.page
    media, width = THEMES[theme]
    await watched.is_seen(width=width, **media)
    if not await page.evaluate("'axe' in window"):
        # By the protocol of the browser's own tools: the page's policy lets no script in, and stays as it is.
        session: Any = await page.context.new_cdp_session(page)
        await session.send("Runtime.evaluate", {"expression": _source()})
        await session.detach()
    found: list[str] = await page.evaluate(_RUN)
    if theme == "narrow":
        found += await too_wide(watched)
    return found


async def too_wide(watched: Watched) -> list[str]:
    """What is wider than the window, but for what scrolls by itself."""
    return list(await watched.page.evaluate(_TOO_WIDE))


@cache
def _source() -> str:
    return AXE.read_text("utf-8")
