"""The windows of each class of answers."""

import pytest

from service.cache.freshness import Freshness, Windows
from service.tracking.questions import FreshnessClass

FRESHNESS = Freshness(
    terminal_ttl=32,
    active_ttl=4,
    list_ttl=8,
    experiments_ttl=16,
    missing_ttl=2,
    revalidate_factor=5,
    stale_if_error=100,
)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (FreshnessClass.ENDED_RUN, Windows(32, 192, 192)),
        (FreshnessClass.ACTIVE_RUN, Windows(4, 24, 104)),
        (FreshnessClass.RUN_LIST, Windows(8, 48, 108)),
        (FreshnessClass.EXPERIMENTS, Windows(16, 96, 116)),
        (FreshnessClass.MISSING, Windows(2, 2, 2)),
    ],
)
def test_each_class_has_its_windows(kind: FreshnessClass, expected: Windows) -> None:
    """Renewable for its time to live and the factor more, usable for as long as that and stale-if-error."""
    assert expected == FRESHNESS.windows(kind)


def test_no_class_is_without_windows() -> None:
    """Every class has a time to live."""
    assert all(FRESHNESS.windows(kind).fresh > 0 for kind in FreshnessClass)
