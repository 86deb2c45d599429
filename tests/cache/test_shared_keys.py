"""What questions are called in a store, and how their answers are written there."""

from typing import Any

import msgspec
import pytest

from service.cache.shared_keys import MOST_BYTES, TOO_LARGE, SharedKeys
from service.tracking.questions import GetExperiment, GetRun, ListExperiments, ListRuns, Question
from service.tracking.runs import Place
from tests.tracking.values import make_experiment, make_run

KEYS = SharedKeys("http://mlflow")
ANSWERS: list[tuple[Question[Any], Any]] = [
    (GetRun("a"), make_run("a", metrics={"m": float("inf"), "n": None}, tags={"t": "ü"})),
    (GetRun("a"), None),
    (ListRuns("0", "cpcv", None, 2, Place(None, "b")), (make_run("a"), make_run("b"))),
    (GetExperiment("Default"), make_experiment()),
    (ListExperiments(), ()),
]


@pytest.mark.parametrize(("question", "value"), ANSWERS, ids=repr)
def test_answers_come_back(question: Question[Any], value: Any) -> None:
    """What is written of an answer is read as the same answer."""
    assert value == KEYS.unwrap(question, KEYS.wrap(question, value))


def test_questions_have_keys_of_their_own() -> None:
    """Questions of another kind, with other fields, or about another MLflow have other keys, of 16 bytes."""
    questions: list[Question[Any]] = [
        *(question for question, _ in ANSWERS[1:]),
        GetExperiment("a"),
        GetRun("b"),
        ListRuns("0", None, "cpcv", 2, Place(None, "b")),
        ListRuns("0", None, None, 2),
    ]
    keys = [of.of(question) for of in (KEYS, SharedKeys("http://other")) for question in questions]
    assert len(keys) == len(set(keys))
    assert {16} == set(map(len, keys))


def test_data_of_another_question_are_refused() -> None:
    """The answer to one question is not taken for that of another, even of the same kind."""
    data = KEYS.wrap(GetRun("a"), None)
    for keys, question in [(KEYS, GetRun("b")), (SharedKeys("http://other"), GetRun("a"))]:
        with pytest.raises(msgspec.MsgspecError, match="another question"):
            keys.unwrap(question, data)


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x90", b"\x92\xc4\x00\xc0", b"hello", bytes(100)], ids=repr)
def test_rubbish_is_refused(data: bytes) -> None:
    """Bytes that are no answer raise MsgspecError."""
    with pytest.raises(msgspec.MsgspecError):
        KEYS.unwrap(GetRun("a"), data)


def test_a_large_answer_is_not_written() -> None:
    """Of an answer that is larger than the store takes only that much is written."""
    assert TOO_LARGE == KEYS.wrap(GetRun("a"), make_run("a", tags={"t": "x" * MOST_BYTES}))


def test_lists_that_may_answer_each_other_are_in_one_group() -> None:
    """A list is put where the narrower questions look, and nowhere else."""

    def is_found(put: ListRuns, asked: ListRuns) -> bool:
        return KEYS.place_of(put)[0] in KEYS.groups_of(asked)

    every, strategy = ListRuns("0", None, None, 50), ListRuns("0", None, "carry", 50)
    assert is_found(every, ListRuns("0", "cpcv", "carry", 5))
    assert is_found(strategy, ListRuns("0", "cpcv", "carry", 5))
    assert not is_found(strategy, every)
    assert not is_found(strategy, ListRuns("0", None, "trend", 50))
    assert not is_found(every, ListRuns("1", None, None, 5))
    assert not is_found(every, ListRuns("0", None, None, 5, Place(1, "a")))
    assert () == KEYS.groups_of(GetRun("a"))
    assert (b"", b"") == KEYS.place_of(GetRun("a"))
    assert (b"", b"") == KEYS.place_of(ListRuns("0", None, "x" * 2_000, 5))


def test_names_of_lists_come_back() -> None:
    """The name of a list in its group says which list it is; other names are passed over."""
    question = ListRuns("0", "cpcv", "carry", 5, Place(None, "b"))
    assert [question] == list(KEYS.named([b"rubbish", KEYS.place_of(question)[1], b"\xc1"]))
