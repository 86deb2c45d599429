"""MLflow's JSON of model versions and logged models, read into values. Pure.

Shapes: https://mlflow.org/docs/latest/api_reference/rest-api.html, as in wire.py: what is not set is left out
or null, and numbers may be quoted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from service.tracking.lineage.questions import LoggedModel, ModelVersion, ModelVersions
from service.upstream.lenient import Body, WireError, decode, time_of

# A logged model's tag: JSON, a list of {"name", "version"} (mlflow/store/tracking/sqlalchemy_store.py).
_VERSIONS_TAG: Final = "mlflow.modelVersions"

_Text = str | int | None


class _Pair(msgspec.Struct, gc=False):
    key: str
    value: str | None = None


class _Version(msgspec.Struct, gc=False):
    name: str
    version: str | int
    run_id: str | None = None
    source: str | None = None
    model_id: str | None = None
    status: str | None = None
    current_stage: str | None = None
    aliases: list[str] | None = None
    tags: list[_Pair] | None = None
    creation_timestamp: int | str | None = None


class _VersionReply(msgspec.Struct, gc=False):
    model_version: _Version


class _VersionsReply(msgspec.Struct, gc=False):
    model_versions: list[_Version] | None = None
    next_page_token: str | None = None


class _Registration(msgspec.Struct, gc=False):
    name: str
    version: str | int


class _ModelInfo(msgspec.Struct, gc=False):
    model_id: str
    experiment_id: _Text = None
    name: str | None = None
    artifact_uri: str | None = None
    status: _Text = None
    model_type: str | None = None
    source_run_id: str | None = None
    tags: list[_Pair] | None = None
    registrations: list[_Registration] | None = None
    creation_timestamp_ms: int | str | None = None


class _Model(msgspec.Struct, gc=False):
    info: _ModelInfo


class _ModelReply(msgspec.Struct, gc=False):
    model: _Model


_version_reply = msgspec.json.Decoder(_VersionReply)
_versions_reply = msgspec.json.Decoder(_VersionsReply)
_model_reply = msgspec.json.Decoder(_ModelReply)
_anything = msgspec.json.Decoder(dict[str, object])
_registrations = msgspec.json.Decoder(list[_Registration])


def read_model_version(body: Body) -> ModelVersion:
    """The version in a reply of model-versions/get or registered-models/alias."""
    return _to_version(decode(_version_reply, body).model_version)


def read_model_versions(body: Body) -> ModelVersions:
    """The versions in a reply of model-versions/search: no more than this page."""
    reply = decode(_versions_reply, body)
    if reply.model_versions is None and (beside := decode(_anything, body).keys()):
        raise WireError(f"a list is missing beside {sorted(beside)}")  # one that is empty is left out
    versions = tuple(map(_to_version, reply.model_versions or ()))
    return ModelVersions(versions, is_complete=not reply.next_page_token)


def read_logged_model(body: Body) -> LoggedModel:
    """The model in a reply of logged-models/{model_id}."""
    info = decode(_model_reply, body).model.info
    if not info.model_id:
        raise WireError("a logged model has no id")
    tags = _texts(info.tags)
    return LoggedModel(
        model_id=info.model_id,
        source_run_id=info.source_run_id or "",
        artifact_uri=info.artifact_uri or "",
        experiment_id=_text(info.experiment_id),
        name=info.name or "",
        status=_text(info.status),
        model_type=info.model_type or "",
        tags=tags,
        versions=_versions(info.registrations, tags),
        created_ms=time_of(info.creation_timestamp_ms),
    )


def _to_version(one: _Version) -> ModelVersion:
    version = str(one.version)
    if not one.name or not version:
        raise WireError("a model version has no name or no number")
    return ModelVersion(
        name=one.name,
        version=version,
        run_id=one.run_id or "",
        source=one.source or "",
        model_id=one.model_id or "",
        status=one.status or "",
        stage=one.current_stage or "",
        aliases=tuple(one.aliases or ()),
        tags=_texts(one.tags),
        created_ms=time_of(one.creation_timestamp),
    )


def _versions(
    registrations: Sequence[_Registration] | None, tags: dict[str, str]
) -> tuple[tuple[str, str], ...]:
    if not registrations:
        try:
            registrations = _registrations.decode(tags.get(_VERSIONS_TAG, "[]"))
        except msgspec.DecodeError:  # anybody may set a tag
            registrations = ()
    return tuple([(one.name, str(one.version)) for one in registrations])


def _texts(pairs: Sequence[_Pair] | None) -> dict[str, str]:
    return {pair.key: pair.value or "" for pair in pairs or ()}


def _text(value: _Text) -> str:
    return "" if value is None else str(value)
