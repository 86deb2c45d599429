"""The words of a Cache-Status header for each way in which an answer is come by."""

from typing import Any

import pytest

from service.answer import Answer, Origin
from service.http.cache_status import beside_store, cache_status


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer(0, 1.0, Origin.HIT, 0.0, 31.75), "hit; ttl=31"),
        (Answer(0, 1.0, Origin.HIT, 0.0, 0.25), "hit; ttl=0"),
        (Answer(0, 1.0, Origin.STALE, 0.0, -8.5), "hit; ttl=-8; detail=stale"),
        (Answer(0, 1.0, Origin.STALE, 0.0, -0.5), "hit; ttl=0; detail=stale"),
        (Answer(0, 1.0, Origin.SHARED, 0.002, 4.5), "hit; ttl=4; detail=shared"),
        (Answer(0), "fwd=miss"),
        (Answer(0, expired=True), "fwd=stale"),
        (Answer(0, origin=Origin.COLLAPSED), "fwd=miss; collapsed"),
        (Answer(0, origin=Origin.COLLAPSED, expired=True), "fwd=stale; collapsed"),
        (Answer(0, origin=Origin.FORCED), "fwd=request"),
    ],
)
def test_each_origin_has_its_words(answer: Answer[Any], expected: str) -> None:
    """The header says whether memory answered, with whole seconds left, and else why MLflow was asked."""
    assert expected == cache_status(answer)


@pytest.mark.parametrize("origin", Origin)
def test_what_was_asked_for_without_the_store_says_so(origin: Origin) -> None:
    """While the store does not answer, answers that MLflow was asked for tell it, and no others do."""
    asked = origin in {Origin.MISS, Origin.COLLAPSED, Origin.FORCED}
    answer = Answer(0, origin=origin)
    plain = cache_status(answer)
    assert plain == beside_store(lambda: True)(answer)
    assert (f"{plain}; detail=detached" if asked else plain) == beside_store(lambda: False)(answer)


def test_no_origin_is_without_words() -> None:
    """Every origin is told in a way of its own."""
    assert len(Origin) == len({cache_status(Answer(0, origin=origin)) for origin in Origin})
