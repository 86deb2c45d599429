"""Runs by a tag: what is asked for reads alike on every server, and only the very value is kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.tracking.lineage.refs import TAGS, RefKind, TagTarget
from service.tracking.lineage.tag_search import bears, comparisons_of
from service.upstream.conditions import conditions_of, filter_text
from tests.tracking.search.plainly import matches
from tests.tracking.values import make_run
from tests.upstream.test_conditions import read_back
from tests.upstream.test_filters import HOSTILE

COMMIT = "3f9a1c2d4e5f60718293a4b5c6d7e8f901234567"
KINDS = st.sampled_from(list(TAGS))


@given(KINDS, HOSTILE.filter(lambda value: value and "\0" not in value))
def test_any_value_finds_the_runs_that_bear_it(kind: RefKind, value: str) -> None:
    """The comparison is one clause on one tag for MLflow's own parser, and finds at least the run."""
    target = TagTarget(kind, value)
    for tag, comparison in comparisons_of(target):
        conditions = conditions_of(comparison)
        assert conditions is not None
        ((where, key, _, _),) = read_back(filter_text(conditions))
        assert ("tag", tag) == (where, key)
        run = make_run(tags={tag: value})
        assert matches(run, comparison)
        assert bears(run, tag, target)


@given(HOSTILE, HOSTILE)
def test_look_alikes_are_not_kept(value: str, other: str) -> None:
    """A run with another value does not bear the tag, even where the pattern finds it."""
    target = TagTarget(RefKind.DATASET, value)
    assert (value == other) == bears(make_run(tags={"dataset_version": other}), "dataset_version", target)
    assert not bears(make_run(), "dataset_version", target)


@pytest.mark.parametrize(
    ("ref", "tag", "is_the_same"),
    [
        (COMMIT, COMMIT, True),
        (COMMIT[:4], COMMIT, True),
        (COMMIT[:7].upper(), COMMIT, True),
        (COMMIT, COMMIT[:7], True),
        (COMMIT, COMMIT[:12].upper(), True),
        (COMMIT[:9], COMMIT[:7], True),
        (COMMIT[:7], f"{COMMIT[:7]}-dirty", True),
        (COMMIT, COMMIT[:6], False),
        (COMMIT[:7], f"x{COMMIT}", False),
        (COMMIT[:9], f"{COMMIT[:8]}0{COMMIT[9:]}", False),
        ("r12", "r123", False),
        ("r12", "r12", True),
    ],
)
def test_a_commit_may_be_shortened_on_either_side(ref: str, tag: str, is_the_same: bool) -> None:
    """The beginning of a commit names it, and a tag of at least seven characters may be one, too."""
    target = TagTarget(RefKind.COMMIT, ref)
    run = make_run(tags={"mlflow.source.git.commit": tag})
    names = [name for name, _ in comparisons_of(target)]
    assert ["git_commit", "mlflow.source.git.commit"] == names
    assert is_the_same == bears(run, "mlflow.source.git.commit", target)
    if is_the_same:
        assert matches(run, comparisons_of(target)[1][1])
