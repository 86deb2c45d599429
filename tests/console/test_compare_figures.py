"""How long a large comparison takes to be seen, in Chromium."""

import pytest

from tests.console.watched import Watched
from tests.fakes.mlflow import FakeMlflow

pytestmark = pytest.mark.console

# From the last byte of the analysis to the frame behind the one in which its cells stand.
LISTEN = """
new MutationObserver((_, observer) => {
  if (!document.querySelector(".sheet tbody td[data-run]")) return;
  observer.disconnect();
  requestAnimationFrame(() => setTimeout(() => {
    const [answer] = performance.getEntriesByType("resource").filter(({ name }) => name.includes("analysis"));
    window.painted = { after: performance.now() - answer.responseEnd, bytes: answer.decodedBodySize };
  }));
}).observe(document, { childList: true, subtree: true });
"""
PAINTED = """new Promise((resolve) => {
  const ask = () => (window.painted ? resolve(window.painted) : setTimeout(ask, 5));
  ask();
})"""
# A busy machine takes several times what an idle one does, for which 300 ms are meant.
MOST = 1_500.0


async def test_ten_runs_with_a_thousand_metrics_are_seen_soon(
    watched: Watched, fake: FakeMlflow, capsys: pytest.CaptureFixture[str]
) -> None:
    """10 runs with 1,000 metrics and 100 parameters are on the screen soon after their analysis has come."""
    ids = [
        fake.add_run(
            run_id=f"{number:032x}",
            metrics={f"group_{key % 20}/metric_{key}": number * 0.37 + key for key in range(1_000)},
            params={f"param_{key}": str(number * (key % 3)) for key in range(100)},
            end_time=1,
        )
        for number in range(10)
    ]
    await watched.page.add_init_script(LISTEN)
    times = []
    for _ in range(3):
        await watched.go(f"compare?ids={','.join(ids)}")
        await watched.page.locator(".sheet tbody td[data-run]").first.wait_for()
        painted = await watched.page.evaluate(PAINTED)
        times.append(painted["after"])
        assert 1_000_000 < painted["bytes"]
    with capsys.disabled():
        print(f"\ncompare, 10 runs x 1,000 metrics x 100 params: painted {min(times):.0f} ms after the data")
    assert min(times) < MOST
