"""How a metric goes along with each parameter: associations, which are no causes. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from service.tracking.analysis.computed import NOT_COMPUTABLE, TOO_FEW_TRIALS, Method, Reason
from service.tracking.analysis.configurations import Configurations, Factor, Floats
from service.tracking.analysis.ranks import benjamini_hochberg, kruskal_wallis, spearman
from service.tracking.directions import Direction
from service.tracking.search.fields import Field

FEWEST: Final = 10  # configurations that associations are computed of
FEWEST_OF_LEVEL: Final = 5  # configurations that a level is compared with

SPEARMAN: Final = Method(
    "spearman",
    "Spearman 1904, The proof and measurement of association between two things",
    {"p_value": "two-sided, Student's t with n - 2 degrees of freedom", "fewest": FEWEST},
)
KRUSKAL_WALLIS: Final = Method(
    "kruskal_wallis",
    "Kruskal and Wallis 1952, Use of ranks in one-criterion variance analysis; the value is epsilon squared, "
    "Tomczak and Tomczak 2014",
    {"p_value": "chi squared, corrected for ties", "fewest": FEWEST, "fewest_of_level": FEWEST_OF_LEVEL},
)
Q_VALUE: Final = Method(
    "benjamini_hochberg",
    "Benjamini and Hochberg 1995, Controlling the false discovery rate",
    {"over": "all associations of this answer"},
)
_FEW_LEVELS: Final = Reason(
    TOO_FEW_TRIALS, f"fewer than two values were tried in {FEWEST_OF_LEVEL} configurations each"
)
_FEW_NUMBERS: Final = Reason(
    TOO_FEW_TRIALS, f"fewer than {FEWEST} configurations have it with at least two values"
)
_SAME_METRIC: Final = Reason(NOT_COMPUTABLE, "the metric is the same in all these configurations")


class Association(msgspec.Struct, frozen=True, gc=False):
    """How far a metric goes along with a parameter, over the configurations of a run type.

    value: Spearman's rho, -1 to 1, of a parameter whose values are mostly numbers, where others are left out;
    epsilon squared, 0 to 1, of any other, where a missing value is one of its own; None for the `reason`.
    n: configurations it is of. missing: those without the parameter. q_value: the smallest false discovery
    rate at which it counts, over all associations. is_rise_better: of numbers, whether the metric gets better
    as the parameter rises.
    """

    run_type: str
    field: Field
    method: Method
    value: float | None
    n: int
    missing: int
    levels: int
    p_value: float | None
    q_value: float | None
    is_rise_better: bool | None
    reason: Reason | None


def associations_of(strata: Sequence[Configurations], direction: Direction) -> tuple[Association, ...]:
    """An association for each parameter that varies, the surest first, where there are enough configurations.

    A run type of fewer than FEWEST configurations has none.
    """
    merits = {Direction.MAX: 1, Direction.MIN: -1}
    associations = [
        _association(configurations, factor, merits.get(direction, 0))
        for configurations in strata
        if len(configurations.values) >= FEWEST
        for factor in configurations.factors
    ]
    p_values = [each.p_value for each in associations if each.p_value is not None]
    q_values = iter(benjamini_hochberg(np.array(p_values)).tolist())
    adjusted = [
        each if each.p_value is None else msgspec.structs.replace(each, q_value=next(q_values))
        for each in associations
    ]
    return tuple(sorted(adjusted, key=_order))


def _order(association: Association) -> tuple[float, float]:
    p_value, value = association.p_value, association.value
    return (2.0, 0.0) if p_value is None or value is None else (p_value, -abs(value))


def _association(configurations: Configurations, factor: Factor, merit: int) -> Association:
    missing = int((factor.codes == 0).sum()) if factor.has_missing else 0
    chosen = factor.has_number
    is_number = int(chosen.sum()) * 2 > len(chosen) - missing
    if not is_number:
        chosen = (np.bincount(factor.codes) >= FEWEST_OF_LEVEL)[factor.codes]
    codes, values = factor.codes[chosen], configurations.values[chosen]
    levels = len(np.unique(codes))
    reason: Reason | None = None
    value = p_value = rises = None
    if is_number and (len(codes) < FEWEST or levels == 1):
        reason = _FEW_NUMBERS
    elif levels < 2:  # noqa: PLR2004 # as the reason says
        reason = _FEW_LEVELS
    elif _is_constant(values):
        reason = _SAME_METRIC
    elif is_number:
        value, p_value = spearman(codes, values)
        rises = value * merit > 0 if value * merit else None
    else:
        value, p_value = kruskal_wallis(codes, values)
    return Association(
        configurations.run_type,
        factor.field,
        SPEARMAN if is_number else KRUSKAL_WALLIS,
        value,
        len(codes),
        missing,
        levels,
        p_value,
        None,
        rises,
        reason,
    )


def _is_constant(values: Floats) -> bool:
    return bool((values == values[0]).all())
