"""Promise 10, in its short form; `make soak` has the long one."""

import pytest

from tests.resilience.soak import soak


@pytest.mark.slow
async def test_browsing_through_faults() -> None:
    """Half a minute of browsing with faults: what was read once is always answered, nothing grows."""
    figures = await soak(0.25)
    print(*figures, sep="\n")
    assert all(figure.is_kept for figure in figures), list(map(str, figures))
