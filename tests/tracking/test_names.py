"""How names are read as words, and which names a pattern fits."""

from collections.abc import Collection

import pytest

from service.tracking.names import Name, Pattern, words_of


def fits(pattern: str, name: str, context: Collection[str] = ()) -> bool:
    compiled = Pattern(pattern)
    read = Name(words_of(name), context)
    return compiled.span(read, read.find(compiled.runs, 100)) is not None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("max_drawdown", "max drawdown"),
        ("maxDrawdown", "max drawdown"),
        ("Max. Drawdown [%]", "max drawdown"),
        ("MAX-DRAWDOWN", "max drawdown"),
        ("valid_0-binary_logloss", "valid 0 binary logloss"),
        ("valRMSE", "val rmse"),
        ("RMSEScore", "rmse score"),
        ("ROC_AUC", "roc auc"),
        ("ndcg@10", "ndcg 10"),
        ("QuantileLoss[0.5]", "quantile loss 0 5"),
        ("Win/Loss Ratio", "win loss ratio"),
        ("# Trades", "trades"),
        ("Ratio Avg. Win:Avg. Loss", "ratio avg win avg loss"),
        ("t-stat(IC)", "t stat ic"),
        ("var95", "var 95"),
        ("CAGR﹪%", "cagr"),
        ("Sortino/√2", "sortino 2"),
        ("vérité", "vérité"),
        ("夏普比率", "夏普比率"),
        ("", ""),
        ("_/-. %", ""),
    ],
)
def test_words(name: str, expected: str) -> None:
    """A name is split at what is no letter or digit, before a capital, and between letters and digits."""
    assert expected.split() == words_of(name)


def test_words_beyond_all_names_of_figures_do_not_count() -> None:
    """A name made to be slow is read as far as its 32nd word."""
    assert ["a", "1"] * 16 == words_of("a1" * 125)


@pytest.mark.parametrize(
    ("pattern", "fitting", "others"),
    [
        ("loss", ["loss", "LOSS", "_loss_"], ["val_loss", "loss_x", "loss1"]),
        ("*_loss", ["loss", "val_loss", "a.b/c-loss", "a loss", "valLoss"], ["loss_x", "closs"]),
        ("loss_*", ["loss", "loss_x_y", "loss_"], ["x_loss", "losses"]),
        ("*_loss_*", ["loss", "a_loss_b", "train/loss"], ["lossless", "closs_rate", "glossary"]),
        ("*_log_loss_*", ["log_loss", "logloss", "val_LogLoss"], ["log_x_loss", "blog_loss", "log_losses"]),
        ("*_logloss_*", ["log_loss", "logloss", "Logloss"], ["mlogloss"]),
        ("*_drawdown_*", ["Max_Draw_Down", "maxDrawdown"], ["drawdowns_survived", "maxdrawdown"]),
        ("a_*_b", ["a_b", "a_x_b", "a_x_y_b", "a_a_b_b"], ["ab", "a", "b", "a_x", "a_b_c"]),
        ("a_*_b_*", ["a_b_c", "a_x_b"], ["x_a_b", "b_a"]),
        ("*", ["", "anything", "a_b"], []),
        ("*_*_x", ["x", "a_x", "a_b_x"], ["y"]),
        ("p95", ["p95", "P95", "p_95"], ["p_9_6", "xp95"]),
    ],
)
def test_patterns(pattern: str, fitting: list[str], others: list[str]) -> None:
    """A pattern is whole words, `*` any number of them; case and borders between words do not count."""
    assert [True] * len(fitting) == [fits(pattern, name) for name in fitting]
    assert [False] * len(others) == [fits(pattern, name) for name in others]


def test_context_may_stand_before_and_behind() -> None:
    """Words that only say where a figure is from, and numbers, do not keep a pattern from fitting."""
    context = {"val", "fold", "pct"}
    assert fits("std_*", "val_std_sharpe", context)
    assert fits("*_std", "sharpe_std_fold_3", context)
    assert fits("std", "fold-1.std_pct", context)
    assert not fits("std_*", "sharpe_std", context)
    assert not fits("std_*", "val_std_sharpe")
    assert not fits("std_*", "3_std_sharpe")


@pytest.mark.parametrize("text", ["", "A", "a*", "a__b", "(x)", "_a", "a_", "**", "é"])
def test_a_pattern_that_is_wrong(text: str) -> None:
    """What is neither a word in small letters nor a star is a ValueError that shows it."""
    with pytest.raises(ValueError, match="is neither a word"):
        Pattern(text)


def test_words_around_a_gap_are_no_neighbours() -> None:
    """When words are taken out of a name, those before and behind do not become one."""
    name = Name(words_of("risk_adjusted_return"), ())
    pattern = Pattern("*_adjusted_*")
    span = pattern.span(name, name.find(pattern.runs, 100))
    assert span is not None
    rest = Name(name.without(span), ())
    assert {"return"} == rest.find({"riskreturn", "return"}, 100).keys()
