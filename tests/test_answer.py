"""What an answer that is made of several says of itself."""

import pytest

from service.answer import Answer, Origin, combine


def test_answers_asked_for_at_once_wait_as_long_as_the_slowest() -> None:
    """The combined answer waited as long as the one that waited longest."""
    answers = [Answer("a", waited=0.5), Answer("b", waited=2.0), Answer("c", waited=1.0)]
    assert Answer("abc", 1.5, Origin.MISS, 2.0) == combine("abc", answers)


def test_answers_asked_for_one_after_another_wait_for_the_sum() -> None:
    """An answer that could only be asked for after another bears both waits; the first aged meanwhile."""
    first, second = Answer("a", 1.0, Origin.COLLAPSED, 0.5), Answer("b", 0.0, Origin.MISS, 2.0)
    assert Answer("b", 0.0, Origin.MISS, 2.5) == second.after(first)
    assert Answer("ab", 3.0, Origin.COLLAPSED, 2.5) == combine("ab", [first, second.after(first)])


def test_an_answer_after_one_from_memory_stays_as_it_is() -> None:
    """Where nobody waited for the earlier answer, the later one waited for itself only."""
    later = Answer("b", 3.0, Origin.HIT, 0.0, 5.0)
    assert later == later.after(Answer("a", 9.0, Origin.STALE, 0.0, -1.0))


@pytest.mark.parametrize("is_turned", [False, True])
def test_a_combined_answer_is_as_old_as_the_oldest(is_turned: bool) -> None:
    """Its age and its origin are those of the oldest answer, wherever that stands."""
    answers = [Answer("old", 40.0, Origin.STALE, 0.0, -8.0), Answer("new", 0.0, Origin.MISS, 2.0)]
    expected = Answer("value", 42.0, Origin.STALE, 2.0, -8.0)
    assert expected == combine("value", answers[::-1] if is_turned else answers)


def test_a_combined_hit_lives_as_long_as_the_shortest() -> None:
    """Of several fresh answers the least time left counts, whichever is the oldest."""
    answers = [Answer("a", 3.0, Origin.HIT, 0.0, 29.0), Answer("b", 1.0, Origin.HIT, 0.0, 3.0)]
    assert Answer("ab", 3.0, Origin.HIT, 0.0, 3.0) == combine("ab", answers)


def test_the_time_left_of_a_hit_is_not_taken_from_what_was_fetched() -> None:
    """An answer that was fetched has no time left to tell, and does not shorten that of an older hit."""
    answers = [Answer("a", 5.0, Origin.HIT, 0.0, 27.0), Answer("b")]
    assert Answer("ab", 5.0, Origin.HIT, 0.0, 27.0) == combine("ab", answers)


def test_a_combined_answer_says_that_memory_had_expired() -> None:
    """Whether memory had an answer that was too old is told of the oldest answer."""
    assert combine("a", [Answer("a", expired=True)]).expired
    assert not combine("a", [Answer("a")]).expired
