from __future__ import annotations

import numpy as np
import pytest

from service.local.sample.forecast import fit_slope, forecast_errors
from service.local.sample.performance import sharpe_ratio
from service.local.sample.prices import Market, simulate_prices
from service.local.sample.splits import purged_splits, walk_forward_folds
from service.local.sample.strategy import Rule
from service.local.sample.trades import net_returns
from service.local.sample.validation import Study, cross_validate, study, walk_forward

HORIZON = 5
DAYS = range(252, 1_000)
PRICES = simulate_prices(Market("test", ("A", "B"), 0.30, 120, 0.18, 0.3, seed=9), DAYS.stop + HORIZON)
RULES = [Rule("sign", lookback) for lookback in (21, 63, 126, 252)]
FOLDS = walk_forward_folds(DAYS, 4, 252, HORIZON, "rolling")
SPLITS = purged_splits(DAYS, 5, 2, HORIZON, 10)


@pytest.fixture(scope="module")
def material() -> Study:
    return study(PRICES, RULES, 2.0, HORIZON)


def test_each_fold_takes_the_rule_that_was_best_before_it(material: Study) -> None:
    """The rule chosen is the one with the highest Sharpe ratio on the fold's training days."""
    for fold, judgement in zip(FOLDS, walk_forward(material, FOLDS).folds, strict=True):
        train = slice(fold.train.start, fold.train.stop)
        sharpes = {
            candidate.rule: sharpe_ratio(candidate.returns[train]) for candidate in material.candidates
        }
        assert max(sharpes, key=lambda rule: sharpes[rule]) == judgement.rule


def test_what_comes_after_a_fold_changes_nothing_in_it(material: Study) -> None:
    """Prices after the labels of the second fold's test days leave the first two folds as they were."""
    changed = PRICES.copy()
    end = FOLDS[1].test.stop + HORIZON
    changed[end:] *= np.linspace(1.0, 3.0, len(PRICES) - end)[:, None]
    before = walk_forward(material, FOLDS)
    after = walk_forward(study(changed, RULES, 2.0, HORIZON), FOLDS)
    assert before.folds[:2] == after.folds[:2]
    assert before.sharpes[:2] == after.sharpes[:2]
    assert before.sharpes[2:] != after.sharpes[2:]


def test_what_comes_in_a_fold_does_not_change_its_choice(material: Study) -> None:
    """Prices from the first test day on change the fold's result but not its rule."""
    changed = PRICES.copy()
    start = FOLDS[2].test.start
    changed[start:] *= np.linspace(3.0, 1.0, len(PRICES) - start)[:, None]
    before = walk_forward(material, FOLDS)
    after = walk_forward(study(changed, RULES, 2.0, HORIZON), FOLDS)
    assert before.folds[2].rule == after.folds[2].rule
    assert before.sharpes[2] != after.sharpes[2]


def test_the_folds_are_one_record_that_pays_for_changing_rules(material: Study) -> None:
    """A fold's Sharpe ratio is that of the joined positions, with the cost of coming from the fold before."""
    result = walk_forward(material, FOLDS)
    by_rule = {candidate.rule: candidate for candidate in material.candidates}
    held = np.zeros_like(PRICES)
    for fold, judgement in zip(FOLDS, result.folds, strict=True):
        for day in fold.test:
            held[day] = by_rule[judgement.rule].held[day]
    returns = net_returns(held, PRICES, 2.0)
    assert len({judgement.rule for judgement in result.folds}) > 1
    assert [sharpe_ratio(returns[list(fold.test)]) for fold in FOLDS] == list(result.sharpes)


def test_a_fold_is_judged_on_forecasts_learnt_before_it(material: Study) -> None:
    """A fold's errors are those of the slope from its training days, on its test days."""
    judgement, fold = walk_forward(material, FOLDS).folds[0], FOLDS[0]
    chosen = next(each for each in material.candidates if each.rule == judgement.rule)
    train, test = list(fold.train), list(fold.test)
    slope = fit_slope(chosen.scores[train], material.outcomes[train])
    assert forecast_errors(slope * chosen.scores[test], material.outcomes[test]) == judgement.errors


def test_each_split_takes_the_rule_that_was_best_off_its_test_days(material: Study) -> None:
    """The rule chosen is the one with the highest Sharpe ratio on the split's training days."""
    result = cross_validate(material, SPLITS, 5)
    for split, judgement in zip(SPLITS, result.splits, strict=True):
        sharpes = {each.rule: sharpe_ratio(each.returns[list(split.train)]) for each in material.candidates}
        assert max(sharpes, key=lambda rule: sharpes[rule]) == judgement.rule
    assert len({judgement.rule for judgement in result.splits}) > 1


def test_every_split_and_path_is_judged(material: Study) -> None:
    """Five groups, two at a time, are ten splits and four paths."""
    result = cross_validate(material, SPLITS, 5)
    assert len(result.splits) == 10
    assert len(result.path_sharpes) == 4


def test_the_best_score_is_the_best_rule_s_mean_test_sharpe(material: Study) -> None:
    """The best rule has the highest mean of the Sharpe ratios on the splits' test days."""
    result = cross_validate(material, SPLITS, 5)
    means = {}
    for candidate in material.candidates:
        tests = [[day for block in split.test for day in block] for split in SPLITS]
        means[candidate.rule] = float(np.mean([sharpe_ratio(candidate.returns[test]) for test in tests]))
    assert max(means.values()) == result.best_score
    assert result.best_score == means[result.best_rule]


def test_with_one_rule_every_path_is_its_own_record() -> None:
    """Where there is nothing to choose, each path is the rule's history over all days."""
    single = study(PRICES, [RULES[1]], 2.0, HORIZON)
    held = single.candidates[0].held.copy()
    held[: DAYS.start] = 0.0
    expected = sharpe_ratio(net_returns(held, PRICES, 2.0)[DAYS.start : DAYS.stop])
    assert pytest.approx([expected] * 4) == cross_validate(single, SPLITS, 5).path_sharpes


def test_a_rule_that_never_traded_is_never_chosen() -> None:
    """An undefined Sharpe ratio is worse than any other, wherever its rule stands in the list."""
    silent = Rule("sign", 63, entry_threshold=100.0)
    losing = Rule("sign", 63, holding_days=1)
    for rules in ([silent, losing], [losing, silent]):
        pair = study(PRICES, rules, 500.0, HORIZON)
        assert [losing] * 4 == [fold.rule for fold in walk_forward(pair, FOLDS).folds]
        assert losing == cross_validate(pair, SPLITS, 5).best_rule
