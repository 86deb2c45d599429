"""Whether a run says all that is needed to find again what it was made of. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from service.tracking.lineage.traits import LINEAGE_TAGS, tagged, uncommitted
from service.tracking.names import words_of
from service.tracking.runs import Run

_SEEDS = ({"seed"}, {"random", "state"})


class Completeness(msgspec.Struct, frozen=True, gc=False):
    """What a run says of its lineage, and what it does not say.

    present: the lineage tags that it bears, with their values. missing: the others. stand_ins: of tags that
    are missing, MLflow's own tag that says the same. has_uncommitted_changes: of the code; None where no tag
    says it. uncommitted_by: the tag that does. datasets, models: how many MLflow has recorded as inputs and
    outputs. seeds: the params whose names say that they are seeds.
    """

    run_id: str
    present: Mapping[str, str]
    missing: tuple[str, ...]
    stand_ins: Mapping[str, str]
    has_uncommitted_changes: bool | None
    uncommitted_by: str | None
    datasets: int
    models: int
    params: int
    seeds: tuple[str, ...]


def completeness_of(run: Run) -> Completeness:
    """What a run says of its lineage."""
    found = {tag: one for tag in LINEAGE_TAGS if (one := tagged(run, tag)) is not None}
    code, recorded = uncommitted(run), run.recorded
    return Completeness(
        run.run_id,
        {tag: one.value for tag, one in found.items()},
        tuple([tag for tag in LINEAGE_TAGS if tag not in found]),
        {tag: one.tag for tag, one in found.items() if one.tag != tag},
        code.value,
        code.tag,
        0 if recorded is None else len(recorded.datasets),
        0 if recorded is None else len(recorded.model_inputs) + len(recorded.model_outputs),
        len(run.params),
        seeds_of(run),
    )


def seeds_of(run: Run) -> tuple[str, ...]:
    """The params of a run whose names say that they are seeds."""
    return tuple([name for name in run.params if _is_seed(name)])


def _is_seed(name: str) -> bool:
    words = set(words_of(name))
    return any(seed <= words for seed in _SEEDS)
