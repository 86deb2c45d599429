"""Every query of the dashboard and of the rules is valid, and names metrics that exist."""

import re
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from service.http.access_record import RequestTimes
from tests.api.serving import Client, serving
from tests.deploy.stub import balanced_stubs
from tests.fakes.mlflow import FakeMlflow
from tests.operations.account import COLUMNS
from tests.operations.files import dashboard, metrics_in, rules, targets
from tests.operations.programs import promtool

QUERIES = [target.query for target in targets("1m")] + [rule["expr"] for rule in rules()]
RECORDED = {rule["record"] for rule in rules() if "record" in rule}
ASKED = set[str]().union(*map(metrics_in, QUERIES)) - RECORDED
OF_PROMETHEUS = {"up"}
# A replica with an index, and with a store that it never reaches: its metrics are there all the same.
WHOLE: dict[str, Any] = {"index": {"enabled": True}, "store": {"url": "redis://127.0.0.1:1"}}
HISTOGRAM = ("_bucket", "_sum", "_count")


def families(exposition: str) -> dict[str, set[str]]:
    """The metrics in a scrape, each with the names that queries use for it."""
    return {
        name: {name + ending for ending in HISTOGRAM} if kind == "histogram" else {name}
        for name, kind in re.findall(r"^# TYPE (\S+) (\w+)$", exposition, re.MULTILINE)
    }


def named(exposition: str) -> set[str]:
    """All names of metrics that a query may use."""
    return set[str]().union(*families(exposition).values())


async def scraped(api: Client) -> str:
    """The service's metrics, as Prometheus reads them."""
    async with api.get("/metrics") as answer:
        return await answer.text()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ('sum by (le) (rate(a_bucket{b="c"}[5m]))', {"a_bucket"}),
        ('a:b:c > 0.5 and on (job) sum(d{e=~"f{2}|g"}) == 0', {"a:b:c", "d"}),
        ("absent(up == 1) or min(x) unless y", {"up", "x", "y"}),
    ],
)
def test_names_in_a_query(query: str, expected: set[str]) -> None:
    """Functions, labels, label values, ranges and operators are not taken for metrics."""
    assert expected == metrics_in(query)


async def test_queries_name_existing_metrics(fake: FakeMlflow) -> None:
    """Every metric in a query is in a real scrape, or is Prometheus's or HAProxy's own."""
    async with serving(fake.url, **WHOLE) as api:
        known = named(await scraped(api))
    assert set() == {name for name in ASKED if not name.startswith("haproxy_")} - known - OF_PROMETHEUS


def test_codes() -> None:
    """Every error code in a query is one of the service's."""
    picked = re.findall(r'code="(\w+)"', "".join(QUERIES))
    assert {"auth_unavailable", "internal_error"} == set(picked)
    assert set(picked) <= set(RequestTimes().problems)


def test_the_walk_asks_what_the_dashboard_asks() -> None:
    """Each figure of the walk's account is one line of one panel."""
    shown = [(target.panel, target.legend) for target in targets("1m")]
    assert [1] * len(COLUMNS) == [shown.count((column.panel, column.legend)) for column in COLUMNS]


async def test_the_dashboard_shows_the_services_metrics(fake: FakeMlflow) -> None:
    """Every metric of the service is on the dashboard, but for a few."""
    async with serving(fake.url, **WHOLE) as api:
        own = families(await scraped(api))
    shown = set[str]().union(*(metrics_in(target.query) for target in targets("1m")))
    assert {
        "tracking_answers_entries",
        "tracking_cache_entries",
        "tracking_upstream_breaker_openings_total",
    } == {name for name, names in own.items() if name.startswith("tracking_") and not names & shown}


@pytest.mark.haproxy
async def test_queries_name_haproxys_metrics(tmp_path: Path) -> None:
    """Every metric and proxy of HAProxy in a query exists."""
    async with (
        balanced_stubs(tmp_path, 1) as (balancer, _stubs),
        aiohttp.request("GET", f"{balancer.operators}/metrics") as answer,
    ):
        text = await answer.text()
    assert set() == {name for name in ASKED if name.startswith("haproxy_")} - named(text)
    for query in QUERIES:
        for metric, proxy in re.findall(r'(haproxy_\w+)\{proxy="(\w+)"', query):
            assert f'{metric}{{proxy="{proxy}"' in text, query


@pytest.mark.prometheus
def test_every_query_is_promql(tmp_path: Path) -> None:
    """Prometheus parses every query of the dashboard."""
    recorded = [{"record": f"q{number}", "expr": target.query} for number, target in enumerate(targets("1m"))]
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": recorded}]}))
    done = promtool("check", "rules", str(file))
    assert 0 == done.returncode, done.stdout
    assert f"{len(recorded)} rules found" in done.stdout


@pytest.mark.prometheus
def test_the_check_finds_an_invalid_query(tmp_path: Path) -> None:
    """The check finds a query that cannot be parsed."""
    file = tmp_path / "rules.yaml"
    rule = {"record": "q", "expr": "sum(rate(a[1m])"}
    file.write_text(yaml.safe_dump({"groups": [{"name": "x", "rules": [rule]}]}))
    assert 0 != promtool("check", "rules", str(file)).returncode


@pytest.mark.prometheus
async def test_the_exposition(fake: FakeMlflow) -> None:
    """promtool finds nothing wrong with the names and forms in a scrape."""
    async with serving(fake.url) as api:
        await api.get("/api/v1/tracking/runs")
        done = promtool("check", "metrics", given=await scraped(api))
    assert (0, "") == (done.returncode, done.stdout)


def test_the_dashboard_is_laid_out() -> None:
    """Each panel has its own title and id, and no panel overlaps another."""
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len({panel["title"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
