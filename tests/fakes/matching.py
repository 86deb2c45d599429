"""Which runs a filter matches, and the order they come in, as MLflow's SQLite store has it.

LIKE is SQLite's with case_sensitive_like on: % and _, no escape, and ILIKE folds only ASCII.
"""

import ast
import math
import operator
import re
from collections.abc import Callable, Iterable
from typing import Any

from tests.fakes.filters import END, NUMERIC_ATTRIBUTES, Clause, Token, clauses, ordering
from tests.fakes.store import RUN_NAME_TAG, Run, newest_first
from tests.fakes.wire import LARGEST, MlflowError

EQUAL = {"=": operator.eq, "!=": operator.ne}
ORDER = {**EQUAL, ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}


def literal_list(text: str) -> tuple[str, ...]:
    """MLflow hands the text of an IN list to Python's own literal_eval."""
    try:
        found = ast.literal_eval(text)
    except SyntaxError:
        raise MlflowError(
            "While parsing a list in the query, expected a non-empty list, but got ill-formed list."
        ) from None
    except ValueError as error:
        raise MlflowError(str(error), "INTERNAL_ERROR") from error
    found = found if isinstance(found, tuple) else (found,)
    if not found or not all(isinstance(one, str) for one in found):
        raise MlflowError(f"While parsing a list in the query, expected strings, but got: {found}")
    return found


def quoted(token: Token) -> str:
    if token.kind != "string":
        raise MlflowError(f"Expected a quoted string value. Got value {token.text}")
    return token.text[1:-1]


def like(pattern: str, *, fold: bool = False) -> Callable[[str], bool]:
    lower = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz") if fold else {}
    parts = {"%": ".*", "_": "."}
    regex = "".join(parts.get(char, re.escape(char)) for char in pattern.translate(lower))
    match = re.compile(regex, re.DOTALL).fullmatch
    return lambda text: match(text.translate(lower)) is not None


def text_test(clause: Clause) -> Callable[[str], bool]:
    """What a tag, a parameter or a text attribute has to satisfy."""
    comparator, value = clause.comparator, clause.value or END
    if value.kind == "list":
        if (clause.entity, clause.key) != ("attribute", "run_id"):
            raise MlflowError(
                "Only ['run_id'] attributes support comparison with a list of quoted string values."
            )
        if comparator in ("IN", "NOT IN"):
            wanted = frozenset(literal_list(value.text))
            return lambda text: (text in wanted) == (comparator == "IN")
    expected = quoted(value)
    if comparator in EQUAL:
        compare = EQUAL[comparator]
        return lambda text: bool(compare(text, expected))
    if comparator in ("LIKE", "ILIKE"):
        return like(expected, fold=comparator == "ILIKE")
    raise MlflowError(f"Invalid comparator '{comparator}' not one of '{set(EQUAL) | {'LIKE', 'ILIKE'}}'")


def number_test(clause: Clause) -> Callable[[float], bool]:
    """What a metric or a time has to satisfy; Python's NaN compares as MLflow's does: only != holds.

    MLflow reads a whole number that a time is compared with as such, and any other one as a double.
    """
    value = clause.value or END
    if value.kind != "number":
        raise MlflowError(
            f"Expected numeric value type for {clause.entity}: {clause.key}. Found {value.text}"
        )
    if clause.comparator not in ORDER:
        raise MlflowError(f"Invalid comparator '{clause.comparator}' not one of '{set(ORDER)}'")
    is_whole = clause.entity == "attribute" and value.text.lstrip("-").isdigit()
    compare, expected = ORDER[clause.comparator], int(value.text) if is_whole else float(value.text)
    return lambda number: bool(compare(number, expected))


def stored(value: float) -> float:
    """A metric's value as the SQL store keeps it: infinity is the largest number."""
    return value if math.isnan(value) else max(-LARGEST, min(LARGEST, value))


def reader_of(entity: str, key: str) -> Callable[[Run], Any]:
    """How a run's value is read, None where it has none."""
    if entity == "tag":
        return lambda run: run.tags.get(key)
    if entity == "parameter":
        return lambda run: run.params.get(key)
    if entity == "metric":
        return lambda run: stored(run.metrics[key].value) if key in run.metrics else None
    return operator.attrgetter("name" if key == "run_name" else key)


def predicate(clause: Clause) -> Callable[[Run], bool]:
    entity, key = clause.entity, clause.key
    if (entity, key) == ("attribute", "run_name"):
        entity, key = "tag", RUN_NAME_TAG
    read = reader_of(entity, key)
    if clause.value is None:
        if clause.entity not in ("tag", "parameter"):
            raise MlflowError("IS NULL / IS NOT NULL is only supported for tags and params")
        return lambda run: (read(run) is None) == (clause.comparator == "IS NULL")
    numeric = entity == "metric" or (entity == "attribute" and key in NUMERIC_ATTRIBUTES)
    test: Callable[[Any], bool] = number_test(clause) if numeric else text_test(clause)

    def matches(run: Run) -> bool:
        value = read(run)
        return value is not None and test(value)

    return matches


def matcher(text: str) -> Callable[[Run], bool]:
    """A test of runs for a filter string; MlflowError where MLflow would refuse it."""
    predicates = [predicate(clause) for clause in clauses(text)]
    return lambda run: all(test(run) for test in predicates)


def in_order(runs: Iterable[Run], order_by: list[str]) -> list[Run]:
    """Runs sorted by clauses, then newest start first, then by id. Without a value last, NaN just before."""
    orders = [ordering(text) for text in order_by]
    keys = [(entity, key) for entity, key, _ in orders]
    if len(set(keys)) < len(keys):
        raise MlflowError(f"`order_by` contains duplicate fields: {order_by}", "INTERNAL_ERROR")
    result = sorted(
        runs, key=operator.attrgetter("run_id") if ("attribute", "start_time") in keys else newest_first
    )
    for entity, key, descending in reversed(orders):
        read = reader_of(entity, key)

        def rank(run: Run, read: Callable[[Run], Any] = read) -> int:
            value = read(run)
            return 2 if value is None else 1 if isinstance(value, float) and math.isnan(value) else 0

        result.sort(key=rank)
        count = sum(rank(run) == 0 for run in result)
        result[:count] = sorted(result[:count], key=read, reverse=descending)
    return result
