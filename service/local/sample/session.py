"""The research session: four strategies, each trained, walked forward, cross-validated and backtested.

It is decided here as plain values and happened in a week that is fixed, so it is the same wherever and
whenever it is logged. It has what a researcher meets, on purpose:

- The last strategy is a control: its prices have no trend, so whatever its best run shows is luck. For it and
  for the first, whose trends last 160 days on average, a sweep walks each of twelve rules forward.
- In the training of "commodities", holding_days and vol_target only ever change together.
- The second backtest of "currencies" read prices that were delivered again, under the same dataset_version.
- Models of the first two strategies are registered, with aliases.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Literal
from uuid import UUID, uuid5

from service.local.sample import experiments
from service.local.sample.prices import TRADING_DAYS, Floats, Market, corrected, simulate_prices
from service.local.sample.provenance import Model, Version, describe
from service.local.sample.runs import Finding, RunType, SampleRun, place
from service.local.sample.strategy import Rule
from service.local.sample.validation import study

DAYS = 9 * TRADING_DAYS + experiments.HORIZON  # a year to warm up and eight to judge
LOOKBACKS = (21, 63, 126, 252)
HOLDINGS = (5, 21)
STRESS = 4  # times the usual cost
SWEEP = tuple(product((21, 63, 126), HOLDINGS, (0.0, 0.5)))  # lookback, holding, entry threshold
SWEEP_SPLITS = 6
CONVENTIONS = {"sharpe_unit": "annual", "periods_per_year": str(TRADING_DAYS), "kurtosis_convention": "raw"}

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
_NAMESPACE = UUID("6c0d5f0e-5f5c-4f0b-9a39-0f7f0c6a2b11")
_PAUSE = timedelta(minutes=2)
_DURATIONS: dict[RunType, timedelta] = {
    "training": timedelta(seconds=40),
    "walk_forward": timedelta(minutes=6),
    "cpcv": timedelta(minutes=15),
    "backtest": timedelta(seconds=20),
    "sweep": timedelta(seconds=5),  # and the time of its children
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
    models: tuple[tuple[int, Version], ...] = ()  # lookbacks whose training is registered, and as what
    slow_and_small: bool = False  # whether its training is repeated with both changed
    is_swept: bool = False
    is_delivered_again: bool = False

    @property
    def tags(self) -> dict[str, str]:
        """What each of its runs bears: its lineage, all but the run's type, and the units of its metrics."""
        return {
            "strategy_id": str(uuid5(_NAMESPACE, self.market.name)),
            "git_commit": self.git_commit,
            "dataset_version": f"{self.market.name}-2026.02",
            "feature_version": "v3",
            "model_version": "v1",
            "signal_version": self.signal_version,
            **CONVENTIONS,
        }


STRATEGIES = (
    Strategy(
        Market("equity-index", ("US", "EU", "UK", "JP"), 0.20, 160, 0.17, 0.5, seed=1),
        "sign",
        "v1",
        cost_bps=2.0,
        git_commit="3f9a1c2",
        strictest_entry=0.5,
        models=(
            (252, Version("equity-index-momentum", ("challenger",))),
            (63, Version("equity-index-momentum", ("champion",))),
        ),
        is_swept=True,
    ),
    Strategy(
        Market("commodities", ("crude", "copper", "gold", "wheat"), 0.30, 110, 0.24, 0.15, seed=2),
        "scaled",
        "v2",
        cost_bps=5.0,
        git_commit="3f9a1c2",
        strictest_entry=0.5,
        models=((252, Version("commodities-momentum", ("champion",))),),
        slow_and_small=True,
    ),
    Strategy(
        Market("currencies", ("EUR", "JPY", "GBP", "AUD"), 0.07, 110, 0.09, 0.3, seed=3),
        "scaled",
        "v2",
        cost_bps=1.0,
        git_commit="b04e7d8",
        strictest_entry=6.0,
        is_delivered_again=True,
    ),
    Strategy(
        Market("no-trend-control", ("A", "B", "C", "D"), 0.0, 100, 0.15, 0.2, seed=4),
        "sign",
        "v1",
        cost_bps=2.0,
        git_commit="b04e7d8",
        strictest_entry=0.5,
        is_swept=True,
    ),
)


def session() -> tuple[SampleRun, ...]:
    """All runs, oldest start first: a strategy a day, one run after another, the last one still going on."""
    return tuple(run for day, strategy in enumerate(STRATEGIES) for run in _runs(strategy, day))


def _runs(strategy: Strategy, day: int) -> Iterator[SampleRun]:
    start = _MONDAY + timedelta(days=day)
    for finding in _findings(strategy):
        runs = list(_placed(finding, strategy, start))
        yield from runs
        ends = [run.end_time for run in runs if run.end_time is not None]
        start = _EPOCH + timedelta(milliseconds=max(ends, default=0)) + _PAUSE


def _placed(
    finding: Finding, strategy: Strategy, start: datetime, parent: int | None = None
) -> Iterator[SampleRun]:
    """A finding's run and, within its time, those of its children one after another."""
    own = _milliseconds(start - _EPOCH)
    children, end = list[SampleRun](), start + _DURATIONS[finding.run_type]
    for child in finding.children:
        children += _placed(child, strategy, end, own)
        end += _DURATIONS[child.run_type]
    duration = _UNTIL_FAILURE if finding.status == "FAILED" else end - start
    params = {"universe": strategy.market.name, "seed": strategy.market.seed, **finding.params}
    yield place(replace(finding, params=params), strategy.tags, own, _milliseconds(duration), parent)
    yield from children


def _findings(strategy: Strategy) -> Iterator[Finding]:
    prices = simulate_prices(strategy.market, DAYS)
    dataset = describe(strategy.market, prices)
    for finding in _research(strategy, prices):
        children = tuple(replace(child, dataset=dataset) for child in finding.children)
        yield replace(finding, dataset=finding.dataset or dataset, children=children)


def _research(strategy: Strategy, prices: Floats) -> Iterator[Finding]:
    cost = strategy.cost_bps
    models = {
        lookback: Model(f"{version.model_name}-{lookback}", version) for lookback, version in strategy.models
    }
    strict = Rule(strategy.signal, 63, entry_threshold=strategy.strictest_entry)
    rules = [*(Rule(strategy.signal, lookback) for lookback in LOOKBACKS), strict]
    for rule in rules:
        finding = experiments.training(prices, rule, cost)
        yield replace(finding, makes=models.get(rule.lookback_days) if rule is not strict else None)
    if strategy.slow_and_small:
        for rule in rules:
            yield experiments.training(prices, replace(rule, holding_days=21, vol_target=0.10), cost)
    if strategy.is_swept:
        yield _sweep(strategy, prices)

    candidates = [
        Rule(strategy.signal, lookback, holding) for lookback, holding in product(LOOKBACKS, HOLDINGS)
    ]
    material = study(prices, candidates, cost, experiments.HORIZON)
    if strategy is STRATEGIES[1]:
        yield experiments.walking_forward(material, 500, "rolling")  # a slip for 5
    yield experiments.walking_forward(material, 5, "rolling")
    yield experiments.walking_forward(material, 5, "anchored")
    validated, best = experiments.cross_validation(material)
    yield validated
    used = models[best.lookback_days].name if best.lookback_days in models else None
    yield replace(experiments.backtest(prices, best, cost), uses=used)
    yield replace(_stressed(strategy, prices, best), uses=used)
    if strategy is STRATEGIES[-1]:
        yield experiments.walking_forward(material, 8, "rolling", done=3)


def _stressed(strategy: Strategy, prices: Floats, rule: Rule) -> Finding:
    """The backtest at a multiple of the usual cost."""
    cost = strategy.cost_bps * STRESS
    if not strategy.is_delivered_again:
        return experiments.backtest(prices, rule, cost)
    again = corrected(prices)
    return replace(experiments.backtest(again, rule, cost), dataset=describe(strategy.market, again))


def _sweep(strategy: Strategy, prices: Floats) -> Finding:
    """Each rule of the sweep walked forward on its own, as a child."""
    children = []
    for lookback, holding, entry in SWEEP:
        rule = Rule(strategy.signal, lookback, holding, entry_threshold=entry)
        material = study(prices, [rule], strategy.cost_bps, experiments.HORIZON)
        children.append(experiments.walking_forward(material, SWEEP_SPLITS, "rolling"))
    return experiments.sweep(tuple(children))


def _milliseconds(span: timedelta) -> int:
    return span // timedelta(milliseconds=1)
