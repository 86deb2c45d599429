"""Out-of-sample judgement: choose a rule on some days, judge the choice on others."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from service.local.sample.forecast import ForecastErrors, fit_slope, forecast_errors, labels
from service.local.sample.performance import sharpe_ratio
from service.local.sample.prices import Floats
from service.local.sample.splits import Fold, PurgedSplit, backtest_paths
from service.local.sample.strategy import Rule, positions, trend_score
from service.local.sample.trades import net_returns


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A rule and what it would have held, earned and thought of the trend on every day."""

    rule: Rule
    held: Floats
    returns: Floats
    scores: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """The prices, what is to be forecast from them, and the rules to choose from."""

    prices: Floats
    cost_bps: float
    outcomes: Floats
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class Judgement:
    """A rule that was chosen in-sample, and its forecasts' errors out of sample."""

    rule: Rule
    errors: ForecastErrors


@dataclass(frozen=True, slots=True, eq=False)
class WalkForward:
    """What each fold chose, and the annualised Sharpe ratio that the choice had on the fold's test days.

    returns are the daily returns of all test days, joined to one record.
    """

    folds: tuple[Judgement, ...]
    sharpes: tuple[float, ...]
    returns: Floats


@dataclass(frozen=True, slots=True)
class CrossValidation:
    """What each split chose, each path's annualised Sharpe ratio, and the rule that is best on the whole.

    best_score is the highest mean, over all splits, of a single rule's Sharpe ratio on the test days.
    """

    splits: tuple[Judgement, ...]
    path_sharpes: tuple[float, ...]
    best_rule: Rule
    best_score: float


def study(prices: Floats, rules: Iterable[Rule], cost_bps: float, horizon_days: int) -> Study:
    """Every rule applied to all prices: a position knows only the days before it, so this leaks nothing."""
    candidates = []
    for rule in rules:
        held = positions(prices, rule)
        returns = net_returns(held, prices, cost_bps)
        candidates.append(Candidate(rule, held, returns, trend_score(prices, rule.lookback_days)))
    return Study(prices, cost_bps, labels(prices, horizon_days), tuple(candidates))


def walk_forward(material: Study, folds: Sequence[Fold]) -> WalkForward:
    """Choose on each fold's training days and trade the choice on its test days, as one continuous record.

    Going from one fold's rule to the next one's is paid for.
    """
    held = np.zeros_like(material.prices)
    judgements = []
    for fold in folds:
        chosen = _best(material, fold.train)
        held[fold.test.start : fold.test.stop] = chosen.held[fold.test.start : fold.test.stop]
        judgements.append(_judge(material, chosen, fold.train, fold.test))
    returns = net_returns(held, material.prices, material.cost_bps)
    sharpes = tuple(sharpe_ratio(returns[fold.test.start : fold.test.stop]) for fold in folds)
    return WalkForward(tuple(judgements), sharpes, returns[folds[0].test.start : folds[-1].test.stop])


def cross_validate(material: Study, splits: tuple[PurgedSplit, ...], n_groups: int) -> CrossValidation:
    """Combinatorial purged cross-validation of the choice among the study's rules.

    The paths are no records that could have been traded: parts of them were chosen with later days in hand.
    """
    tests = [tuple(day for block in split.test for day in block) for split in splits]
    chosen = [_best(material, split.train) for split in splits]
    judgements = tuple(
        _judge(material, candidate, split.train, test)
        for candidate, split, test in zip(chosen, splits, tests, strict=True)
    )
    means = [
        float(np.mean([sharpe_ratio(candidate.returns[list(test)]) for test in tests]))
        for candidate in material.candidates
    ]
    best = max(range(len(means)), key=lambda index: _or_lowest(means[index]))
    paths = backtest_paths(splits, n_groups)
    return CrossValidation(
        splits=judgements,
        path_sharpes=tuple(_path_sharpe(material, path, splits, chosen) for path in paths),
        best_rule=material.candidates[best].rule,
        best_score=means[best],
    )


def _path_sharpe(
    material: Study, path: tuple[int, ...], splits: tuple[PurgedSplit, ...], chosen: list[Candidate]
) -> float:
    held = np.zeros_like(material.prices)
    blocks = [
        (splits[judge].test[splits[judge].test_groups.index(group)], chosen[judge])
        for group, judge in enumerate(path)
    ]
    for block, candidate in blocks:
        held[block.start : block.stop] = candidate.held[block.start : block.stop]
    returns = net_returns(held, material.prices, material.cost_bps)
    return sharpe_ratio(returns[blocks[0][0].start : blocks[-1][0].stop])


def _best(material: Study, days: Sequence[int]) -> Candidate:
    rows = list(days)
    return max(material.candidates, key=lambda candidate: _or_lowest(sharpe_ratio(candidate.returns[rows])))


def _judge(material: Study, chosen: Candidate, train: Sequence[int], test: Sequence[int]) -> Judgement:
    learnt, judged = list(train), list(test)
    slope = fit_slope(chosen.scores[learnt], material.outcomes[learnt])
    return Judgement(
        rule=chosen.rule,
        errors=forecast_errors(slope * chosen.scores[judged], material.outcomes[judged]),
    )


def _or_lowest(score: float) -> float:
    return -math.inf if math.isnan(score) else score
