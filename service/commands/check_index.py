"""What `check` says about the index: what it would hold, where its snapshot lies, or that there is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from service.settings.index import ALL
from service.settings.load import Settings
from service.tracking.runs import Experiment

Say = Callable[[str], object]

_PER_RUN = 1_000  # bytes, about
_SHOWN = 5  # names of experiments, at most


def size(settings: Settings) -> str:
    """How large the index may become, in a few words."""
    index = settings.index
    if not index.enabled:
        return "off"
    return f"at most {index.max_bytes / 2**20:,.0f} MiB, about {_rounded(index.max_bytes // _PER_RUN):,} runs"


def report_snapshot(settings: Settings, say: Say, *, is_local: bool) -> None:
    """Say where the snapshot lies. is_local: whether MLflow is a local one, over a store."""
    if not settings.index.enabled:
        return
    if settings.index.snapshot_dir is not None:
        say(f"ok  index: its snapshot lies in {settings.index.snapshot_dir}, which can be written")
    elif is_local:
        say("ok  index: its snapshot lies beside the store")
    else:
        say("ok  index: each start reads every run; TRACKING_INDEX__SNAPSHOT_DIR would spare MLflow that")


def needs_list(settings: Settings) -> bool:
    """Whether the experiments of MLflow have to be known, to say which of them are indexed."""
    return settings.index.enabled and bool(settings.index.names)


def report_experiments(settings: Settings, experiments: Sequence[Experiment], say: Say) -> None:
    """Say which of MLflow's active experiments are indexed, and which names are none of them.

    How many runs they have cannot be said: MLflow does not count them.
    """
    names = settings.index.names
    existing = [one.name for one in experiments]
    if names == (ALL,):
        say(f"ok  index: holds every experiment, {len(existing)} of them now")
        return
    held = [name for name in names if name in existing]
    if held:
        more = f" and {len(held) - _SHOWN} more" if len(held) > _SHOWN else ""
        say(f"ok  index: holds {', '.join(map(repr, held[:_SHOWN]))}{more}")
    for name in names:
        if name not in existing:
            say(f"??  index: TRACKING_INDEX__EXPERIMENTS names {name!r}, and MLflow has no such experiment")
    default = settings.mlflow_experiment_name
    if default not in names:
        say(f"??  index: TRACKING_INDEX__EXPERIMENTS does not name {default!r}, the default experiment")


def _rounded(number: int) -> int:
    """To two digits."""
    unit: int = 10 ** max(len(str(number)) - 2, 0)
    return number // unit * unit
