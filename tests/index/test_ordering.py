"""Sorting rows by numbers of which only a page's are put in order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.index.cells import MISSING
from service.index.ordering import KeyOf, NumberKeyOf, first, number_keys

NUMBERS = st.one_of(
    st.floats(allow_nan=False),
    st.sampled_from([0.0, -0.0, float("inf"), float("-inf"), float("nan"), MISSING]),
)


def _id_of(row: int) -> str:
    return f"{row:06d}"


@given(st.lists(NUMBERS, min_size=1, max_size=30), st.data())
@pytest.mark.parametrize("descending", [False, True])
def test_rows_stand_on_the_same_side_of_a_key_by_their_numbers_as_by_their_keys(
    descending: bool,
    some: list[float],
    data: st.DataObject,
) -> None:
    """NaN, what is missing, both zeros and both infinities are where their keys put them."""
    numbers = np.array(some, np.float64)
    rows = np.arange(len(numbers))
    keys = number_keys(numbers, descending=descending)
    key = int(keys[data.draw(st.integers(0, len(numbers) - 1))])
    sides = NumberKeyOf(numbers, descending=descending).sides(rows, key)
    assert (keys < key).tolist() == sides.before.tolist()
    assert (keys == key).tolist() == sides.equal.tolist()


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("different", [3, 1_000_000])
@pytest.mark.parametrize("share", [0.9, 0.01, 0.0001])
def test_the_first_of_many_rows_are_those_of_sorting_all(
    share: float, different: int, descending: bool
) -> None:
    """Whether few numbers are equal, or so many that the last key decides; and of few rows, too."""
    dice = np.random.default_rng(7)
    numbers = dice.integers(0, different, 50_000).astype(np.float64)
    numbers[dice.integers(0, 50_000, 5_000)] = np.nan
    numbers[dice.integers(0, 50_000, 5_000)] = MISSING
    mask = dice.random(50_000) < share
    rows = np.flatnonzero(mask)
    keys = number_keys(numbers, descending=descending)
    expected = sorted(rows.tolist(), key=lambda row: (int(keys[row]), _id_of(row)))[:51]
    assert expected == first(mask, [NumberKeyOf(numbers, descending=descending)], _id_of, 51)
    assert expected == first(mask, [KeyOf(lambda some: keys[some])], _id_of, 51)
