"""Which change did it: what the trials of a strategy tell of their parameters. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from service.tracking.analysis.associations import FEWEST, Association, associations_of
from service.tracking.analysis.computed import TOO_FEW_TRIALS, Reason
from service.tracking.analysis.configurations import Configurations, configurations_of
from service.tracking.analysis.confounding import Confounded, confounded_in
from service.tracking.analysis.pairs import Change, changes_of
from service.tracking.directions import Direction
from service.tracking.runs import Run
from service.tracking.search.fields import Field


class Stratum(msgspec.Struct, frozen=True, gc=False):
    """The runs of one type that are compared with each other.

    runs: those that finished with a value of the metric. configurations: how many different ones they are.
    reason: why there are no associations; None where there are.
    """

    run_type: str
    runs: int
    configurations: int
    reason: Reason | None


class Drivers(msgspec.Struct, frozen=True, gc=False):
    """What changed the metric, as far as the runs tell.

    runs: of the strategy. used: those that are compared; the others have not finished or lack the metric.
    total_changes: how many there are, of which `changes` has those that matter most.
    """

    runs: int
    used: int
    strata: tuple[Stratum, ...]
    changes: tuple[Change, ...]
    total_changes: int
    associations: tuple[Association, ...]
    confounded: Confounded


def drivers_of(
    runs: Sequence[Run], metric: str, direction: Direction, ignore: Collection[Field] = ()
) -> Drivers:
    """What drove the metric among these runs. ignore: parameters and tags that are results, and no causes."""
    configurations = configurations_of(runs, metric, ignore)
    strata = tuple(map(_stratum, configurations))
    changes = changes_of(configurations, direction)
    return Drivers(
        len(runs),
        sum(stratum.runs for stratum in strata),
        strata,
        changes.changes,
        changes.total,
        associations_of(configurations, direction),
        confounded_in(configurations),
    )


def _stratum(configurations: Configurations) -> Stratum:
    n = len(configurations.values)
    reason = None
    if n < FEWEST:
        text = f"an association needs {FEWEST} configurations, and there {'is' if n == 1 else 'are'} {n}"
        reason = Reason(TOO_FEW_TRIALS, text)
    return Stratum(configurations.run_type, int(configurations.runs.sum()), n, reason)
