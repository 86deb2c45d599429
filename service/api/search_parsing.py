"""Searches as callers write them, in a query or in a body, into what is asked of the tracking room."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final, Literal, TypeVar
from urllib.parse import parse_qsl

import msgspec

from service.api.field_schemas import FieldParameters
from service.api.lineage_schemas import LineageParameters
from service.api.parsing import parse_json, validated
from service.api.search_schemas import (
    EXPERIMENT_ID_PATTERN,
    MAX_EXPERIMENTS,
    GroupParameters,
    SearchParameters,
    SearchRequest,
)
from service.api.strategy_schemas import StrategyParameters
from service.errors import FieldError, InvalidRequest, shorten
from service.tracking.directions import Directions
from service.tracking.search.expressions import Expression
from service.tracking.search.fields import Field, FieldKind
from service.tracking.search.lexing import FilterError
from service.tracking.search.listing import (
    Choice,
    parse_fields,
    parse_group_order,
    parse_names,
    parse_order,
)
from service.tracking.search.parsing import parse_filter
from service.tracking.search.queries import (
    FIELD_KINDS,
    START_TIME,
    FieldSearch,
    Grouping,
    GroupOrder,
    Order,
    RunSearch,
)

T = TypeVar("T")
Texts = str | Sequence[str]

MAX_FACETS: Final = 10
MAX_GROUPED_BY: Final = 3
MAX_GROUPED_METRICS: Final = 20

_JOINED: Final = frozenset(
    {"order_by", "fields", "facets", "experiment_id", "by", "metrics", "run_type", "ignore", "kind"}
)
_EXPERIMENT_ID = re.compile(EXPERIMENT_ID_PATTERN, re.ASCII)
_NEWEST_FIRST: Final = (Order(START_TIME, descending=True),)
_STRATEGY: Final = "tags.strategy_id"
_NONE: Final[tuple[Any, ...]] = ()


class SearchQuery(msgspec.Struct, frozen=True, gc=False, cache_hash=True):
    """A search that was read. place: where it stood, "query" or "body". choice: None for a whole run.

    experiment_ids: () for the default one. page_token: "" for the first page; the tracking room reads it.
    """

    place: str
    experiment_ids: tuple[str, ...]
    filter: Expression | None
    order: tuple[Order, ...]
    page_size: int
    page_token: str
    choice: Choice | None
    facets: tuple[Field, ...]
    format: Literal["rows", "columns"]

    def of(self, experiment_ids: tuple[str, ...]) -> RunSearch:
        """The search in these experiments, from its first page on."""
        search = RunSearch(experiment_ids, self.filter, self.order, self.page_size, None, facets=self.facets)
        if self.choice is None:
            return search
        return msgspec.structs.replace(search, selection=self.choice.selection)


class GroupQuery(msgspec.Struct, frozen=True, gc=False, cache_hash=True):
    """Groups that were asked for. grouping: from its first page on, in no experiment yet."""

    experiment_ids: tuple[str, ...]
    grouping: Grouping
    page_token: str

    def of(self, experiment_ids: tuple[str, ...]) -> Grouping:
        """The groups in these experiments, from the first page on."""
        return msgspec.structs.replace(self.grouping, experiment_ids=experiment_ids)


class LineageQuery(msgspec.Struct, frozen=True, gc=False, cache_hash=True):
    """A reference that was asked for. experiment_ids: () for wherever it is found."""

    ref: str
    experiment_ids: tuple[str, ...]


def search_of_query(query_string: str) -> SearchQuery:
    """The search in a query. InvalidRequest, with every fault that was found."""
    given = validated(SearchParameters, parameters_of(query_string), "query")
    experiments = given.experiment_id.split(",") if given.experiment_id else []
    return _search(given, given.order_by or "", given.fields or "", given.facets or "", experiments, "query")


def search_of_body(body: bytes) -> SearchQuery:
    """The search in a JSON body. MalformedBody, or InvalidRequest as above."""
    given = parse_json(SearchRequest, body)
    return _search(given, given.order_by, given.fields, given.facets, given.experiment_id, "body")


def lineage_of_query(query_string: str) -> LineageQuery:
    """The reference in a query, and where to look for it. InvalidRequest as above."""
    given = validated(LineageParameters, parameters_of(query_string), "query")
    read = Reader("query")
    experiments = given.experiment_id.split(",") if given.experiment_id else []
    experiment_ids = read("experiment_id", lambda: experiment_ids_of(experiments), _NONE)
    read.end()
    return LineageQuery(given.ref, experiment_ids)


def fields_of_query(query_string: str) -> FieldSearch:
    """The fields in a query, in the experiments that it names: () for the default one."""
    given = validated(FieldParameters, parameters_of(query_string), "query")
    read = Reader("query")
    expression = read("filter", lambda: parse_filter(given.filter or ""), None)
    kinds: tuple[FieldKind, ...] = read("kind", lambda: _kinds(given.kind or ""), FIELD_KINDS)
    experiments = given.experiment_id.split(",") if given.experiment_id else []
    experiment_ids = read("experiment_id", lambda: experiment_ids_of(experiments), _NONE)
    read.end()
    return FieldSearch(experiment_ids, expression, kinds, (given.contains or "").lower(), given.limit)


def groups_of_query(query_string: str, directions: Directions) -> GroupQuery:
    """The groups in a query. directions: of the metrics. InvalidRequest as above."""
    given = validated(GroupParameters, parameters_of(query_string), "query")
    return _groups(given, given.by, directions)


def strategies_of_query(query_string: str, directions: Directions) -> GroupQuery:
    """The groups by strategy in a query, as above."""
    return _groups(validated(StrategyParameters, parameters_of(query_string), "query"), _STRATEGY, directions)


def _groups(given: GroupParameters | StrategyParameters, by_names: str, directions: Directions) -> GroupQuery:
    read = Reader("query")
    by = read("by", lambda: _some(parse_names(by_names, MAX_GROUPED_BY)), _NONE)
    metrics = read("metrics", lambda: _metrics(given.metrics or ""), _NONE)
    expression = read("filter", lambda: parse_filter(given.filter or ""), None)
    order = read("order_by", lambda: _group_order(given.order_by or "", metrics), GroupOrder())
    experiments = given.experiment_id.split(",") if given.experiment_id else []
    experiment_ids = read("experiment_id", lambda: experiment_ids_of(experiments), _NONE)
    read.end()
    directed = tuple((name, directions(name)) for name in metrics)
    grouping = Grouping((), by, directed, expression, order, given.page_size)
    return GroupQuery(experiment_ids, grouping, given.page_token or "")


class Reader:
    """Reads one part of a request after another, and says in the end what is wrong with all of them."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._errors: list[FieldError] = []

    def __call__(self, name: str, read: Callable[[], T], instead: T) -> T:
        """What `read` returns, or the value instead of it where it raises FilterError or ValueError."""
        location = f"{self._place}.{name}"
        try:
            return read()
        except FilterError as error:
            self._errors.append(FieldError(location, str(error), error.position))
        except ValueError as error:
            self._errors.append(FieldError(location, str(error)))
        return instead

    def end(self) -> None:
        """InvalidRequest where something was wrong."""
        if self._errors:
            raise InvalidRequest(self._errors)


def _search(
    given: SearchParameters | SearchRequest,
    order_by: Texts,
    fields: Texts,
    facets: Texts,
    experiments: Sequence[str],
    place: str,
) -> SearchQuery:
    read = Reader(place)
    expression = read("filter", lambda: parse_filter(given.filter or ""), None)
    order = read("order_by", lambda: parse_order(order_by) or _NEWEST_FIRST, _NONE)
    choice = read("fields", lambda: parse_fields(fields) if fields else None, None)
    counted = read("facets", lambda: parse_names(facets, MAX_FACETS), _NONE)
    experiment_ids = read("experiment_id", lambda: experiment_ids_of(experiments), _NONE)
    read.end()
    return SearchQuery(
        place,
        experiment_ids,
        expression,
        order,
        given.page_size,
        given.page_token or "",
        choice,
        counted,
        given.format.root,
    )


def parameters_of(query_string: str) -> dict[str, str]:
    """The parameters of a query. Lists that come in several are one; else the first value counts."""
    pairs = parse_qsl(query_string, keep_blank_values=True)
    parameters = dict(reversed(pairs))
    for name in _JOINED & parameters.keys():
        parameters[name] = ",".join(value for other, value in pairs if other == name and value)
    return parameters


def experiment_ids_of(given: Sequence[str]) -> tuple[str, ...]:
    ids = tuple(dict.fromkeys(one.strip() for one in given))
    if len(ids) > MAX_EXPERIMENTS:
        raise ValueError(f"at most {MAX_EXPERIMENTS} experiments")
    if not all(map(_EXPERIMENT_ID.fullmatch, ids)):
        raise ValueError("must be the ids of experiments, which are whole numbers")
    return ids


def _kinds(text: str) -> tuple[FieldKind, ...]:
    """Kinds of fields with commas between, in the order of the answer."""
    named = {kind for one in text.split(",") if (kind := one.strip())}
    if unknown := sorted(named - set(FIELD_KINDS)):
        raise ValueError(f"must be of {', '.join(FIELD_KINDS)}, and not {shorten(unknown[0])}")
    return tuple(kind for kind in FIELD_KINDS if kind in named or not named)


def _some(fields: tuple[Field, ...]) -> tuple[Field, ...]:
    if not fields:
        raise ValueError("must name a field")
    return fields


def _metrics(text: str) -> tuple[str, ...]:
    """Names of metrics, with commas between."""
    names = tuple(dict.fromkeys(name for one in text.split(",") if (name := one.strip())))
    if len(names) > MAX_GROUPED_METRICS:
        raise ValueError(f"at most {MAX_GROUPED_METRICS} metrics")
    return names


def _group_order(text: str, metrics: tuple[str, ...]) -> GroupOrder:
    order = parse_group_order(text) if text.strip() else GroupOrder()
    if order.metric is not None and order.metric not in metrics:
        raise ValueError(f"{Field(FieldKind.METRIC, order.metric)} must be among the metrics asked for")
    return order
