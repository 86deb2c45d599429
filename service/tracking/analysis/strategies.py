"""The strategies that runs belong to, each as a group of its runs with the kinds of runs that it has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from service.answer import Answer, combine
from service.checkpoint import checkpoint
from service.tracking.search.expressions import And, Comparison, Expression, Operator
from service.tracking.search.fields import Field, FieldKind
from service.tracking.search.queries import Group, Grouping, IndexStatus
from service.tracking.search.searches import RunSearches

STRATEGY_ID: Final = Field(FieldKind.TAG, "strategy_id")
RUN_TYPE: Final = Field(FieldKind.TAG, "run_type")

_UNKNOWN: Final = "unknown"  # what a run without the tag is called elsewhere, too
_AT_ONCE: Final = 200  # groups that are read in one turn of the loop
_PART: Final = "experiment_id"


class Strategy(msgspec.Struct, frozen=True, gc=False):
    """A strategy. group: its runs, whose key is its id. run_types: how many runs it has of each."""

    group: Group
    run_types: Mapping[str, int]


class FoundStrategies(msgspec.Struct, frozen=True, gc=False):
    """A page of strategies. total: of all pages. next_page_token: None on the last page."""

    strategies: tuple[Strategy, ...]
    total: int
    next_page_token: str | None
    index: IndexStatus


async def strategies_of(
    searches: RunSearches, grouping: Grouping, page_token: str
) -> Answer[FoundStrategies]:
    """A page of the strategies of a grouping by strategy_id: runs that have none are left out.

    As RunSearches.groups.
    """
    has_one = Comparison(STRATEGY_ID, Operator.IS_NOT_NULL)
    grouping = msgspec.structs.replace(grouping, filter=_both(grouping.filter, has_one))
    answer = await searches.groups(grouping, page_token, part=_PART)
    found = answer.value
    run_types = await _run_types(searches, grouping, found.groups)
    strategies = tuple(Strategy(group, run_types[str(group.key[0])]) for group in found.groups)
    value = FoundStrategies(strategies, found.total, found.next_page_token, found.index)
    return combine(value, [answer])


async def _run_types(
    searches: RunSearches, grouping: Grouping, groups: tuple[Group, ...]
) -> dict[str, dict[str, int]]:
    """How many runs of each type each strategy of the page has, by its id, the most frequent first."""
    run_types: dict[str, dict[str, int]] = {str(group.key[0]): {} for group in groups}
    if not groups:
        return run_types
    of_page = Comparison(STRATEGY_ID, Operator.IN, tuple(run_types))
    by_type = Grouping(
        grouping.experiment_ids,
        (STRATEGY_ID, RUN_TYPE),
        filter=_both(grouping.filter, of_page),
        page_size=_AT_ONCE,
    )
    token: str | None = ""
    while token is not None:
        await checkpoint()
        found = (await searches.groups(by_type, token, part=_PART)).value
        for group in found.groups:
            strategy_id, run_type = group.key
            of_strategy = run_types[str(strategy_id)]
            name = _UNKNOWN if run_type is None else str(run_type)
            of_strategy[name] = of_strategy.get(name, 0) + group.runs
        token = found.next_page_token
    return run_types


def _both(one: Expression | None, other: Expression) -> Expression:
    return other if one is None else And((other, one))
