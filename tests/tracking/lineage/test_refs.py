"""References: what kind each is, what has to be looked for, and what is none."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.errors import InvalidRequest
from service.tracking.lineage.refs import (
    AliasTarget,
    ModelTarget,
    RefKind,
    RunTarget,
    TagTarget,
    Target,
    VersionTarget,
    read_ref,
    targets_of_source,
)

RUN = "0123456789abcdef" * 2
MODEL = f"m-{RUN}"
ROOT = f"s3://bucket/1/{RUN}/artifacts"
MODEL_ROOT = f"mlflow-artifacts:/1/models/{MODEL}/artifacts"

KINDS: list[tuple[str, RefKind, Target]] = [
    (RUN, RefKind.RUN, RunTarget(RUN)),
    ("run-of_another-SERVER", RefKind.RUN, RunTarget("run-of_another-SERVER")),
    (f"  {RUN}\n", RefKind.RUN, RunTarget(RUN)),
    (f"runs:/{RUN}", RefKind.RUN, RunTarget(RUN)),
    (f"runs:/{RUN}/model/MLmodel", RefKind.RUN, RunTarget(RUN)),
    (f"runs:///{RUN}/model", RefKind.RUN, RunTarget(RUN)),
    (f"http://mlflow:5000/#/experiments/1/runs/{RUN}/artifacts", RefKind.RUN, RunTarget(RUN)),
    (ROOT, RefKind.ARTIFACT, RunTarget(RUN, ROOT)),
    (MODEL_ROOT, RefKind.ARTIFACT, ModelTarget(MODEL, MODEL_ROOT)),
    (f"/mlruns/1/{RUN}", RefKind.ARTIFACT, RunTarget(RUN, f"/mlruns/1/{RUN}")),
    ("models:/forecast/3", RefKind.MODEL_VERSION, VersionTarget("forecast", "3")),
    ("models:/forecast/007", RefKind.MODEL_VERSION, VersionTarget("forecast", "7")),
    ("models:/the team's model é/12", RefKind.MODEL_VERSION, VersionTarget("the team's model é", "12")),
    ("models:/team/forecast/3", RefKind.MODEL_VERSION, VersionTarget("team/forecast", "3")),
    ("models:/forecast/3/data/MLmodel", RefKind.MODEL_VERSION, VersionTarget("forecast", "3")),
    (
        "models:/main.quant.forecast@champion",
        RefKind.MODEL_VERSION,
        AliasTarget("main.quant.forecast", "champion"),
    ),
    ("models:/a@b@champion", RefKind.MODEL_VERSION, AliasTarget("a@b", "champion")),
    ("models:/forecast/Latest", RefKind.MODEL_VERSION, AliasTarget("forecast", "Latest")),
    ("https://mlflow/#/models/a%20b/versions/3", RefKind.MODEL_VERSION, VersionTarget("a b", "3")),
    (f"models:/{MODEL}", RefKind.LOGGED_MODEL, ModelTarget(MODEL)),
    (f"models:/{MODEL}/MLmodel", RefKind.LOGGED_MODEL, ModelTarget(MODEL)),
    (MODEL, RefKind.LOGGED_MODEL, ModelTarget(MODEL)),
    ("git:3f9a1c2", RefKind.COMMIT, TagTarget(RefKind.COMMIT, "3f9a1c2")),
    ("git:r1", RefKind.COMMIT, TagTarget(RefKind.COMMIT, "r1")),
    ("dataset:/data/2026 'q1'", RefKind.DATASET, TagTarget(RefKind.DATASET, "/data/2026 'q1'")),
    ("feature: v3 ", RefKind.FEATURE, TagTarget(RefKind.FEATURE, " v3 ")),
    ("signal:a:b", RefKind.SIGNAL, TagTarget(RefKind.SIGNAL, "a:b")),
    ("model:v1", RefKind.MODEL, TagTarget(RefKind.MODEL, "v1")),
]

WRONG = {
    "": "give a run id",
    "  ": "give a run id",
    "hello world": "dataset:<version or digest>",
    "signal_version:3": "signal:<version>",
    "run:abc": "give a run id",
    "a\0b": "no NUL",
    "dataset:a\0b": "no NUL",
    "git:\ud800": "surrogate",
    "s3://bucket/a\nb": "control characters",
    "x" * 2_049: "2,048 characters",
    "git:": "needs a value",
    "signal:": "needs a value",
    "git:3f9": "at least 4",
    "model:/forecast/3": "models:/<name>/<version>",
    "runs:/": "needs a run id",
    f"runs:{RUN}": "needs a run id",
    "runs:/a b/model": "needs a run id",
    "models:/": "<name>/<version>",
    "models:/forecast": "<name>/<version>",
    "models:/forecast/Production": "stage",
    "models:/forecast@": "<name>@<alias>",
    "models:/forecast@a b": "<name>@<alias>",
    "models:/@champion": "<name>@<alias>",
    "models:forecast/3": "<name>/<version>",
    f"s3://bucket/1/{RUN}/../other": "'..'",
    f"s3://bucket/1/{RUN}/%2e%2E/other": "'..'",
    f"s3://bucket/1/{RUN}/%00": "control characters",
    "s3://[bucket/1": "cannot be read",
}

PIECES = ["s3://", "http://", "models:/", "m-", "artifacts", RUN, *"/@\\[]#?:a3", "%2F"]


@pytest.mark.parametrize(("text", "kind", "target"), KINDS)
def test_each_kind_is_told_by_its_form(text: str, kind: RefKind, target: Target) -> None:
    """A reference names one thing, and is kept as the caller wrote it."""
    ref = read_ref(text)
    assert (text, kind, (target,)) == (ref.text, ref.kind, ref.targets)


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_reference_is_told_what_there_is(text: str) -> None:
    """The error stands where the reference stood, and says what to write."""
    with pytest.raises(InvalidRequest) as caught:
        read_ref(text, "body.ref")
    (error,) = caught.value.errors
    assert "body.ref" == error.location
    assert WRONG[text] in error.message


@given(st.text(max_size=40) | st.lists(st.sampled_from(PIECES), max_size=9).map("".join))
@example("http://[::1/" + RUN)
@example("file:////" + RUN)
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text does anything but name something or be refused, and what it names stands in it."""
    try:
        ref = read_ref(text)
    except InvalidRequest:
        return
    for target in ref.targets:
        if isinstance(target, RunTarget):
            assert "/" not in target.run_id
            assert target.run_id in text or "%" in text


@pytest.mark.parametrize(
    ("source", "targets"),
    [
        (f"models:/{MODEL}", (ModelTarget(MODEL),)),
        (f"runs:/{RUN}/model", (RunTarget(RUN),)),
        ("models:/forecast/2", (VersionTarget("forecast", "2"),)),
        (ROOT, (RunTarget(RUN, ROOT),)),
        ("git:3f9a1c2", ()),
        ("s3://elsewhere/model", ()),
        ("", ()),
        ("\0", ()),
    ],
)
def test_the_source_of_a_model_version_is_a_reference(source: str, targets: tuple[Target, ...]) -> None:
    """A source leads to what it names, and one that names nothing, or a tag, leads nowhere."""
    assert targets == targets_of_source(source)
