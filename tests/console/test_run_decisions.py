"""What the page of a run decides: ranks, kinds of params, and which histories it shows first."""

import pytest

from tests.console.modules import evaluated
from tests.console.watched import Watched

pytestmark = pytest.mark.console


@pytest.mark.parametrize(
    ("direction", "rank"),
    [("max", 2), ("min", 3), ("closest_to_zero", 1), ("none", None), (None, None)],
)
async def test_a_rank_goes_by_the_direction(
    module_page: Watched, direction: str | None, rank: int | None
) -> None:
    """1 is the best; where no value is better than another there is no rank."""
    call = "m.rankOf(-1, [-3, -1, 2, -2], values[0])"
    place = await evaluated(module_page, "run/ranks.js", call, direction)
    assert rank == (place and place["rank"])


async def test_equal_values_share_a_rank(module_page: Watched) -> None:
    """The next worse one counts all before it, and ties are counted."""
    assert {"rank": 2, "of": 4, "ties": 1} == await evaluated(
        module_page, "run/ranks.js", 'm.rankOf(1, [2, 1, 1, 0], "max")'
    )
    place = await evaluated(module_page, "run/ranks.js", 'm.rankOf(0, [2, 1, 1, 0], "max")')
    assert 4 == place["rank"]


async def test_the_best_value_is_found_past_what_is_no_number(module_page: Watched) -> None:
    """NaN is never the best, and without a direction nothing is."""
    call = "m.bestOf([null, 1, 3, undefined, -4], values[0])"
    places = [await evaluated(module_page, "run/ranks.js", call, how) for how in ("max", "min", "none")]
    assert [2, 4, -1] == places


async def test_places_are_written_as_people_say_them(module_page: Watched) -> None:
    """1st, 2nd, 3rd, 11th, 112th, 1,003rd."""
    numbers = [1, 2, 3, 4, 11, 12, 112, 1_003]
    written = await evaluated(module_page, "run/ranks.js", "values[0].map(m.ordinal)", numbers)
    assert ["1st", "2nd", "3rd", "4th", "11th", "12th", "112th", "1,003rd"] == written


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("0.10", "number"),
        ("-1e-3", "number"),
        ("0x10", "text"),
        ("NaN", "text"),
        ("False", "yes or no"),
        ("[1, 2]", "list"),
        ("21,63", "list"),
        (" ", "empty"),
        ("a, ", "list"),
        (",", "text"),
    ],
)
async def test_a_param_has_a_kind(module_page: Watched, text: str, kind: str) -> None:
    """Params are texts; what they are is read from them."""
    assert kind == await evaluated(module_page, "run/ranks.js", "m.typeOf(values[0])", text)


@pytest.mark.parametrize(
    ("keys", "shown"),
    [
        (["drawdown", "equity", "loss"], ["equity", "drawdown"]),
        (["train/loss", "val/equity_curve"], ["val/equity_curve"]),
        (["max_drawdown"], ["max_drawdown"]),
        (["loss", "val_sharpe"], ["val_sharpe"]),
        (["loss", "accuracy"], ["loss"]),
        ([], []),
    ],
)
async def test_curves_are_shown_first(module_page: Watched, keys: list[str], shown: list[str]) -> None:
    """Equity above drawdown; without them a Sharpe ratio, or what comes first."""
    assert shown == await evaluated(module_page, "run/series.js", "m.firstShown(values[0])", keys)


async def test_folds_are_looked_for_where_they_are_logged(module_page: Watched) -> None:
    """Keys that say so, else all of a walk forward or of CPCV; Sharpe ratios first; none of a training."""
    call = "m.foldKeys(values[0], values[1])"
    keys = ["fold_mse", "fold_oos_sharpe", "equity"]
    assert ["fold_oos_sharpe", "fold_mse"] == await evaluated(
        module_page, "run/series.js", call, keys, "training"
    )
    assert ["mse"] == await evaluated(module_page, "run/series.js", call, ["mse"], "cpcv")
    assert [] == await evaluated(module_page, "run/series.js", call, ["mse"], "training")


async def test_a_section_reaches_a_little_beyond_what_is_shown(module_page: Watched) -> None:
    """Ends are whole numbers, as the API takes them, and lines reach the border of the chart."""
    assert {"from": 95, "to": 206} == await evaluated(
        module_page, "run/series.js", "m.sectionOf([100.4, 200.6])"
    )


async def test_keys_that_mlflow_cannot_keep_are_not_asked_for(module_page: Watched) -> None:
    """One key that is too long would have the whole request refused."""
    call = "m.askable(values[0])"
    assert ["equity", "a"] == await evaluated(module_page, "run/series.js", call, ["a", "x" * 251, "equity"])
