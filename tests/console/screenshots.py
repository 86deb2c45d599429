"""Takes the pictures of the console that README and docs show, from the sample over a real MLflow.

python -m tests.console.screenshots docs/screenshots
"""

import argparse
import asyncio
import io
import json
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from PIL import Image

from tests.bench.machine import free_port, running
from tests.bench.sides import ROOT
from tests.console.chromium import chromium
from tests.console.watched import watching

THEMES: Final = ("light", "dark")
SIZE: Final = {"width": 1280, "height": 800}
LARGEST: Final = 150_000  # bytes
SECONDS: Final = 300.0  # that writing the sample may take on a busy machine
_RUNS: Final = 73


@contextmanager
def sample_service(folder: Path) -> Iterator[str]:
    """The address of what `make run` starts, over a new store, once its index has all of the sample."""
    port = free_port()
    variables = {"TRACKING_PORT": str(port), "TRACKING_DATA_DIR": str(folder / "data")}
    url = f"http://127.0.0.1:{port}/"
    command = [sys.executable, "-m", "service", "--sample"]
    options: dict[str, Any] = {"variables": variables, "cwd": ROOT, "start_seconds": SECONDS}
    with running("sample", command, url, folder, health="livez", **options):
        until = time.monotonic() + SECONDS
        while (_asked(url, "runs/search?page_size=1").get("total") or 0) < _RUNS:
            if time.monotonic() > until:
                raise TimeoutError("the sample is not complete")
            time.sleep(0.5)
        yield url


def addresses(url: str) -> dict[str, str]:
    """What is shown of each page."""
    strategy = _asked(url, "strategies")["strategies"][0]["strategy_id"]
    of_it = f"tags.strategy_id = '{strategy}'"
    trials = _ids(url, f"{of_it} AND tags.run_type = 'training'", "metrics.oos_sharpe desc")[:4]
    folds = _ids(url, f"{of_it} AND tags.run_type = 'walk_forward'", "start_time desc")
    backtests = _ids(url, f"{of_it} AND tags.run_type = 'backtest'", "start_time desc")
    return {
        "runs": "runs",
        "run": f"run?id={folds[0]}",
        "compare": f"compare?ids={','.join(trials)}",
        "strategy": f"strategy?id={urllib.parse.quote(strategy)}",
        "lineage": f"lineage?ref={backtests[0]}",
    }


def smaller(png: bytes) -> bytes:
    """The picture in 128 colours, which is enough for a page."""
    written = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").quantize(128).save(written, "PNG", optimize=True)
    return written.getvalue()


async def take(url: str, folder: Path) -> None:
    """Write a picture of each page in each theme; OSError where one would be too large."""
    async with chromium("--hide-scrollbars") as browser:
        for theme in THEMES:
            async with watching(browser, f"{url}console/", color_scheme=theme, viewport=SIZE) as watched:
                for name, address in addresses(url).items():
                    await watched.go(address)
                    await watched.is_settled()
                    if name == "runs":
                        await watched.page.locator(".facet").first.wait_for()
                    await watched.page.get_by_text("connecting…").wait_for(state="hidden")
                    await watched.page.wait_for_load_state("load")
                    await watched.page.evaluate("() => new Promise((done) => requestAnimationFrame(done))")
                    picture = smaller(await watched.page.screenshot(animations="disabled"))
                    file = folder / f"{name}-{theme}.png"
                    if len(picture) > LARGEST:
                        raise OSError(f"{file} would have {len(picture)} bytes")
                    file.write_bytes(picture)
                    print(f"{file}  {len(picture):,} bytes")


def _ids(url: str, text: str, order: str) -> list[str]:
    query = urllib.parse.urlencode({"filter": text, "order_by": order, "fields": "attributes.run_id"})
    return [run["run_id"] for run in _asked(url, f"runs/search?{query}")["runs"]]


def _asked(url: str, path: str) -> dict[str, Any]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{url}api/v1/tracking/{path}", timeout=60) as answer:
            return dict(json.load(answer))
    except urllib.error.HTTPError as error:
        return dict(json.load(error))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.console.screenshots", description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work, sample_service(Path(work)) as url:
        asyncio.run(take(url, folder))


if __name__ == "__main__":
    main()
