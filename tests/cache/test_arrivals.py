"""Answers that come one after another."""

from service.answer import Answer
from service.cache.arrivals import Arrivals
from service.tracking.questions import GetRun, Question
from service.tracking.runs import Run
from tests.cache.scripted import Clock


def test_an_answer_grows_older_while_others_are_waited_for() -> None:
    """The one that came last is as old as it came; what was handed over later is dated by when it came."""
    clock = Clock()
    first, second, third = (GetRun(run_id) for run_id in "abc")
    arrivals = Arrivals[Run | None](clock)
    arrivals.add(first, Answer(None, 1.0))
    came = clock()
    clock.tick(3)
    arrivals.add(second, Answer(None, 0.5))
    arrivals.add(third, Answer(None), came)
    asked: list[Question[Run | None]] = [third, second, first]
    assert [3.0, 0.5, 4.0] == [answer.age for answer in arrivals.answers(asked)]
