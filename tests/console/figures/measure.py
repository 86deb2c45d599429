"""A figure, and how times are taken inside a page."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final, NamedTuple

from tests.console.watched import Watched, watching

SECONDS: Final = 120.0
# In the page: the time, since the navigation began, of the frame in which an element is first painted.
_WATCH: Final = """
window.painted = {};
window.paintedAt = (name, selector, behind = 0) => {
  delete window.painted[name];
  const look = () => {
    if (!document.querySelector(selector)) return false;
    requestAnimationFrame(() => setTimeout(() => { window.painted[name] ??= performance.now() - behind; }));
    return true;
  };
  if (look()) return;
  const observer = new MutationObserver(() => look() && observer.disconnect());
  observer.observe(document, { childList: true, subtree: true, attributes: true });
};
"""


class Figure(NamedTuple):
    """What was measured, of which a smaller or a larger one is better.

    value: None where it could not be measured here. most, least: the target, whichever there is.
    """

    what: str
    value: float | None
    unit: str
    most: float | None = None
    least: float | None = None
    note: str = ""

    @property
    def row(self) -> tuple[str, str, str, str]:
        """What, figure, target, and what is to be said of it."""
        target = f"≤ {self.most:g}" if self.most is not None else f"≥ {self.least:g}" if self.least else ""
        if self.value is None:
            return self.what, "–", f"{target} {self.unit}".strip(), self.note
        missed = (self.most is not None and self.value > self.most) or (
            self.least is not None and self.value < self.least
        )
        shown = f"{self.value:.4g} {self.unit}".strip()
        return (
            self.what,
            shown,
            f"{target} {self.unit}".strip(),
            f"missed; {self.note}" if missed else self.note,
        )


class Bench(NamedTuple):
    """What the rows are measured with: a browser, and a folder for what they write."""

    browser: Any
    folder: Path

    async def page(self, stack: AsyncExitStack, console: str, *scripts: str, **options: Any) -> Watched:
        """A page of a new reader. scripts: run in each document before all others."""
        watched = await stack.enter_async_context(watching(self.browser, console, **options))
        for script in (_WATCH, *scripts):
            await watched.page.add_init_script(script)
        return watched


Row = Callable[[Bench], Awaitable[Sequence[Figure]]]


def watch(name: str, selector: str) -> str:
    """A script that takes the time when an element is first painted."""
    return f"window.paintedAt({name!r}, {selector!r});"


async def painted(watched: Watched, name: str) -> float:
    """When that was, in ms since the navigation began."""
    return float(await until(watched, f"window.painted[{name!r}]"))


async def until(watched: Watched, expression: str) -> Any:
    """The value of an expression, once it has one."""
    end = time.monotonic() + SECONDS
    while True:
        value = await watched.page.evaluate(f"() => {expression} ?? null")
        if value is not None:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"{expression} has no value after {SECONDS:g} s")
        await asyncio.sleep(0.05)


async def median(times: int, measure: Callable[[], Awaitable[float]]) -> float:
    """The median of several measurements, one after the other."""
    return statistics.median([await measure() for _ in range(times)])
