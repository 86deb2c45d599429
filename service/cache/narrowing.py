"""Which questions a list of runs answers besides its own. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from service.cache.memory import Entry
from service.tracking.questions import ListRuns
from service.tracking.runs import MAX_LIMIT, Run

_MOST = MAX_LIMIT + 1  # runs that are asked for: one more than are shown tells whether there are more


class Proof(NamedTuple):
    """The answer to a question that the entry of another question proves."""

    entry: Entry[tuple[Run, ...]]
    runs: tuple[Run, ...]


def newest_proof(
    question: ListRuns,
    own: Entry[tuple[Run, ...]] | None,
    peek: Callable[[ListRuns], Entry[tuple[Run, ...]] | None],
) -> Proof | None:
    """The newest proof that is newer than the question's own entry; None where there is none.

    peek: finds the entry of a question.
    """
    newest, proof = own, None
    for other in broader(question):
        entry = peek(other)
        if entry is not None and (newest is None or entry.asked > newest.asked):
            runs = narrowed(other, entry.value, question)
            if runs is not None:
                newest, proof = entry, Proof(entry, runs)
    return proof


def broader(question: ListRuns) -> Iterator[ListRuns]:
    """The questions whose lists may answer this one: at least its limit, or fewer of its filters."""
    experiment_id, run_type, strategy_id, limit, after = (
        question.experiment_id,
        question.run_type,
        question.strategy_id,
        question.limit,
        question.after,
    )
    for larger in range(limit + 1, _MOST + 1):
        yield ListRuns(experiment_id, run_type, strategy_id, larger, after)
    for smaller in range(1, limit):
        yield ListRuns(experiment_id, run_type, strategy_id, smaller, after)
    fewer = {(run_type, None), (None, strategy_id), (None, None)} - {(run_type, strategy_id)}
    for kept_type, kept_strategy in fewer:
        for any_limit in range(1, _MOST + 1):
            yield ListRuns(experiment_id, kept_type, kept_strategy, any_limit, after)


def may_prove(held: ListRuns, asked: ListRuns) -> bool:
    """Whether some answer to `held` proves one to `asked`, which is another question."""
    return held != asked and narrowed(held, (), asked) is not None


def narrowed(held: ListRuns, runs: tuple[Run, ...], asked: ListRuns) -> tuple[Run, ...] | None:
    """The answer to `asked`, from the answer to `held`; None where that does not prove it.

    The order is fixed, so a list is the start of every longer one; and a list that came back shorter than its
    limit is complete, so that any filter can be added to it. Both lists are of the runs after one place.
    """
    if held.experiment_id != asked.experiment_id or held.after != asked.after:
        return None
    is_complete = len(runs) < held.limit
    added = asked.tags.items() - held.tags.items()
    if not held.tags.items() <= asked.tags.items() or (added and not is_complete):
        return None
    if asked.limit > held.limit and not is_complete:
        return None
    if added:
        runs = tuple(run for run in runs if all(run.tags.get(name) == value for name, value in added))
    return runs[: asked.limit]
