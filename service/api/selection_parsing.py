"""What is asked about the best trial of a strategy, from a query into the tracking room's terms."""

from __future__ import annotations

import msgspec

from service.api.parsing import validated
from service.api.search_parsing import Reader, experiment_ids_of, parameters_of
from service.api.selection_schemas import SelectionParameters
from service.tracking.analysis.declared import Declaration
from service.tracking.analysis.reading_selection import SelectionQuestion
from service.tracking.search.parsing import parse_filter

MOST_RUN_TYPES = 20


class SelectionQuery(msgspec.Struct, frozen=True, gc=False, cache_hash=True):
    """What was asked. experiment_ids: () for the default one."""

    experiment_ids: tuple[str, ...]
    question: SelectionQuestion


def selection_of_query(query_string: str) -> SelectionQuery:
    """The question in a query. InvalidRequest, with every fault that was found."""
    given = validated(SelectionParameters, parameters_of(query_string), "query")
    read = Reader("query")
    expression = read("filter", lambda: parse_filter(given.filter or ""), None)
    experiments = given.experiment_id.split(",") if given.experiment_id else []
    none: tuple[str, ...] = ()
    experiment_ids = read("experiment_id", lambda: experiment_ids_of(experiments), none)
    run_types = read("run_type", lambda: _run_types(given.run_type or ""), none)
    autocorrelation = read("autocorrelation", lambda: _autocorrelation(given), None)
    read.end()
    declared = Declaration(
        given.unit,
        given.periods_per_year,
        given.observations,
        given.skew,
        given.kurtosis,
        given.kurtosis_convention,
    )
    question = SelectionQuestion(
        given.metric,
        declared,
        given.benchmark,
        given.target,
        given.alpha,
        given.method,
        autocorrelation,
        given.fold_metric or None,
        run_types,
        expression,
    )
    return SelectionQuery(experiment_ids, question)


def _run_types(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name for one in text.split(",") if (name := one.strip())))
    if len(names) > MOST_RUN_TYPES:
        raise ValueError(f"at most {MOST_RUN_TYPES} run types")
    return names


def _autocorrelation(given: SelectionParameters) -> float | None:
    if given.autocorrelation is not None and given.method != "ldp2025":
        raise ValueError("only method=ldp2025 takes it")
    return given.autocorrelation
