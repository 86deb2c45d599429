"""Promise 10, in its short form; `make soak` has the long one."""

from tests.resilience.soak import soak


async def test_browsing_through_faults() -> None:
    """Half a minute of browsing with faults: what was read once is always answered, nothing grows."""
    figures = await soak(0.25)
    print(*figures, sep="\n")
    assert all(figure.is_kept for figure in figures), list(map(str, figures))
