"""Reads a reference: what kind it is, and what has to be looked for. Pure.

| reference | kind |
| --- | --- |
| `<run id>`, `runs:/<run id>/<path>` | RUN |
| `s3://…`, `mlflow-artifacts:/…`, `dbfs:/…`, `/path`, … | ARTIFACT |
| `models:/<name>/<version>`, `models:/<name>@<alias>`, `models:/<name>/latest` | MODEL_VERSION |
| `models:/m-<id>`, `m-<id>` | LOGGED_MODEL |
| `git:`, `dataset:`, `feature:`, `signal:`, `model:` | by the tags of these names |

The forms of `models:/` are MLflow's (mlflow/store/artifact/utils/models.py).
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final, NamedTuple
from urllib.parse import unquote

import msgspec

from service.errors import FieldError, InvalidRequest
from service.tracking.lineage.locations import candidates_in, is_location
from service.tracking.runs import is_run_id

MOST_CHARACTERS: Final = 2_048  # of a reference

_KINDS: Final = (
    "a run id, runs:/<run id>/<path>, models:/<name>/<version>, models:/<name>@<alias>, models:/m-<id>, an "
    "artifact URI (s3://, gs://, wasbs://, abfss://, dbfs:/, mlflow-artifacts:/, file:/, http://, a path), "
    "git:<commit>, dataset:<version or digest>, feature:<version>, signal:<version> or model:<version>"
)
_MODEL_ID = re.compile(r"m-[0-9a-f]{32}", re.ASCII)
_VERSION = re.compile(r"(.*?[^/])/([0-9]+)(?:/.*)?", re.ASCII | re.DOTALL)
_ALIAS = re.compile(r"(.*[^/])@([\w\-]{1,255})", re.ASCII | re.DOTALL)
_LATEST = re.compile(r"(.*[^/])/(latest)", re.IGNORECASE | re.DOTALL)
_LOGGED = re.compile(r"(m-[\w\-]+)(?:/.*)?", re.ASCII | re.DOTALL)
_TAG = re.compile(r"(git|dataset|feature|signal|model):(.*)", re.DOTALL)
_NEVER = re.compile("[\0\ud800-\udfff]")
# Addresses of MLflow's own pages.
_RUN_PAGE = re.compile(r"https?://[^#]*#/(?:[^?]*/)?runs/([0-9a-f]{32})(?:[/?].*)?", re.ASCII)
_VERSION_PAGE = re.compile(r"https?://[^#]*#/models/([^/?]+)/versions/([0-9]+)(?:[/?].*)?", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_HEX = re.compile(r"[0-9a-fA-F]+", re.ASCII)
_LEAST_OF_A_COMMIT: Final = 4  # characters, as git has it


class RefKind(StrEnum):
    """What a reference names."""

    RUN = "run"
    ARTIFACT = "artifact"
    MODEL_VERSION = "model_version"
    LOGGED_MODEL = "logged_model"
    COMMIT = "git"
    DATASET = "dataset"
    FEATURE = "feature"
    SIGNAL = "signal"
    MODEL = "model"


# The tags that a reference of a kind is looked for in.
TAGS: Final[dict[RefKind, tuple[str, ...]]] = {
    RefKind.COMMIT: ("git_commit", "mlflow.source.git.commit"),
    RefKind.DATASET: ("dataset_version",),
    RefKind.FEATURE: ("feature_version",),
    RefKind.SIGNAL: ("signal_version",),
    RefKind.MODEL: ("model_version",),
}


class RunTarget(NamedTuple):
    """A run, by its id. uri: what must be among its artifacts; "" for nothing."""

    run_id: str
    uri: str = ""


class VersionTarget(NamedTuple):
    """A version of a registered model."""

    name: str
    version: str


class AliasTarget(NamedTuple):
    """The version of a registered model that an alias stands for."""

    name: str
    alias: str


class ModelTarget(NamedTuple):
    """A logged model, by its id. uri: what must be among its artifacts; "" for nothing."""

    model_id: str
    uri: str = ""


class TagTarget(NamedTuple):
    """Runs that bear one of the tags of this kind with this value."""

    kind: RefKind
    value: str


Target = RunTarget | VersionTarget | AliasTarget | ModelTarget | TagTarget


class Ref(msgspec.Struct, frozen=True, gc=False):
    """A reference that was read. targets: what to look for, the most likely first; () where nothing can be.

    text: as the caller wrote it.
    """

    text: str
    kind: RefKind
    targets: tuple[Target, ...]


def read_ref(text: str, place: str = "query.ref") -> Ref:
    """What a reference names; InvalidRequest, with the kinds there are, for what is none.

    place: where it stands in the request.
    """
    if len(text) > MOST_CHARACTERS:
        raise _invalid(place, f"a reference has at most {MOST_CHARACTERS:,} characters")
    if _NEVER.search(text):
        raise _invalid(place, "a reference has no NUL and no half of a surrogate pair")
    if tagged := _TAG.fullmatch(text):
        return _of_tag(text, RefKind(tagged[1]), tagged[2], place)
    stripped = text.strip()
    if _CONTROL.search(stripped):
        raise _invalid(place, "a reference other than a tag's has no control characters")
    kind, targets = _named(stripped, place)
    return Ref(text, kind, targets)


def targets_of_source(source: str) -> tuple[Target, ...]:
    """What to look for where a model version names its source; () for a source that leads nowhere."""
    try:
        targets = read_ref(source).targets
    except InvalidRequest:
        return ()
    return tuple([target for target in targets if not isinstance(target, TagTarget)])


def _of_tag(text: str, kind: RefKind, value: str, place: str) -> Ref:
    if not value:
        raise _invalid(place, f"{kind}: needs a value behind it")
    if kind is RefKind.MODEL and value.startswith("/"):
        raise _invalid(
            place, "model:<version> is a tag's value; a registered model is models:/<name>/<version>"
        )
    if kind is RefKind.COMMIT and _HEX.fullmatch(value) and len(value) < _LEAST_OF_A_COMMIT:
        raise _invalid(place, f"give at least {_LEAST_OF_A_COMMIT} characters of a commit")
    return Ref(text, kind, (TagTarget(kind, value),))


def _named(text: str, place: str) -> tuple[RefKind, tuple[Target, ...]]:
    """The kind and the targets of a reference to one thing."""
    scheme, _, rest = text.partition(":")
    if scheme.lower() == "runs":
        return RefKind.RUN, (_of_run(rest, place),)
    if scheme.lower() == "models":
        return _of_model(rest, place)
    if _MODEL_ID.fullmatch(text):
        return RefKind.LOGGED_MODEL, (ModelTarget(text),)
    if is_run_id(text):
        return RefKind.RUN, (RunTarget(text),)
    if is_location(text):
        return _of_page(text) or (RefKind.ARTIFACT, _of_location(text, place))
    raise _invalid(place, f"this is no reference: give {_KINDS}")


def _of_run(rest: str, place: str) -> RunTarget:
    run_id = rest.lstrip("/").partition("/")[0]
    if not rest.startswith("/") or not is_run_id(run_id):
        raise _invalid(place, "runs:/ needs a run id behind it, as in runs:/<run id>/<path>")
    return RunTarget(run_id)


def _of_model(rest: str, place: str) -> tuple[RefKind, tuple[Target, ...]]:
    path = rest.lstrip("/") if rest.startswith("/") else ""
    if found := _VERSION.fullmatch(path):
        return RefKind.MODEL_VERSION, (VersionTarget(found[1], found[2].lstrip("0") or "0"),)
    if found := _ALIAS.fullmatch(path) or _LATEST.fullmatch(path):
        return RefKind.MODEL_VERSION, (AliasTarget(found[1], found[2]),)
    if found := _LOGGED.fullmatch(path):
        return RefKind.LOGGED_MODEL, (ModelTarget(found[1]),)
    raise _invalid(
        place,
        "models:/ needs <name>/<version>, <name>@<alias>, <name>/latest or m-<id> behind it; it takes no "
        "stage",
    )


def _of_page(url: str) -> tuple[RefKind, tuple[Target, ...]] | None:
    """What the address of one of MLflow's own pages names."""
    if page := _RUN_PAGE.fullmatch(url):
        return RefKind.RUN, (RunTarget(page[1]),)
    if page := _VERSION_PAGE.fullmatch(url):
        return RefKind.MODEL_VERSION, (VersionTarget(unquote(page[1]), page[2]),)
    return None


def _of_location(uri: str, place: str) -> tuple[Target, ...]:
    try:
        found = candidates_in(uri)
    except ValueError as error:
        raise _invalid(place, str(error)) from error
    runs = [RunTarget(run_id, uri) for run_id in found.run_ids]
    return (*[ModelTarget(model_id, uri) for model_id in found.model_ids], *runs)


def _invalid(place: str, message: str) -> InvalidRequest:
    return InvalidRequest([FieldError(place, message)])
