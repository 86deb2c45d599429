"""The table of runs: what is loaded for it, when it is seen, and how it scrolls."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any, Final

from tests.console.figures.measure import Bench, Figure, median, painted, until, watch
from tests.console.many import many_runs
from tests.console.watched import Watched

ROWS: Final = ".runs-region tbody tr[data-id]"
_LOADED = """() => performance.getEntriesByType("resource")
  .filter(({ name }) => /\\.(js|mjs|css)$/.test(new URL(name).pathname))
  .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0)"""
# The first row is another one than before, and painted.
_CHANGED = """(selector) => {
  const id = () => document.querySelector(selector)?.dataset.id;
  const before = id();
  delete window.painted.rows;
  addEventListener("input", () => { window.typedAt = performance.now(); }, { capture: true, once: true });
  const observer = new MutationObserver(() => {
    if (!id() || id() === before) return;
    observer.disconnect();
    requestAnimationFrame(() =>
      setTimeout(() => { window.painted.rows = performance.now() - window.typedAt; }));
  });
  observer.observe(document.querySelector("main"), { childList: true, subtree: true, attributes: true });
}"""
_SCROLL = """async (selector) => {
  const region = document.querySelector(selector);
  const frame = () => new Promise(requestAnimationFrame);
  const times = [];
  let most = 0, last = await frame();
  for (let top = 0; top < 10000 * 28; top += 400) {
    region.scrollTop = top;
    const now = await frame();
    times.push(now - last);
    last = now;
    most = Math.max(most, document.querySelectorAll("tr").length);
  }
  times.sort((a, b) => a - b);
  const p99 = times[Math.floor(times.length * 0.99)];
  return { frames: times.length, longest: times.at(-1), p99, rows: most };
}"""
_FILTERS = (
    "status = 'FINISHED'",
    "metrics.oos_sharpe > 1",
    "status = 'KILLED'",
    "params.model = 'lstm'",
    "status = 'FAILED'",
)


async def first_load(bench: Bench) -> Sequence[Figure]:
    """A browser that has never been here, and one that has, over 1,000 runs."""
    with many_runs(bench.folder, 1_000) as console:
        bytes_loaded = 0.0

        async def cold() -> float:
            nonlocal bytes_loaded
            async with AsyncExitStack() as stack:
                watched = await bench.page(stack, console, watch("table", ROWS))
                await watched.go("runs")
                took = await painted(watched, "table")
                bytes_loaded = await watched.page.evaluate(_LOADED)
                return took

        figures = [Figure("first useful table, 1,000 runs, cold", await median(5, cold), "ms", 800)]
        async with AsyncExitStack() as stack:
            watched = await bench.page(stack, console, watch("table", ROWS))
            await watched.go("runs")

            async def warm() -> float:
                await watched.go("runs")
                return await painted(watched, "table")

            await warm()
            figures.append(Figure("first useful table, 1,000 runs, warm", await median(5, warm), "ms", 400))
    return [Figure("JavaScript and CSS on first load, gzipped", bytes_loaded / 1_000, "kB", 72), *figures]


async def filtering(bench: Bench) -> Sequence[Figure]:
    """A filter is typed over 100,000 runs."""
    with many_runs(bench.folder, 100_000) as console:
        async with AsyncExitStack() as stack:
            watched = await bench.page(stack, console, watch("table", ROWS))
            await watched.go("runs")
            await painted(watched, "table")
            times = [await _typed(watched, text) for text in (*_FILTERS, *_FILTERS)]
            pictures = bench.folder / "runs-100000.png"
            await watched.page.screenshot(path=pictures)
    shown = sorted(times)
    note = f"from the last key; worst of {len(times)}: {shown[-1]:.0f} ms"
    return [Figure("100,000 runs: filter typed to rows shown", shown[len(shown) // 2], "ms", 150, note=note)]


async def _typed(watched: Watched, text: str) -> float:
    await watched.page.evaluate(_CHANGED, ROWS)
    await watched.page.get_by_role("combobox", name="Filter").fill(text)
    return float(await until(watched, "window.painted.rows"))


async def scrolling(bench: Bench) -> Sequence[Figure]:
    """10,000 rows from top to bottom, 400 px a frame."""
    with many_runs(bench.folder, 10_000) as console:
        async with AsyncExitStack() as stack:
            watched = await bench.page(stack, console, watch("table", ROWS))
            await watched.go("runs")
            await painted(watched, "table")
            await watched.page.evaluate(_SCROLL, ".runs-region")  # which reads the rows
            tools = await watched.page.context.new_cdp_session(watched.page)
            # Times of the thread, which other processes do not lengthen.
            await tools.send("Performance.enable", {"timeDomain": "threadTicks"})
            before = await _processor_ms(tools)
            seen = await watched.page.evaluate(_SCROLL, ".runs-region")
            a_frame = (await _processor_ms(tools) - before) / seen["frames"]
    note = f"99 % of frames within {seen['p99']:.0f} ms, {a_frame:.1f} ms of processor time each"
    return [
        Figure("scrolling 10,000 rows: longest frame", seen["longest"], "ms", 33, note=note),
        Figure("scrolling 10,000 rows: most rows in the DOM", seen["rows"], "", 60),
    ]


async def _processor_ms(tools: Any) -> float:
    """What the page's main thread has taken so far."""
    metrics = (await tools.send("Performance.getMetrics"))["metrics"]
    return next(float(one["value"]) * 1_000 for one in metrics if one["name"] == "TaskDuration")
