"""The research session: four strategies, each trained, walked forward, cross-validated and backtested.

It is decided here as plain values and happened in a week that is fixed, so it is the same wherever and
whenever it is logged. The last strategy is a control: its prices have no trend, so whatever its best backtest
shows is luck and selection.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Literal
from uuid import UUID, uuid5

from service.local.sample import experiments
from service.local.sample.prices import TRADING_DAYS, Market, simulate_prices
from service.local.sample.runs import Finding, RunType, SampleRun, place
from service.local.sample.strategy import Rule
from service.local.sample.validation import study

DAYS = 9 * TRADING_DAYS + experiments.HORIZON  # a year to warm up and eight to judge
LOOKBACKS = (21, 63, 126, 252)
HOLDINGS = (5, 21)
STRESS = 4  # times the usual cost

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
_NAMESPACE = UUID("6c0d5f0e-5f5c-4f0b-9a39-0f7f0c6a2b11")
_PAUSE = timedelta(minutes=2)
_DURATIONS: dict[RunType, timedelta] = {
    "training": timedelta(seconds=40),
    "walk_forward": timedelta(minutes=6),
    "cpcv": timedelta(minutes=15),
    "backtest": timedelta(seconds=20),
}
_UNTIL_FAILURE = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Strategy:
    """A strategy under research: the market it trades, its signal, its cost and where its code stood."""

    market: Market
    signal: Literal["sign", "scaled"]
    signal_version: str
    cost_bps: float
    git_commit: str
    strictest_entry: float

    @property
    def tags(self) -> dict[str, str]:
        """The lineage that each of its runs bears, all but the run's type."""
        return {
            "strategy_id": str(uuid5(_NAMESPACE, self.market.name)),
            "git_commit": self.git_commit,
            "dataset_version": f"{self.market.name}-2026.02",
            "feature_version": "v3",
            "model_version": "v1",
            "signal_version": self.signal_version,
        }


STRATEGIES = (
    Strategy(
        Market("equity-index", ("US", "EU", "UK", "JP"), 0.20, 160, 0.17, 0.5, seed=1),
        "sign",
        "v1",
        cost_bps=2.0,
        git_commit="3f9a1c2",
        strictest_entry=0.5,
    ),
    Strategy(
        Market("commodities", ("crude", "copper", "gold", "wheat"), 0.30, 110, 0.24, 0.15, seed=2),
        "scaled",
        "v2",
        cost_bps=5.0,
        git_commit="3f9a1c2",
        strictest_entry=0.5,
    ),
    Strategy(
        Market("currencies", ("EUR", "JPY", "GBP", "AUD"), 0.07, 110, 0.09, 0.3, seed=3),
        "scaled",
        "v2",
        cost_bps=1.0,
        git_commit="b04e7d8",
        strictest_entry=6.0,
    ),
    Strategy(
        Market("no-trend-control", ("A", "B", "C", "D"), 0.0, 100, 0.15, 0.2, seed=4),
        "sign",
        "v1",
        cost_bps=2.0,
        git_commit="b04e7d8",
        strictest_entry=0.5,
    ),
)


def session() -> tuple[SampleRun, ...]:
    """All runs, oldest start first: a strategy a day, one run after another, the last one still going on."""
    return tuple(run for day, strategy in enumerate(STRATEGIES) for run in _runs(strategy, day))


def _runs(strategy: Strategy, day: int) -> Iterator[SampleRun]:
    start = _MONDAY + timedelta(days=day)
    for finding in _findings(strategy):
        duration = _UNTIL_FAILURE if finding.status == "FAILED" else _DURATIONS[finding.run_type]
        params = {"universe": strategy.market.name, "seed": strategy.market.seed, **finding.params}
        yield place(
            replace(finding, params=params),
            strategy.tags,
            _milliseconds(start - _EPOCH),
            _milliseconds(duration),
        )
        start += duration + _PAUSE


def _findings(strategy: Strategy) -> Iterator[Finding]:
    prices = simulate_prices(strategy.market, DAYS)
    cost = strategy.cost_bps
    for lookback in LOOKBACKS:
        yield experiments.training(prices, Rule(strategy.signal, lookback), cost)
    strict = Rule(strategy.signal, 63, entry_threshold=strategy.strictest_entry)
    yield experiments.training(prices, strict, cost)

    rules = [Rule(strategy.signal, lookback, holding) for lookback, holding in product(LOOKBACKS, HOLDINGS)]
    material = study(prices, rules, cost, experiments.HORIZON)
    if strategy is STRATEGIES[1]:
        yield experiments.walking_forward(material, 500, "rolling")  # a slip for 5
    yield experiments.walking_forward(material, 5, "rolling")
    yield experiments.walking_forward(material, 5, "anchored")
    validated, best = experiments.cross_validation(material)
    yield validated
    yield experiments.backtest(prices, best, cost)
    yield experiments.backtest(prices, best, cost * STRESS)
    if strategy is STRATEGIES[-1]:
        yield experiments.walking_forward(material, 8, "rolling", done=3)


def _milliseconds(span: timedelta) -> int:
    return span // timedelta(milliseconds=1)
