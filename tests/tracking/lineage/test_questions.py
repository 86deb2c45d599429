"""What each question about the registry says of its answers: how fast they age, their bytes, their size."""

from typing import Any

import pytest

from service.tracking.lineage.questions import (
    UNSUPPORTED,
    GetLoggedModel,
    GetModelByAlias,
    GetModelVersion,
    LoggedModel,
    ModelVersion,
    ModelVersions,
    NotServed,
    RunsOfDataset,
    SearchModelVersions,
    SearchRunsOfDataset,
)
from service.tracking.questions import FreshnessClass, Question
from tests.tracking.values import make_run

VERSION = ModelVersion("m", "3", "r", "models:/m-1", "m-1", "READY", "None", ("champion",), {"k": "é"}, 5)
MODEL = LoggedModel(
    "m-1",
    "r",
    "s3://x",
    "0",
    "m",
    "LOGGED_MODEL_READY",
    tags={"k": "v"},
    versions=(("m", "3"),),
    created_ms=5,
)
LACK = NotServed(UNSUPPORTED)
RUN = make_run("r")

EVERY: list[tuple[Question[Any], Any, FreshnessClass, tuple[Any, ...]]] = [
    (GetModelVersion("m", "3"), VERSION, FreshnessClass.RUN_LIST, (VERSION,)),
    (GetModelVersion("m", "3"), None, FreshnessClass.MISSING, ()),
    (GetModelVersion("m", "3"), LACK, FreshnessClass.MISSING, (LACK,)),
    (GetModelByAlias("m", "champion"), VERSION, FreshnessClass.RUN_LIST, (VERSION,)),
    (GetModelByAlias("m", "champion"), None, FreshnessClass.MISSING, ()),
    (GetLoggedModel("m-1"), MODEL, FreshnessClass.ENDED_RUN, (MODEL,)),
    (GetLoggedModel("m-1"), LoggedModel("m-1"), FreshnessClass.ACTIVE_RUN, (LoggedModel("m-1"),)),
    (GetLoggedModel("m-1"), None, FreshnessClass.MISSING, ()),
    (SearchModelVersions(("r",)), ModelVersions((VERSION,)), FreshnessClass.RUN_LIST, (VERSION,)),
    (SearchModelVersions(("r",)), ModelVersions((), is_complete=False), FreshnessClass.RUN_LIST, ()),
    (SearchModelVersions(("r",)), LACK, FreshnessClass.MISSING, (LACK,)),
    (SearchRunsOfDataset(("0",), "d", 9), RunsOfDataset((RUN,)), FreshnessClass.RUN_LIST, (RUN,)),
    (SearchRunsOfDataset(("0",), "d", 9), LACK, FreshnessClass.MISSING, (LACK,)),
]


@pytest.mark.parametrize(("question", "value", "freshness", "entities"), EVERY)
def test_each_question_keeps_its_answers(
    question: Question[Any], value: Any, freshness: FreshnessClass, entities: tuple[Any, ...]
) -> None:
    """An answer ages by its class, survives its codec as the type that it was, and consists of entities."""
    assert freshness is question.freshness_of(value)
    decoded = question.codec.decode(question.codec.encode(value))
    assert (value, type(value)) == (decoded, type(decoded))
    assert entities == tuple(question.entities(value))


def test_what_is_long_is_large() -> None:
    """The texts of a value count, those in its lists, too."""
    assert 1_000 == ModelVersion("m", "3", aliases=("x" * 1_001,)).footprint - (
        ModelVersion("m", "3", aliases=("x",)).footprint
    )
    assert 1_000 == LoggedModel("m", versions=(("x" * 1_001, "1"),)).footprint - (
        LoggedModel("m", versions=(("x", "1"),)).footprint
    )


@pytest.mark.parametrize(
    ("short", "long"),
    [
        (GetModelVersion("m", "3"), GetModelVersion("m" * 1_001, "3")),
        (SearchModelVersions(("r",)), SearchModelVersions(("r" * 1_001,))),
        (SearchRunsOfDataset(("0",), "d", 9), SearchRunsOfDataset(("0",), "d" * 1_001, 9)),
    ],
)
def test_a_long_question_is_large(short: Question[Any], long: Question[Any]) -> None:
    """A caller's long text counts in full in the size of the question that bears it."""
    assert 1_000 == long.size - short.size
