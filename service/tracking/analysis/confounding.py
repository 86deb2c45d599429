"""What cannot be told apart: parameters that never varied, and those that moved together. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from service.tracking.analysis.computed import TOO_MANY, Method, Reason
from service.tracking.analysis.configurations import Codes, Configurations, Factor, Floats, Level
from service.tracking.analysis.ranks import ranks_of
from service.tracking.search.fields import Field

TOGETHER: Final = 0.9
FEWEST: Final = 4  # configurations: below, everything moves together
MOST_BINS: Final = 10  # values of a number that are compared one by one; more are compared by fifths
_FIFTHS: Final = 5
_LAID_OUT: Final = 4_096  # cells of a table that is laid out whole
MOST_GROUPS: Final = 100
MOST_COMPARED: Final = 200  # parameters of a run type: 20,000 pairs of them take 0.4 s

METHOD: Final = Method(
    "moving together",
    "Spearman 1904 between numbers; Cramér 1946, Mathematical Methods of Statistics, between any two",
    {"from": TOGETHER, "missing": "a value of its own", "more_than_10_numbers": "compared by fifths"},
)
_TOO_MANY: Final = Reason(
    TOO_MANY, f"only the first {MOST_COMPARED} parameters of a run type were compared; ignore some of them"
)


class Constant(msgspec.Struct, frozen=True, gc=False):
    """A parameter that had one value in all configurations of a run type, so that nothing is known of it."""

    run_type: str
    field: Field
    level: Level


class Group(msgspec.Struct, frozen=True, gc=False):
    """Parameters that moved together within a run type, so that what they did cannot be told apart.

    strength: the larger of |Spearman| and Cramér's V, of the two that are linked least.
    """

    run_type: str
    fields: tuple[Field, ...]
    strength: float


class Table(NamedTuple):
    """Values that are counted. weights: of each value, 1 / the number of times that it came up."""

    codes: NDArray[np.int64]
    levels: int
    weights: Floats


class Ignored(msgspec.Struct, frozen=True, gc=False):
    """What was not compared, since it says no more than the rest or names its run."""

    run_type: str
    field: Field


class Confounded(msgspec.Struct, frozen=True, gc=False):
    """What no statistic of these runs can tell apart. reason: why not all is known; None where it is."""

    constant: tuple[Constant, ...]
    together: tuple[Group, ...]
    ignored: tuple[Ignored, ...]
    reason: Reason | None = None


def confounded_in(strata: Sequence[Configurations]) -> Confounded:
    """What never varied and what moved together, run type by run type; the largest groups first.

    Two parameters are compared where each has values that came up twice on average; a parameter that is
    another one in nearly every configuration goes along with everything.
    """
    groups = [group for each in strata for group in _groups(each)]
    return Confounded(
        tuple(Constant(each.run_type, *constant) for each in strata for constant in each.constants),
        tuple(sorted(groups, key=lambda group: (-len(group.fields), -group.strength))),
        tuple(Ignored(each.run_type, field) for each in strata for field in each.ignored),
        _TOO_MANY if any(len(each.factors) > MOST_COMPARED for each in strata) else None,
    )


def _groups(configurations: Configurations) -> Iterator[Group]:
    factors = configurations.factors
    if len(configurations.values) < FEWEST:
        return
    links = {frozenset(places): strength for strength, *places in _links(factors, len(configurations.values))}
    for members in _cliques(links):
        fields = tuple(factors[member].field for member in sorted(members))
        strength = min(links[frozenset(link)] for link in combinations(members, 2))
        yield Group(configurations.run_type, fields, strength)


def _cliques(links: Mapping[frozenset[int], float]) -> list[set[int]]:
    """Groups of which each two members are linked, the strongest links first; a member may be in several.

    Each link is within a group, but where there are more than MOST_GROUPS.
    """
    groups: list[set[int]] = []
    for link in sorted(links, key=lambda link: (-links[link], sorted(link))):
        if any(link <= group for group in groups):
            continue
        joined = False
        for group in groups:
            if link & group and all(frozenset((*(link - group), member)) in links for member in group):
                group.update(link)
                joined = True
        if not joined and len(groups) < MOST_GROUPS:
            groups.append(set(link))
    return groups


def _links(factors: Sequence[Factor], n: int) -> Iterator[tuple[float, int, int]]:
    """Each two factors that move together: how much, and their places."""
    strengths = np.zeros((len(factors), len(factors)))
    numbers = [place for place, factor in enumerate(factors) if factor.is_number and not factor.has_missing]
    if numbers:
        ranks = np.stack([ranks_of(factors[place].codes) for place in numbers])
        strengths[np.ix_(numbers, numbers)] = np.abs(np.atleast_2d(np.corrcoef(ranks)))
    tables = {
        place: table
        for place, factor in enumerate(factors[:MOST_COMPARED])
        if (table := _table(factor)).levels * 2 <= n
    }
    for one, other in combinations(tables, 2):
        strengths[one, other] = max(strengths[one, other], cramers_v(tables[one], tables[other]))
    for one, other in np.argwhere(np.triu(strengths, 1) >= TOGETHER).tolist():
        yield min(1.0, float(strengths[one, other])), one, other


def _table(factor: Factor) -> Table:
    """The factor as few values that can be counted."""
    if not factor.is_number or len(factor.levels) <= MOST_BINS:
        return table_of(factor.codes)
    is_there = factor.codes > 0 if factor.has_missing else np.full(len(factor.codes), True)
    fifths = np.zeros(len(factor.codes), np.int32)
    fifths[is_there] = 1 + np.ceil(ranks_of(factor.codes[is_there]) * _FIFTHS / is_there.sum())
    return table_of(np.unique(fifths, return_inverse=True)[1].ravel().astype(np.int32))


def table_of(codes: Codes) -> Table:
    """codes: numbers from 0 on, each of which up to the largest is in use."""
    counts = np.bincount(codes)
    return Table(codes.astype(np.int64), len(counts), 1 / counts)


def cramers_v(x: Table, y: Table) -> float:
    """Cramér's V of two factors, 0 to 1, without correction; 0 where either has one level.

    Chi squared / n is the sum of O² / (row · column) over all cells, less one.
    """
    least = min(x.levels, y.levels) - 1
    if least < 1:
        return 0.0
    cells = x.codes * y.levels + y.codes
    if x.levels * y.levels <= _LAID_OUT:
        observed = np.bincount(cells, minlength=x.levels * y.levels).reshape(x.levels, y.levels)
        total = float(x.weights @ (observed * observed) @ y.weights)
    else:
        used, counts = np.unique(cells, return_counts=True)
        total = float((counts**2 * x.weights[used // y.levels] * y.weights[used % y.levels]).sum())
    return math.sqrt(min(1.0, max(0.0, (total - 1) / least)))
