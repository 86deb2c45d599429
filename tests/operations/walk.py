"""An operator's walk in three minutes: `python -m tests.operations.walk`. It needs Debian's `prometheus`.

People browse; MLflow goes away, comes back, becomes slow, and is well again. The service wants API keys. A
real Prometheus scrapes it each second with the shipped rules, whose durations are fifteen times shorter. Then
the dashboard's own queries tell what happened when, and which alerts fired.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from service.auth.api_keys import new_key
from tests.deploy.balancer import until
from tests.fakes.mlflow import FakeMlflow
from tests.live.server import free_port
from tests.operations.account import account, fired, silent, table
from tests.operations.browsing import browsing
from tests.operations.programs import running
from tests.operations.prometheus import configure, scraping
from tests.resilience.proxy import FaultProxy

_RUNS = 60
_PEOPLE = 12
_STEP = 5.0  # seconds between two rows of the account
_LATENCY, _SLOW = 0.01, 1.0  # seconds that MLflow takes
_PHASES = (("well", 30.0), ("away", 35.0), ("back", 25.0), ("slow", 35.0), ("well again", 25.0))
_SETTINGS = {
    "TRACKING_AUTH__MODE": "api_key",
    "TRACKING_DEADLINE": "2",
    "TRACKING_DRAIN_SECONDS": "0",
    "TRACKING_UPSTREAM__MAX_IN_FLIGHT": "4",
}


@asynccontextmanager
async def _service(directory: Path, mlflow_url: str) -> AsyncIterator[tuple[str, str, str]]:
    """The service as a process; where it listens (host:port), a caller's key, and Prometheus's."""
    caller, scraper = new_key("browser"), new_key("prometheus")
    keys = directory / "keys"
    keys.write_text(f"{caller.line}\n{scraper.line}\n")
    port = free_port()
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("TRACKING_", "MLFLOW_"))
    }
    own = {
        "MLFLOW_TRACKING_URI": mlflow_url,
        "TRACKING_PORT": str(port),
        "TRACKING_AUTH__API_KEYS_FILE": str(keys),
    }
    address = f"127.0.0.1:{port}"
    command = (sys.executable, "-m", "service")
    environment = {**kept, **_SETTINGS, **own}
    async with running(command, environment, directory / "service.log", f"http://{address}/livez"):
        yield address, caller.key, scraper.key


async def _act(phase: str, fake: FakeMlflow, proxy: FaultProxy) -> None:
    """Begin a phase."""
    if phase == "away":
        await proxy.refuse()
    elif phase == "back":
        await proxy.listen()
    fake.latency = _SLOW if phase == "slow" else _LATENCY


async def walk(directory: Path) -> None:
    """Walk, and print the account."""
    async with FakeMlflow().serve() as fake, FaultProxy(fake.url) as proxy:
        kinds = ("training", "backtest", "walk_forward")
        runs = [fake.add_run(tags={"run_type": kinds[number % 3]}) for number in range(_RUNS)]
        async with _service(directory, proxy.url) as (address, key, scraper):
            configuration = configure(directory, scraper, [address])
            async with scraping(directory, configuration) as prometheus:

                async def calm() -> bool:
                    return bool(await prometheus.now("up == 1")) and not await prometheus.now("ALERTS")

                await until(calm, "the service is scraped, and no alert is left of the time before")
                began = time.time()
                async with browsing(f"http://{address}", key, runs, _PEOPLE):
                    for phase, seconds in _PHASES:
                        print(f"{time.time() - began:4.0f} s: {phase}", flush=True)
                        await _act(phase, fake, proxy)
                        await asyncio.sleep(seconds)
                ended = time.time()
                print(f"\n{table(await account(prometheus, began, _PHASES, _STEP))}\n\nAlerts that fired:")
                print("\n".join(f"  {line}" for line in await fired(prometheus, began, ended)) or "  none")
                quiet = await silent(prometheus, began, ended)
                print("\nQueries of the dashboard that had no answer:")
                print("\n".join(f"  {target.panel}: {target.legend}" for target in quiet) or "  none")


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(walk(Path(directory)))


if __name__ == "__main__":
    main()
