"""Sorting a long table: from the click on a head to the frame that shows the other rows."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Final

from tests.console.figures.measure import Bench, Figure, painted, until, watch
from tests.console.figures.tables import ROWS
from tests.console.many import many_runs

_SORT: Final = """async ([rows, place]) => {
  const first = () => document.querySelector(rows)?.dataset.id;
  const before = first();
  const began = performance.now();
  document.querySelectorAll(".runs-table thead button")[place].click();
  await new Promise((done, fail) => {
    setTimeout(() => fail(new Error(`sorted by column ${place} the first row stays`)), 20_000);
    const observer = new MutationObserver(() => first() !== before && (observer.disconnect(), done()));
    observer.observe(document.querySelector("main"), { childList: true, subtree: true, attributes: true });
  });
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  return performance.now() - began;
}"""
# The columns of metrics come with the fields that are known.
_HEADS: Final = "document.querySelectorAll('.runs-table thead button')[7]?.textContent"
_CLICKS: Final = (5, 6, 7, 6, 5, 7, 5, 6, 7)  # columns of metrics


async def sorting(bench: Bench) -> Sequence[Figure]:
    """10,000 runs, sorted by one metric after the other; the service sorts them."""
    with many_runs(bench.folder, 10_000) as console:
        async with AsyncExitStack() as stack:
            watched = await bench.page(stack, console, watch("table", ROWS))
            await watched.go("runs")
            await painted(watched, "table")
            await until(watched, _HEADS)
            times = sorted([await watched.page.evaluate(_SORT, [ROWS, place]) for place in _CLICKS])
    note = f"worst of {len(times)}: {times[-1]:.0f} ms"
    return [Figure("10,000 runs: sorted by another column", times[len(times) // 2], "ms", 50, note=note)]
