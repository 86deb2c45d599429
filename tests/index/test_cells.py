"""The cells of a column: codes take as few bytes as they can."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from service.index.cells import CodeCells, Space

CODES = st.one_of(st.integers(1, 300), st.integers(65_000, 66_000), st.integers(2**31, 2**32 - 1))


@given(st.lists(CODES, min_size=1, max_size=60), st.data())
def test_codes_are_those_that_were_set(codes: list[int], data: st.DataObject) -> None:
    """Codes of any size, set and set anew, few rows or many: each is read back, and 0 stands for none."""
    space = Space()
    cells = CodeCells(space)
    for row, code in enumerate(codes):
        space.rows = row + 1
        cells.add(row, code)
    for row in data.draw(st.lists(st.integers(0, len(codes) - 1))):
        codes[row] = data.draw(CODES)
        cells.replace(row, codes[row])
    space.rows += 3
    assert codes == [cells.value(row) for row in range(len(codes))]
    assert [*codes, 0, 0, 0] == cells.array().tolist()


@given(st.lists(CODES, min_size=20, max_size=60))
def test_codes_that_are_filled_in_are_those_that_were_given(codes: list[int]) -> None:
    """A column that is filled at once has the same codes as one that was filled one by one."""
    space = Space()
    space.rows = len(codes)
    cells = CodeCells(space)
    cells.fill(np.arange(len(codes)), np.array(codes, np.int64))
    assert codes == cells.array().tolist()


def test_codes_take_a_byte_until_one_needs_more() -> None:
    """A thousand rows with codes below 256 take a byte each, and the count of bytes follows them."""
    space = Space()
    space.rows = 1_000
    cells = CodeCells(space)
    cells.fill(np.arange(1_000), np.full(1_000, 255))
    narrow = space.bytes
    assert 1_000 <= narrow <= 1_200
    cells.replace(7, 256)
    assert 2 * narrow == space.bytes
    assert (256, 255) == (cells.value(7), cells.value(8))
