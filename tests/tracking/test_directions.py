"""Which way a metric is better: the shipped rules over real names, and rule files that are wrong."""

from pathlib import Path

import pytest

from service.settings import config_dir
from service.tracking.directions import Direction, Directions, Rule, load_directions

HIGHER, LOWER, NEARER = Direction.MAX, Direction.MIN, Direction.CLOSEST_TO_ZERO
SHIPPED = load_directions(config_dir() / "metrics.toml")

REAL_NAMES = {
    "oos_sharpe": HIGHER,
    "oos_sortino": HIGHER,
    "calmar_ratio": HIGHER,
    "max_drawdown": NEARER,
    "mean_oos_sharpe": HIGHER,
    "std_oos_sharpe": LOWER,
    "cv_mean_mse": LOWER,
    "cv_mean_mae": LOWER,
    "cv_directional_accuracy": HIGHER,
    "best_score": HIGHER,
    "total_return": HIGHER,
    "perf_cagr": HIGHER,
    "perf_sharpe_ratio": HIGHER,
    "perf_sortino_ratio": HIGHER,
    "perf_calmar_ratio": HIGHER,
    "risk_max_drawdown": NEARER,
    "risk_max_drawdown_duration": LOWER,
    "risk_var_95": NEARER,
    "risk_cvar_95": NEARER,
    "risk_var_99": NEARER,
    "risk_cvar_99": NEARER,
    "risk_volatility_annualised": LOWER,
    "trade_win_rate": HIGHER,
    "trade_profit_factor": HIGHER,
    "trade_avg_loss": NEARER,
    "trade_expectancy": HIGHER,
    "trade_turnover_annualised": LOWER,
    "fold_mse": LOWER,
    "fold_dir_acc": HIGHER,
}
KINDS = {
    "mse": LOWER,
    "rmse": LOWER,
    "mae": LOWER,
    "mape": LOWER,
    "loss": LOWER,
    "error": LOWER,
    "val_loss": LOWER,
    "train/loss": LOWER,
    "val.rmse": LOWER,
    "fold-3-mae": LOWER,
    "test mape": LOWER,
    "VAL_LOSS": LOWER,
    "loss_total": LOWER,
    "volatility": LOWER,
    "turnover": LOWER,
    "fit_duration_seconds": LOWER,
    "std_anything": LOWER,
    "std_max_drawdown": LOWER,
    "drawdown": NEARER,
    "avg_drawdown_pct": NEARER,
    "portfolio/max-drawdown": NEARER,
    "var_95": NEARER,
    "cvar_99_daily": NEARER,
    "accuracy": HIGHER,
    "auc": HIGHER,
    "roc_auc": HIGHER,
    "annual_return": HIGHER,
    "sharpe": HIGHER,
}
NEIGHBOURS = [
    "lossless",
    "lossless_rate",
    "closs_rate",
    "closs",
    "glossy",
    "mean_x",
    "mean_return",
    "mean",
    "maximum",
    "max_leverage",
    "msev",
    "smse_like",
    "primaeval",
    "imagemape",
    "errorless",
    "stderr",
    "terror",
    "drawdowns_survived",
    "nodrawdown",
    "varnish",
    "explained_var",
    "var",
    "variance_ratio",
    "cvarx",
    "stdx",
    "nonstd_x",
    "turnovers",
    "volatility2",
    "durations",
    "r2",
    "",
    "_",
    "é",
]


@pytest.mark.parametrize(("name", "expected"), {**REAL_NAMES, **KINDS}.items())
def test_real_names(name: str, expected: Direction) -> None:
    """Names that research code logs are judged as the contract says."""
    assert expected is SHIPPED(name)


@pytest.mark.parametrize("name", NEIGHBOURS)
def test_neighbours(name: str) -> None:
    """A name that only looks like one of a rule's is better when higher, as all that no rule fits."""
    assert HIGHER is SHIPPED(name)


@pytest.mark.parametrize(
    ("pattern", "fits", "fits_not"),
    [
        ("loss", ["loss", "LOSS"], ["val_loss", "loss_x"]),
        ("*_loss", ["loss", "val_loss", "a.b/c-loss", "_loss", "a loss"], ["loss_x", "closs"]),
        ("loss_*", ["loss", "loss_x_y", "loss_"], ["x_loss", "losses"]),
        ("a_*_b", ["a_b", "a_x_b", "a_x_y_b"], ["ab", "a", "b", "a_x"]),
        ("*", ["", "anything", "a_b"], []),
        ("*_*_x", ["x", "a_x", "a_b_x"], ["y"]),
        ("p95", ["p95", "P95"], ["p_95"]),
    ],
)
def test_patterns(pattern: str, fits: list[str], fits_not: list[str]) -> None:
    """A pattern is whole words, `*` any number of them, none included; separators and case do not count."""
    directions = Directions([Rule(pattern, LOWER)])
    assert [LOWER] * len(fits) == [directions(name) for name in fits]
    assert [HIGHER] * len(fits_not) == [directions(name) for name in fits_not]


def test_the_first_rule_that_fits_decides() -> None:
    """A special case stands above the general one."""
    directions = Directions([Rule("*_avg_loss", NEARER), Rule("*_loss", LOWER)])
    assert (NEARER, LOWER) == (directions("trade_avg_loss"), directions("trade_max_loss"))


def test_a_long_name_is_decided_at_once() -> None:
    """The longest name that MLflow takes, made to be slow, is decided within the time of many others."""
    hostile = "_".join("loss" for _ in range(49)) + "_x"
    assert LOWER is SHIPPED(hostile)
    assert HIGHER is SHIPPED("_" * 250)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rules = [", "metrics.toml"),
        ("", "rules"),
        ("rules = 5", "metrics.toml"),
        ('rules = "text"', "metrics.toml"),
        ("rules = [1]", "metrics.toml"),
        ('rules = ["text"]', "metrics.toml"),
        ("[rules]\npattern = 'x'\nbetter = 'max'", "metrics.toml"),
        ("[[rules]]\npattern = 'x'", "better"),
        ("[[rules]]\nbetter = 'max'", "pattern"),
        ("[[rules]]\npattern = 'x'\nbetter = 'up'", "up"),
        ("[[rules]]\npattern = 'x'\nbetter = 5", "5"),
        ("[[rules]]\npattern = 'x'\nbetter = []", "metrics.toml"),
        ("[[rules]]\npattern = 5\nbetter = 'max'", "metrics.toml"),
        ("[[rules]]\npattern = ''\nbetter = 'max'", "''"),
        ("[[rules]]\npattern = 'A'\nbetter = 'max'", "'A'"),
        ("[[rules]]\npattern = 'a*'\nbetter = 'max'", "'a*'"),
        ("[[rules]]\npattern = 'a__b'\nbetter = 'max'", "a__b"),
        ("[[rules]]\npattern = '(x)'\nbetter = 'max'", "'(x)'"),
    ],
)
def test_a_rule_file_that_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    """A file that is not what it should be is a ValueError of one line that names the file and the fault."""
    file = tmp_path / "metrics.toml"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"metrics\.toml") as caught:
        load_directions(file)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["absent", "folder", "no UTF-8"])
def test_a_rule_file_that_cannot_be_read(tmp_path: Path, kind: str) -> None:
    """A file that is not there, or no text, is a ValueError that names it."""
    file = tmp_path / "metrics.toml"
    if kind == "folder":
        file.mkdir()
    elif kind == "no UTF-8":
        file.write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match=r"metrics\.toml"):
        load_directions(file)


def test_a_file_without_rules(tmp_path: Path) -> None:
    """An empty list of rules is allowed: everything is better when higher."""
    file = tmp_path / "metrics.toml"
    file.write_text("rules = []")
    assert HIGHER is load_directions(file)("mse")
