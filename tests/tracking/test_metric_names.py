"""The shipped rules over names that libraries and people log; metric_names.csv has each with its source."""

import csv
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.settings.load import config_dir
from service.tracking.comparison import compare
from service.tracking.directions import Direction, load_directions
from service.tracking.names import words_of
from tests.tracking.values import make_run

SHIPPED = load_directions(config_dir() / "metrics.toml")
HIGHER, LOWER, NEARER, NONE = Direction.MAX, Direction.MIN, Direction.CLOSEST_TO_ZERO, Direction.NONE
TURNED = {HIGHER: LOWER, LOWER: HIGHER, NEARER: NEARER, NONE: NONE}

with (Path(__file__).parent / "metric_names.csv").open(encoding="utf-8", newline="") as table:
    ROWS = list(csv.DictReader(table))
NAMES = {row["name"]: Direction(row["better"]) for row in ROWS}
SOURCES = sorted({row["source"] for row in ROWS})


def names_of(source: str) -> dict[str, Direction]:
    return {row["name"]: NAMES[row["name"]] for row in ROWS if row["source"] == source}


# Made up, each of a kind that the table has: a rule holds for the siblings of its examples, too.
SIBLINGS = {
    HIGHER: """
        profit_to_max_drawdown reward_to_risk return_volatility_ratio profit_drawdown_ratio pnl_per_trade
        avgWinLossRatio gain_loss_ratio return_on_max_drawdown net_profit_minus_costs cost_savings_pct
        volatility_adjusted_return adj_r2 adjR2 drawdown_adjusted_sharpe rmse_improvement_vs_baseline
        loss_reduction_pct error_decrease cv_neg_mae_mean NegLogLoss negative_mse one_minus_error_rate
        oos/neg_brier pnl_after_costs brier_skill_score long_minus_short_return worst_year elbo RoMaD
        pct_winning_trades drawdown_recovery_factor ret_dd_ratio error_reduction_rate system_sharpe
        val_cvar_ratio oos_average_drawdown_ratio all_time best_week three_month val_map@10 eval/rouge2
        test_auprc answer_fluency/mean task_success_rate avg_ep_rew oos_tail_ratio test_kendall_tau
        """,
    LOWER: """
        neg_sharpe negative_elbo minus_auc accuracy_drop loss_win_ratio expense_ratio error_ratio
        drawdown_days_ratio cost_per_share sharpe_stdev icStd mae_std_5 fold_auc_variance sharpe_ratio_std
        profit_loss_ratio_std test_logLoss multi_logloss BinaryLogLoss max_dd_days recovery_time_days
        end_to_end_latency time_to_first_token p99_latency_ms turn_over nll n_errors overfit_ratio
        sharpe_ci_width days_in_drawdown wall_clock_s val_bce order_reject_rate
        portfolio_mean_absolute_deviation second_lower_partial_moment cvar_ratio_std
        """,
    NEARER: """
        maxdrawdown MAXDRAWDOWN avgDD drawdown_return_ratio neg_max_drawdown CVaR95 VaR(95%) es_975 tail_var
        largest_loss worst_trade oos_worst_realization train_test_gap
        forecast_bias excess_return_after_costs.max_drawdown
        """,
    NONE: """
        numTrades trades_per_day beta_to_spy oos_beta random_seed start_timestamp best_epoch neg_beta
        eval/ep_len_mean ppo_approx_kl third_central_moment gpu_1_utilization_pct starting_equity test_days
        max_drawdown_high n_estimators skewness val/support
        net_exposure unix_time interval_coverage_90 trade_frequency nobs
        """,
}
NEIGHBOURS = """
    closs_rate closs lossless lossless_rate glossary glossy mseek msev errorless terror imagemape primaeval
    smse_like drawdowns_survived nodrawdown varnish cvarx stdx nonstd_x turnovers iconic accretion negate_x
    negotiated_rate mapping premise compound bestow dicey kappas successor relevant
    capacities overall perfect mean_x mean maximum alphabet betas countess traders stepwise oneness
    _ é 夏普
    """


@pytest.mark.parametrize("source", SOURCES)
def test_real_names(source: str) -> None:
    """Names that libraries and research code log are judged as those who log them mean them."""
    expected = names_of(source)
    assert expected == {name: SHIPPED(name) for name in expected}


def test_a_rule_knows_every_real_name() -> None:
    """None is better when higher only because no rule fits: that is said of what nobody knows."""
    assert [] == [name for name in NAMES if SHIPPED.decide(name).rule is None]


def test_no_name_stands_twice_in_the_table() -> None:
    """A name has one direction, from one source."""
    assert len(ROWS) == len(NAMES)


@pytest.mark.parametrize("expected", SIBLINGS)
def test_siblings(expected: Direction) -> None:
    """A rule holds for a kind of name and not only for its examples."""
    names = SIBLINGS[expected].split()
    assert dict.fromkeys(names, expected) == {name: SHIPPED(name) for name in names}


def test_neighbours() -> None:
    """No rule fits a name that only looks like one of a rule's: it is better when higher."""
    names = ["", *NEIGHBOURS.split()]
    assert dict.fromkeys(names, (HIGHER, None)) == {name: SHIPPED.decide(name) for name in names}


def test_the_best_run_by_every_name() -> None:
    """In either order of two runs, the better one is the best by each name; by some names neither is."""
    values = {HIGHER: (2.0, -1.0), LOWER: (-1.0, 2.0), NEARER: (-0.1, 0.3), NONE: (1.0, 2.0)}
    better = make_run("better", metrics={name: values[to][0] for name, to in NAMES.items()})
    worse = make_run("worse", metrics={name: values[to][1] for name, to in NAMES.items()})
    expected = {name: None if to is NONE else "better" for name, to in NAMES.items()}
    for runs in ([better, worse], [worse, better]):
        assert expected == {
            name: metric.best_run_id for name, metric in compare(runs, SHIPPED).metric_diff.items()
        }


def written(words: list[str]) -> list[str]:
    """One name as people write it."""
    small, titled = [word.lower() for word in words], [word.title() for word in words]
    return [
        *(joint.join(form) for joint in ("_", " ", "-", ".", "/", ": ") for form in (small, titled)),
        "_".join(small).upper(),
        "".join(titled),
        small[0] + "".join(titled[1:]),
        f"[{' '.join(small)}] %",
    ]


@pytest.mark.parametrize("source", SOURCES)
def test_separators_and_case_decide_nothing(source: str) -> None:
    """The same words are the same metric, however they are set."""
    for name in names_of(source):
        assert {SHIPPED.decide(name)} == {SHIPPED.decide(each) for each in written(words_of(name))}


VOCABULARY = sorted({word for name in NAMES for word in words_of(name) if len(word) > 1 and word.isalpha()})


@given(st.lists(st.sampled_from(VOCABULARY), min_size=1, max_size=6))
def test_separators_and_case_decide_nothing_in_any_name(words: list[str]) -> None:
    """The same holds for names that nobody has thought of."""
    assert 1 == len({SHIPPED.decide(each) for each in written(words)})


@given(
    st.sampled_from(["neg_", "negative ", "neg-", "NEG_", "Neg/"]),
    st.sampled_from(sorted(NAMES)) | st.lists(st.sampled_from(VOCABULARY), max_size=9).map("_".join),
)
def test_a_negated_name_is_turned_round(sign: str, name: str) -> None:
    """A name after neg is better low where the name is better high, and the other way round."""
    explicit = ("negative_likelihood_ratio", "negative_predictive_value")
    if words_of(name) and not "_".join(words_of(sign + name)).startswith(explicit):
        assert TURNED[SHIPPED(name)] is SHIPPED(sign + name)


def test_every_rule_decides_the_name_that_it_spells() -> None:
    """No rule of the shipped file stands below one that says otherwise of the same words, or twice."""
    with (config_dir() / "metrics.toml").open("rb") as file:
        rules = tomllib.load(file)["rules"]
    spelt = [
        (pattern, rule["better"])
        for rule in rules
        if rule["better"] in set(Direction)
        for pattern in (
            [f"*_{words}_*" for words in rule.get("words", [])]
            or ([rule["pattern"]] if isinstance(rule["pattern"], str) else rule["pattern"])
        )
    ]
    assert dict(spelt) == {pattern: SHIPPED(pattern) for pattern, _ in spelt}
    assert len(spelt) == len({pattern.replace("_", "").replace(" ", "") for pattern, _ in spelt})
