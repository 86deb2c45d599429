"""How rules decide which way a metric is better, and rule files that are wrong."""

from pathlib import Path

import pytest

from service.settings.load import config_dir
from service.tracking.directions import Decision, Direction, Directions, ReadAs, Rule, load_directions

HIGHER, LOWER, NEARER = Direction.MAX, Direction.MIN, Direction.CLOSEST_TO_ZERO
SHIPPED = load_directions(config_dir() / "metrics.toml")


def test_the_first_rule_that_fits_decides() -> None:
    """A special case stands above the general one."""
    directions = Directions([Rule("*_avg_loss", NEARER), Rule("*_loss", LOWER)])
    assert (NEARER, LOWER) == (directions("trade_avg_loss"), directions("trade_max_loss"))


def test_a_decision_names_its_rule() -> None:
    """What decided can be told: one pattern, a chain of them, or nothing where no rule fits."""
    directions = Directions(
        [Rule("neg_*", ReadAs.OPPOSITE), Rule("*_over_*", ReadAs.AS_FIRST), Rule("*_loss_*", LOWER)]
    )
    assert Decision(LOWER, "*_loss_*") == directions.decide("val_loss")
    assert Decision(HIGHER, "neg_* > *_loss_*") == directions.decide("neg_val_loss")
    assert Decision(LOWER, "neg_* > neg_* > *_loss_*") == directions.decide("neg_neg_loss")
    assert Decision(LOWER, "neg_*") == directions.decide("neg_sharpe")
    assert Decision(LOWER, "*_over_* > *_loss_*") == directions.decide("loss_over_time")
    assert Decision(HIGHER, None) == directions.decide("sharpe_over_time")
    assert Decision(HIGHER, None) == directions.decide("neg")


@pytest.mark.parametrize(
    ("direction", "turned"),
    [(HIGHER, LOWER), (LOWER, HIGHER), (NEARER, NEARER), (Direction.NONE, Direction.NONE)],
)
def test_the_opposite(direction: Direction, turned: Direction) -> None:
    """Negation turns high and low round; what is nearest to zero, or has no best value, stays so."""
    assert turned is Directions([Rule("neg_*", ReadAs.OPPOSITE), Rule("x", direction)])("neg_x")


def test_as_first_and_as_last() -> None:
    """A ratio is judged by the figure that it names first, an adjusted one by what it names last."""
    directions = Directions(
        [
            Rule("*_over_*", ReadAs.AS_FIRST),
            Rule("*_adjusted_*", ReadAs.AS_LAST),
            Rule("*_drawdown_*", NEARER),
            Rule("*_draw_down_days_*", LOWER),
            Rule("*_return_*", HIGHER),
        ]
    )
    assert [HIGHER, NEARER, LOWER] == [
        directions(name)
        for name in ("return_over_max_drawdown", "drawdown_over_return", "drawdown_days_over_return")
    ]
    assert [HIGHER, NEARER, LOWER] == [
        directions(name)
        for name in ("drawdown_adjusted_return", "return_adjusted_drawdown", "adjusted_drawdown_days")
    ]
    assert (NEARER, HIGHER) == (directions("carry_over_drawdown"), directions("over"))


@pytest.mark.parametrize("pattern", ["*", "*_a_*_b_*"])
def test_a_rule_that_looks_further_has_its_words_in_one_place(pattern: str) -> None:
    """What is left of the name is not defined else: refused."""
    with pytest.raises(ValueError, match="needs words in one place"):
        Directions([Rule(pattern, ReadAs.AS_LAST)])


def test_a_long_name_is_decided_at_once() -> None:
    """The longest name that MLflow takes, made to be slow, is decided within the time of many others."""
    hostile = "_".join("loss" for _ in range(49)) + "_x"
    assert LOWER is SHIPPED(hostile)
    assert HIGHER is SHIPPED("_" * 250)
    assert HIGHER is SHIPPED("a_" * 125)
    assert HIGHER is SHIPPED("neg_" * 31 + "loss")
    assert HIGHER is SHIPPED("a_" * 32 + "loss")


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
        ("[[rules]]\npattern = ['a', 5]\nbetter = 'max'", "pattern"),
        ("[[rules]]\npattern = ['a', 'B']\nbetter = 'max'", "'B'"),
        ("[[rules]]\nwords = 'loss'\nbetter = 'max'", "words"),
        ("[[rules]]\nwords = ['log-loss']\nbetter = 'max'", "log-loss"),
        ("[[rules]]\nwords = ['']\nbetter = 'max'", "pattern"),
        ("[[rules]]\nwords = ['a']\npattern = 'b'\nbetter = 'max'", "not both"),
        ("[[rules]]\nwords = ['a']", "better"),
        ("[[rules]]\npattern = 'x'\nbetter = 'max'\npriority = 1", "priority"),
        ("[[rules]]\npattern = '*'\nbetter = 'as_first'", "as_first"),
        ("context = 'val'\nrules = []", "context"),
        ("context = ['val', 'Test']\nrules = []", "'Test'"),
        ("context = ['in-sample']\nrules = []", "'in-sample'"),
        ("context = ['fold1']\nrules = []", "'fold1'"),
        ("rules = []\ndefault = 'min'", "default"),
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


def test_a_file_of_the_first_form(tmp_path: Path) -> None:
    """Rules of one pattern each, without context, decide as they always did."""
    file = tmp_path / "metrics.toml"
    file.write_text(
        "\n".join(
            f'[[rules]]\npattern = "{pattern}"\nbetter = "{better}"'
            for pattern, better in [
                ("std_*", "min"),
                ("*_drawdown_*", "closest_to_zero"),
                ("*_var_95_*", "closest_to_zero"),
                ("*_loss_*", "min"),
            ]
        )
    )
    directions = load_directions(file)
    assert [LOWER, HIGHER, NEARER, NEARER, LOWER, LOWER, HIGHER] == [
        directions(name)
        for name in (
            "std_x",
            "val_std_x",
            "max_drawdown",
            "risk_var_95",
            "win_loss_ratio",
            "neg_loss",
            "lossless",
        )
    ]


def test_one_rule_of_words_and_of_patterns(tmp_path: Path) -> None:
    """A rule may list words that stand anywhere in a name, or several patterns."""
    file = tmp_path / "metrics.toml"
    file.write_text(
        """
        context = ["val"]
        [[rules]]
        better = "min"
        words = ["log loss", "mse"]
        [[rules]]
        better = "none"
        pattern = ["n_*", "seed"]
        """
    )
    directions = load_directions(file)
    assert Decision(LOWER, "*_log_loss_*") == directions.decide("val_logloss_x")
    assert Decision(Direction.NONE, "n_*") == directions.decide("val_n_trades")
    assert Decision(Direction.NONE, "seed") == directions.decide("seed")
    assert Decision(HIGHER, None) == directions.decide("seed_score")
