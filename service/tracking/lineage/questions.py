"""What is asked of MLflow's model registry, of its logged models and of recorded datasets. Pure values.

Not every server has them: model versions came with MLflow 1.0, aliases with 2.3, logged models with 3.0, and
FastTrackML has none. An account may also be kept from reading them. So each of these answers may be
`NotServed`, which is neither "there is none" nor a failure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from sys import getsizeof
from typing import Any, ClassVar, Final

import msgspec

from service.tracking.codec import Codec
from service.tracking.entity import Entity, size_of_texts
from service.tracking.questions import FreshnessClass, Question
from service.tracking.runs import Run

UNSUPPORTED: Final = "unsupported"  # the server has no such endpoint
FORBIDDEN: Final = "forbidden"  # the account of this service may not read it

_SETTLED: Final = frozenset({"LOGGED_MODEL_READY", "LOGGED_MODEL_UPLOAD_FAILED"})


class NotServed(Entity, frozen=True, gc=False, tag=True):
    """MLflow does not serve this to this service. reason: UNSUPPORTED or FORBIDDEN."""

    reason: str


class ModelVersion(Entity, frozen=True, gc=False, tag=True):
    """A version of a registered model. What the server does not say is "".

    run_id: "" where it was registered without a run. source: the URI that it was registered from, such as
    `models:/m-…`, `runs:/…` or an artifact URI. model_id: of the logged model that it is a copy of.
    created_ms: Unix epoch milliseconds.
    """

    name: str
    version: str
    run_id: str = ""
    source: str = ""
    model_id: str = ""
    status: str = ""
    stage: str = ""
    aliases: tuple[str, ...] = ()
    tags: Mapping[str, str] = {}
    created_ms: int | None = None

    @property
    def footprint(self) -> int:
        """Bytes of memory that it takes."""
        return super().footprint + getsizeof(self.aliases) + size_of_texts(self.aliases)


class LoggedModel(Entity, frozen=True, gc=False, tag=True):
    """A model that was logged (MLflow 3), also one that was deleted. What the server does not say is "".

    source_run_id: the run that made it, "" where none did. status: as MLflow has it, `LOGGED_MODEL_READY`.
    versions: name and version of each model version that it was registered as. created_ms: Unix epoch
    milliseconds.
    """

    model_id: str
    source_run_id: str = ""
    artifact_uri: str = ""
    experiment_id: str = ""
    name: str = ""
    status: str = ""
    model_type: str = ""
    tags: Mapping[str, str] = {}
    versions: tuple[tuple[str, str], ...] = ()
    created_ms: int | None = None

    @property
    def footprint(self) -> int:
        """Bytes of memory that it takes."""
        return super().footprint + sum(getsizeof(pair) + size_of_texts(pair) for pair in self.versions)


class ModelVersions(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Model versions, newest first. is_complete: false where there are more than are read."""

    versions: tuple[ModelVersion, ...]
    is_complete: bool = True


class RunsOfDataset(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Active runs, newest first. is_complete: false where there are more than were asked for."""

    runs: tuple[Run, ...]
    is_complete: bool = True


class GetModelVersion(Question[ModelVersion | NotServed | None], frozen=True, gc=False):
    """This version of a registered model; None where there is none. version: such as "3"."""

    name: str
    version: str

    codec: ClassVar[Codec[Any]] = Codec(ModelVersion | NotServed | None)

    def freshness_of(self, value: ModelVersion | NotServed | None) -> FreshnessClass:
        """It ages as lists do, for aliases and tags move at any time."""
        return FreshnessClass.RUN_LIST if isinstance(value, ModelVersion) else FreshnessClass.MISSING


class GetModelByAlias(Question[ModelVersion | NotServed | None], frozen=True, gc=False):
    """The version that an alias of a registered model stands for; None where there is none.

    The alias "latest" stands for the newest version, where the server knows that.
    """

    name: str
    alias: str

    codec: ClassVar[Codec[Any]] = Codec(ModelVersion | NotServed | None)

    def freshness_of(self, value: ModelVersion | NotServed | None) -> FreshnessClass:
        """It ages as lists do: an alias is there to be moved."""
        return FreshnessClass.RUN_LIST if isinstance(value, ModelVersion) else FreshnessClass.MISSING


class GetLoggedModel(Question[LoggedModel | NotServed | None], frozen=True, gc=False):
    """The logged model of this id, such as `m-…`; None where there is none."""

    model_id: str

    codec: ClassVar[Codec[Any]] = Codec(LoggedModel | NotServed | None)

    def freshness_of(self, value: LoggedModel | NotServed | None) -> FreshnessClass:
        """One that is ready hardly ever changes any more."""
        if not isinstance(value, LoggedModel):
            return FreshnessClass.MISSING
        return FreshnessClass.ENDED_RUN if value.status in _SETTLED else FreshnessClass.ACTIVE_RUN


class SearchModelVersions(Question[ModelVersions | NotServed], frozen=True, gc=False):
    """The model versions that were registered from any of these runs."""

    run_ids: tuple[str, ...]

    codec: ClassVar[Codec[Any]] = Codec(ModelVersions | NotServed)

    def freshness_of(self, value: ModelVersions | NotServed) -> FreshnessClass:
        """It ages as lists do."""
        return FreshnessClass.MISSING if isinstance(value, NotServed) else FreshnessClass.RUN_LIST

    def entities(self, value: ModelVersions | NotServed) -> Sequence[Entity]:
        """The versions."""
        return (value,) if isinstance(value, NotServed) else value.versions

    @property
    def size(self) -> int:
        """Bytes of memory that the question takes."""
        return getsizeof(self) + getsizeof(self.run_ids) + size_of_texts(self.run_ids)


class SearchRunsOfDataset(Question[RunsOfDataset | NotServed], frozen=True, gc=False):
    """The newest active runs of some experiments that recorded a dataset of this digest: at most `limit`."""

    experiment_ids: tuple[str, ...]
    digest: str
    limit: int

    codec: ClassVar[Codec[Any]] = Codec(RunsOfDataset | NotServed)

    def freshness_of(self, value: RunsOfDataset | NotServed) -> FreshnessClass:
        """It ages as lists do."""
        return FreshnessClass.MISSING if isinstance(value, NotServed) else FreshnessClass.RUN_LIST

    def entities(self, value: RunsOfDataset | NotServed) -> Sequence[Entity]:
        """The runs."""
        return (value,) if isinstance(value, NotServed) else value.runs

    @property
    def size(self) -> int:
        """Bytes of memory that the question takes."""
        texts = (*self.experiment_ids, self.digest)
        return getsizeof(self) + getsizeof(self.experiment_ids) + size_of_texts(texts)
