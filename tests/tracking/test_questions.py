"""What each kind of question says of its answers: how fast they age, their bytes, what they consist of."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from service.tracking.codec import Codec
from service.tracking.deleted_runs import DeletedRuns, ListDeletedRuns
from service.tracking.entity import Entity
from service.tracking.questions import (
    FreshnessClass,
    GetExperiment,
    GetRun,
    ListExperiments,
    ListRuns,
    Question,
)
from service.tracking.runs import Experiment
from tests.tracking.values import make_experiment, make_run

ENDED = make_run("ended", params={"p": "é"}, metrics={"m": 0.1, "none": None}, tags={"t": "x"})
ACTIVE = make_run("active", status="RUNNING", end_time=None)
EXPERIMENT = Experiment("7", "research", "s3://x", "deleted", creation_time=5)
LIST = ListRuns("0", "cpcv", None, 5)

EVERY: list[tuple[Question[Any], Any, FreshnessClass]] = [
    (GetRun("ended"), ENDED, FreshnessClass.ENDED_RUN),
    (GetRun("active"), ACTIVE, FreshnessClass.ACTIVE_RUN),
    (GetRun("nobody"), None, FreshnessClass.MISSING),
    (LIST, (ACTIVE, ENDED), FreshnessClass.RUN_LIST),
    (LIST, (ENDED,), FreshnessClass.RUN_LIST),
    (LIST, (), FreshnessClass.RUN_LIST),
    (GetExperiment("research"), EXPERIMENT, FreshnessClass.EXPERIMENTS),
    (GetExperiment("nothing"), None, FreshnessClass.MISSING),
    (ListExperiments(), (make_experiment(), EXPERIMENT), FreshnessClass.EXPERIMENTS),
    (ListExperiments(), (), FreshnessClass.EXPERIMENTS),
    (ListDeletedRuns(("0",), "s", 10), DeletedRuns((ENDED,), 1), FreshnessClass.RUN_LIST),
    (ListDeletedRuns(("0",), "s", 10), DeletedRuns((), is_listed=False), FreshnessClass.RUN_LIST),
]
KINDS = [kind for kind in Question.__subclasses__() if kind.__module__.startswith("service.")]
every_answer = pytest.mark.parametrize(("question", "value", "freshness"), EVERY)


@every_answer
def test_each_answer_ages_by_its_class(
    question: Question[Any], value: Any, freshness: FreshnessClass
) -> None:
    """The question decides how fast an answer ages, and an empty list ages as a full one does."""
    assert freshness is question.freshness_of(value)


@every_answer
def test_each_value_survives_its_codec(
    question: Question[Any], value: Any, freshness: FreshnessClass
) -> None:
    """A value that becomes bytes and comes back is equal, in every field, and of the same type."""
    del freshness
    data = question.codec.encode(value)
    assert isinstance(data, bytes)
    decoded = question.codec.decode(data)
    assert (value, type(value)) == (decoded, type(decoded))


def test_a_codec_refuses_what_is_of_another_question() -> None:
    """Bytes of another kind of value are an error, and never a wrong value."""
    with pytest.raises(msgspec.DecodeError):
        GetRun("r").codec.decode(ListRuns.codec.encode((ENDED,)))
    with pytest.raises(msgspec.DecodeError):
        GetRun("r").codec.decode(b"")


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_question_says_how_its_answers_are_kept(kind: type[Question[Any]]) -> None:
    """Every kind decides how fast its answers age, and has a codec of its own."""
    assert Question.freshness_of is not kind.freshness_of
    assert isinstance(vars(kind)["codec"], Codec)


def test_equal_questions_are_one_key() -> None:
    """Questions of one kind with equal fields are one key, and those of two kinds never are."""
    assert {GetRun("a")} == {GetRun("a"), GetRun("a")}
    assert {LIST} == {LIST, msgspec.structs.replace(LIST)}
    assert 3 == len({GetRun("Default"), GetExperiment("Default"), ListExperiments()})


def test_a_question_cannot_be_changed() -> None:
    """A key stays what it is."""
    question = GetRun("a")
    with pytest.raises(AttributeError, match="immutable"):
        question.run_id = "b"  # type: ignore[misc] # which is what this test is about


def test_a_list_answers_for_its_runs() -> None:
    """The members of a list are the questions that each of its runs answers, in their order."""
    assert [GetRun("active"), GetRun("ended")] == LIST.members((ACTIVE, ENDED))
    assert not GetRun("ended").members(ENDED)
    assert not ListExperiments().members((EXPERIMENT,))


def test_the_entities_of_a_value() -> None:
    """A value consists of itself, of its elements where it is a list, or of nothing where it is None."""
    assert [ENDED] == list(GetRun("ended").entities(ENDED))
    assert [] == list(GetRun("nobody").entities(None))
    assert [ACTIVE, ENDED] == list(LIST.entities((ACTIVE, ENDED)))


def test_a_question_is_as_large_as_its_texts() -> None:
    """A caller's long text counts in full in the size of the question that bears it."""
    short, long = ListRuns("0", "x", None, 5), ListRuns("0", "x" * 10_001, None, 5)
    assert 10_000 == long.size - short.size


def test_the_footprint_of_an_entity_is_that_of_its_fields() -> None:
    """An entity that counts nothing itself is as large as its texts and the values of its mappings."""

    class Version(Entity, frozen=True, gc=False):
        name: str = ""
        tags: Mapping[str, str] = {}
        metrics: Mapping[str, float] = {}

    bare = Version().footprint
    assert 1_000 == Version("x" * 1_000).footprint - bare
    assert 1_000 == Version(tags={"p": "x" * 1_000}).footprint - Version(tags={"p": ""}).footprint
    assert Version(metrics={"m": 0.1, "n": 0.2}).footprint > Version(metrics={"m": 0.1}).footprint
    assert () == Version(tags={"p": "x"}).shared_names
