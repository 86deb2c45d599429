"""The session of a run: the runs that share what it comes from, and its relatives. Pure.

A run belongs to a session where it differs in no trait that both have, and shares the strategy (where the
session has one) and one trait more (where the session has more). So a training without a signal belongs to
the session of a backtest with one, and the training of another model does not. Parents, children and siblings
(`mlflow.parentRunId`) belong to it whatever they bear.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

import msgspec

from service.tracking.lineage.traits import (
    PARENT_TAG,
    SHORTEST_COMMIT,
    Tagged,
    Trait,
    commit_of,
    is_same,
    tags_of,
    traits_of,
)
from service.tracking.runs import Run
from service.tracking.search.expressions import And, Comparison, Expression, Operator, Or
from service.tracking.search.fields import Field, FieldKind

# In this order, and all others behind them by name.
_RUN_TYPES: Final = ("training", "walk_forward", "cpcv", "backtest")
# What is not plain cannot be written safely in MLflow's grammar: any character may stand for the odd ones.
_PLAIN = re.compile(r"[^\s'\"\\]*")
_PATTERN: Final = str.maketrans({chr(code): "_" for code in range(128) if not chr(code).isalnum()})


class Relation(StrEnum):
    """What a run is to the run of the session by `mlflow.parentRunId`."""

    ITSELF = "itself"
    PARENT = "parent"
    CHILD = "child"
    SIBLING = "sibling"


class Member(msgspec.Struct, frozen=True, gc=False):
    """A run of a session, what it shares with it, and what it is to it; None where it is no relative."""

    run: Run
    shares: tuple[Trait, ...]
    relation: Relation | None = None


class Session(msgspec.Struct, frozen=True, gc=False):
    """The session of a run. traits: what that run bears. by_type: by run type, in time order."""

    of: Run
    traits: Mapping[Trait, Tagged]
    by_type: tuple[tuple[str, tuple[Member, ...]], ...]

    @property
    def runs(self) -> tuple[Run, ...]:
        """All its runs."""
        return tuple([member.run for _, members in self.by_type for member in members])


def session_of(run: Run, runs: Iterable[Run]) -> Session:
    """The session of a run among runs, of which some may not belong to it."""
    traits = traits_of(run)
    others = {other.run_id: other for other in runs if not other.is_deleted}
    found = [Member(run, tuple(traits), Relation.ITSELF)]
    for other in others.values():
        member = None if other.run_id == run.run_id else _member(run, traits, other)
        if member is not None:
            found.append(member)
    by_type: dict[str, list[Member]] = {}
    for member in sorted(found, key=_in_time):
        by_type.setdefault(member.run.run_type, []).append(member)
    return Session(run, traits, tuple([(one, tuple(by_type[one])) for one in sorted(by_type, key=_by_name)]))


def filter_of(run: Run) -> Expression:
    """A filter for at least the runs of the session, without the parent, for an index.

    It finds few others: those whose commit begins like this one's.
    """
    traits = traits_of(run)
    parts: list[Expression] = []
    shared = [_is(trait, one) for trait, one in traits.items() if trait is not Trait.STRATEGY]
    if strategy := traits.get(Trait.STRATEGY):
        parts.append(_is(Trait.STRATEGY, strategy))
    if shared:
        parts.append(_any(shared))
    parts += [_is_or_lacks(trait, one) for trait, one in traits.items() if trait is not Trait.STRATEGY]
    relatives = [
        Comparison(_tag(PARENT_TAG), Operator.EQ, one) for one in (run.run_id, parent_of(run)) if one
    ]
    alike = [_all(parts)] if parts else []
    return _any([*alike, *relatives])


def plain_filters_of(run: Run) -> list[Expression]:
    """Filters that only join comparisons with AND, for MLflow: of runs alike, of children, of siblings.

    Runs alike are those of the same strategy and commit; of what the run lacks, other traits take the place.
    """
    traits = traits_of(run)
    chosen: list[Expression] = [_compare(trait, *one) for trait, one in list(traits.items())[:2]]
    filters = [_all(chosen)] if chosen else []
    return [*filters, *_relatives(run)]


def parent_of(run: Run) -> str:
    """The id of the run's parent; "" where it has none."""
    return run.tags.get(PARENT_TAG, "")


def _member(run: Run, traits: Mapping[Trait, Tagged], other: Run) -> Member | None:
    own = traits_of(other)
    both = [trait for trait in traits if trait in own]
    shares = tuple([trait for trait in both if is_same(trait, traits[trait].value, own[trait].value)])
    relation = _relation(run, other)
    if relation is None and not (len(shares) == len(both) and _is_enough(traits, shares)):
        return None
    return Member(other, shares, relation)


def _is_enough(traits: Mapping[Trait, Tagged], shares: tuple[Trait, ...]) -> bool:
    if Trait.STRATEGY not in traits:
        return bool(shares)
    return Trait.STRATEGY in shares and len(shares) >= min(len(traits), 2)


def _relation(run: Run, other: Run) -> Relation | None:
    parent, of_other = parent_of(run), parent_of(other)
    if other.run_id == parent:
        return Relation.PARENT
    if of_other == run.run_id:
        return Relation.CHILD
    return Relation.SIBLING if parent and of_other == parent else None


def _relatives(run: Run) -> list[Expression]:
    """Filters for the children and the siblings of a run."""
    return [Comparison(_tag(PARENT_TAG), Operator.EQ, one) for one in (run.run_id, parent_of(run)) if one]


def _in_time(member: Member) -> tuple[float, str]:
    start = member.run.start_time
    return float("inf") if start is None else start, member.run.run_id


def _by_name(run_type: str) -> tuple[int, str]:
    return _RUN_TYPES.index(run_type) if run_type in _RUN_TYPES else len(_RUN_TYPES), run_type


def _is(trait: Trait, one: Tagged) -> Expression:
    return _any([_compare(trait, tag, one.value) for tag in tags_of(trait)])


def _is_or_lacks(trait: Trait, one: Tagged) -> Expression:
    lacks: list[Expression] = [Comparison(_tag(tag), Operator.IS_NULL) for tag in tags_of(trait)]
    return _any([_is(trait, one), _all(lacks)])


def _compare(trait: Trait, tag: str, value: str) -> Comparison:
    if trait is Trait.COMMIT:
        beginning = commit_of(value)[:SHORTEST_COMMIT].translate(_PATTERN)
        return Comparison(_tag(tag), Operator.ILIKE, f"{beginning}%")
    if _PLAIN.fullmatch(value):
        return Comparison(_tag(tag), Operator.EQ, value)
    return Comparison(_tag(tag), Operator.LIKE, value.translate(_PATTERN))


def _tag(name: str) -> Field:
    return Field(FieldKind.TAG, name)


def _any(parts: list[Expression]) -> Expression:
    return parts[0] if len(parts) == 1 else Or(tuple(parts))


def _all(parts: list[Expression]) -> Expression:
    return parts[0] if len(parts) == 1 else And(tuple(parts))
