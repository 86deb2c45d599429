"""A real Prometheus with config/deploy/prometheus, but for other targets and a faster life."""

import os
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import yaml

from tests.deploy.files import document
from tests.live.server import free_port
from tests.operations.files import ALERTS, CONFIGURATION
from tests.operations.programs import program, running


class Line(NamedTuple):
    """A time series of an answer: its labels, and its values by time (seconds since 1970)."""

    labels: Mapping[str, str]
    values: Mapping[float, float]


class Prometheus:
    """Asks a Prometheus what its dashboard would ask."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def between(self, query: str, start: float, end: float, step: float) -> list[Line]:
        """What a query yields from start to end (seconds since 1970), each step of so many seconds."""
        asked = {"query": query, "start": str(start), "end": str(end), "step": str(step)}
        answer = await self._ask("query_range", asked)
        return [
            Line(one["metric"], {float(when): float(value) for when, value in one["values"]})
            for one in answer["result"]
        ]

    async def now(self, query: str) -> list[tuple[Mapping[str, str], float]]:
        """What a query yields at this moment."""
        answer = await self._ask("query", {"query": query})
        return [(one["metric"], float(one["value"][1])) for one in answer["result"]]

    async def _ask(self, what: str, asked: Mapping[str, str]) -> dict[str, Any]:
        async with self._session.post(f"/api/v1/{what}", data=asked) as response:
            answer = await response.json()
        assert "success" == answer["status"], answer
        return dict(answer["data"])


def configure(directory: Path, key: str, replicas: list[str], faster: int = 15) -> Path:
    """Write the shipped configuration for these replicas (host:port), scraped so many times as often.

    The durations of the rules are as many times shorter: what takes a quarter of an hour takes a minute.
    """
    configuration = document(CONFIGURATION)
    configuration["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    [tracking, _haproxy] = configuration["scrape_configs"]
    del tracking["dns_sd_configs"]
    tracking["static_configs"] = [{"targets": replicas}]
    configuration["scrape_configs"] = [tracking]
    written = directory / CONFIGURATION.name
    written.write_text(yaml.safe_dump(configuration))
    (directory / tracking["authorization"]["credentials_file"]).write_text(f"{key}\n")
    rules = document(ALERTS)
    for group in rules["groups"]:
        for rule in group["rules"]:
            rule["expr"] = re.sub(r"(?<=\[)\d+m(?=])", lambda found: _shorter(found[0], faster), rule["expr"])
            if "for" in rule:
                rule["for"] = _shorter(rule["for"], faster)
    (directory / ALERTS.name).write_text(yaml.safe_dump(rules))
    return written


def _shorter(minutes: str, faster: int) -> str:
    return f"{int(minutes.removesuffix('m')) * 60 // faster}s"


@asynccontextmanager
async def scraping(directory: Path, configuration: Path) -> AsyncIterator[Prometheus]:
    """A Prometheus with this configuration, which keeps its data in a directory."""
    address = f"127.0.0.1:{free_port()}"
    command = [
        program("prometheus"),
        f"--config.file={configuration}",
        f"--storage.tsdb.path={directory / 'data'}",
        f"--web.listen-address={address}",
        "--log.level=warn",
    ]
    async with (
        running(command, os.environ, directory / "prometheus.log", f"http://{address}/-/ready"),
        aiohttp.ClientSession(f"http://{address}") as session,
    ):
        yield Prometheus(session)
