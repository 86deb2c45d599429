"""The settings of the index, in which all runs of some experiments are held in memory to be searched."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, field_validator

from service.errors import shorten
from service.settings.groups import Group, split

ALL: Final = "*"

_Share = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]
_MONTH = 31 * 86_400  # seconds
_SMALLEST = 2**20  # bytes, which hold a thousand runs


class IndexSettings(Group):
    """The settings of the index: all runs of some experiments, held in memory to be searched."""

    enabled: bool = Field(
        default=True,
        description="Hold all runs of some experiments in memory; if not, a search is handed to MLflow where "
        "MLflow can answer it, and else refused.",
    )
    experiments: str = Field(
        "",
        description="Names of the experiments whose runs are held, separated by commas; * means every "
        "experiment, and if empty it is MLFLOW_EXPERIMENT_NAME alone.",
    )
    max_bytes: int = Field(
        512 * 2**20,
        ge=_SMALLEST,
        description="Memory for the index in bytes, of which a run takes about 1,000; where there are more "
        "runs, a search is answered with 503 index_too_large.",
    )
    tick: float = Field(
        2.0,
        ge=0.1,
        le=3_600,
        allow_inf_nan=False,
        description="Seconds between two looks for new and changed runs while somebody searches; longer "
        "where SHARE would not allow it.",
    )
    share: _Share = Field(
        0.1, description="Share of the time of one MLflow worker that keeping the index may take."
    )
    first_share: _Share = Field(
        0.25, description="The same share while every run is read for the first time."
    )
    snapshot_dir: Path | None = Field(
        None,
        description="Folder for the snapshot, by which a restart need not read every run again; over a local "
        "store the store's own folder, unless set.",
    )
    snapshot_max_age: float = Field(
        86_400.0,
        ge=0,
        le=_MONTH,
        allow_inf_nan=False,
        description="Seconds after which a snapshot is not read any more.",
    )

    @field_validator("experiments")
    @classmethod
    def _are_names(cls, value: str) -> str:
        names = tuple(dict.fromkeys(split(value)))
        if ALL in names and len(names) > 1:
            raise ValueError("* cannot be combined with names, since it means every experiment")
        for name in names:
            if name[0] in "\"'" and name[0] == name[-1]:
                raise ValueError(f"{shorten(name)} has quotes around it: leave them out")
        return ",".join(names)

    @property
    def names(self) -> tuple[str, ...]:
        """The experiments' names, `*` alone for every one, none for the default experiment alone."""
        return split(self.experiments)
