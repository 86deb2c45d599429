"""The forms in which a list can be asked for: in full, and without what some servers refuse.

GitLab wants another order_by and has no filters, Databricks does not sort experiments by their creation, and
FastTrackML refuses a value with " and " in it. What is left out of a question is made up for by the client.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from service.tracking.questions import ListRuns, SearchRuns
from service.upstream import filters
from service.upstream.conditions import filter_text

_BELIEVED = 600.0  # seconds for which a refusal is remembered: the server may be another one then


class Form(NamedTuple):
    """One way to ask. parts: what it has that a server may refuse. is_full: it says all of what is wanted."""

    parts: frozenset[str]
    body: dict[str, Any]
    is_full: bool = True


class Refusals:
    """What this server was found to refuse lately. clock: seconds, monotonic."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: dict[str, float] = {}

    def among(self, forms: Sequence[Form]) -> list[Form]:
        """The forms without what is refused, at least the last of them."""
        now = self._clock()
        refused = {part for part, until in self._until.items() if until > now}
        return [form for form in forms[:-1] if not form.parts & refused] + [forms[-1]]

    def note(self, refused: Form, taken: Form) -> None:
        """One form was refused, another was not: what the second lacks is not asked for again for a while."""
        self._until |= dict.fromkeys(refused.parts - taken.parts, self._clock() + _BELIEVED)


def of_runs(question: ListRuns) -> list[Form]:
    """The forms of runs/search for a question, the fullest first; the last asks for a whole experiment."""
    tags = question.tags
    start_time = None if question.after is None else question.after.start_time
    exact, pattern = filters.by_tags(tags), filters.by_patterns(tags)
    none = filters.Filter("", exact=not tags)
    order: dict[str, Any] = {"order_by": ["attributes.start_time DESC"]}
    view: dict[str, Any] = {"run_view_type": "ACTIVE_ONLY"}
    ways = [
        (exact, view | order),
        *([(pattern, view | order)] if pattern != exact else []),
        (exact, view),
        *([(none, view | order)] if tags else []),
    ]
    later = [] if start_time is None else [_of_runs(question, *way, start_time) for way in ways]
    return [*later, *(_of_runs(question, *way) for way in ways), _of_runs(question, none, {})]


def _of_runs(
    question: ListRuns, wanted: filters.Filter, optional: dict[str, Any], until: int | None = None
) -> Form:
    """One of them. until: the start that MLflow is told to begin at."""
    filter_ = wanted if until is None else wanted.until(until)
    body = {"experiment_ids": [question.experiment_id], "filter": filter_.text, **optional}
    parts = set(optional)
    if wanted.text:
        is_plain = all(map(filters.is_plain, question.tags.values()))
        parts.add("filter" if is_plain else "quoting" if wanted.exact else "pattern")
    if until is not None:
        parts.add("start_time")
    is_full = (
        "order_by" in optional
        and bool(wanted.text or not question.tags)
        and (until is not None or question.after is None)
    )
    return Form(frozenset(parts), body, is_full)


def of_search(question: SearchRuns) -> dict[str, Any]:
    """The body of runs/search for a page; there is no second form, since nothing makes up for a first."""
    order = [f"{field} {'DESC' if descending else 'ASC'}" for field, descending in question.order]
    body: dict[str, Any] = {
        "experiment_ids": list(question.experiment_ids),
        "filter": filter_text(question.conditions),
        "run_view_type": "ACTIVE_ONLY",
        "order_by": order or ["attributes.start_time DESC"],
        "max_results": question.limit,
    }
    return body | ({"page_token": question.page_token} if question.page_token else {})


def of_experiments() -> list[Form]:
    """The forms of experiments/search."""
    view, order = {"view_type": "ACTIVE_ONLY"}, {"order_by": ["creation_time ASC"]}
    bodies: list[dict[str, Any]] = [{**view, **order}, view, {}]
    return [Form(frozenset(f"experiments.{part}" for part in body), body) for body in bodies]
