"""Runs, filters and orders as hypothesis draws them: few names and values, so that they meet often."""

import math
from collections.abc import Callable, Sequence

from hypothesis import strategies as st

from service.tracking.recorded import Dataset, Recorded
from service.tracking.runs import Run
from service.tracking.search.expressions import And, Comparison, Expression, Not, Operator, Or, Scalar
from service.tracking.search.fields import ATTRIBUTES, AsNumber, Field, FieldKind, Operand
from service.tracking.search.queries import Order

METRICS = ("sharpe", "max.drawdown", "val/loss", "fold 1", "maß", 'a"b', "a`b", "x-y")
PARAMS = ("lookback", "model.type", "batch-size", "größe", "it's", '"`')
TAGS = ("run_type", "mlflow.user", "data/set", "a b", "日本")
TEXTS = (
    "",
    "a",
    "A",
    "ab",
    "B",
    "aXb",
    "a%b",
    "a_b",
    "it's",
    'say "x"',
    "back\\slash",
    "ß",
    "É",
    "é",
    "日本\n",
)
NUMERALS = ("0", "1", "1.0", "01", "-2", "2e1", ".5", "5.", "1_000", " 1", "inf", "nan", "1e999", "0x1", "٣")
NUMBERS = (0.0, -0.0, 1.0, -1.0, 0.5, 1e-3, 60.0, 1e300, -1e300, 1e-300)
TIMES = (0, 1, 2, 1_000, 1_764_201_600_000, 1_764_201_600_001)
STATUSES = ("RUNNING", "FINISHED", "FAILED", "KILLED", "SCHEDULED")
EXPERIMENTS = ("0", "1")
RECORDED = (
    None,
    Recorded((Dataset("prices", "d1", "s3", "s3://b/prices", "training"),)),
    Recorded((Dataset("prices", "d1", "s3", "s3://b/prices", "training"),), ("m-1",), ("m-2", "m-3")),
)

_ORDERED = (Operator.EQ, Operator.NE, Operator.LT, Operator.LE, Operator.GT, Operator.GE)
_OF_LISTS = (Operator.IN, Operator.NOT_IN)
_OF_NOTHING = (Operator.IS_NULL, Operator.IS_NOT_NULL)

texts = st.one_of(st.sampled_from(TEXTS), st.sampled_from(NUMERALS), st.text(max_size=4))
metric_values = st.one_of(
    st.none(), st.sampled_from((*NUMBERS, math.inf, -math.inf)), st.floats(allow_nan=False, width=32)
)
times = st.one_of(st.none(), st.sampled_from(TIMES))
fields = st.one_of(
    st.builds(Field, st.just(FieldKind.METRIC), st.sampled_from(METRICS)),
    st.builds(Field, st.just(FieldKind.PARAM), st.sampled_from(PARAMS)),
    st.builds(Field, st.just(FieldKind.TAG), st.sampled_from(TAGS)),
    st.builds(Field, st.just(FieldKind.ATTRIBUTE), st.sampled_from(sorted(ATTRIBUTES))),
)
numbers_of_texts = st.builds(
    AsNumber,
    st.one_of(
        st.builds(Field, st.just(FieldKind.PARAM), st.sampled_from(PARAMS)),
        st.builds(Field, st.just(FieldKind.TAG), st.sampled_from(TAGS)),
    ),
)
operands: st.SearchStrategy[Operand] = st.one_of(fields, numbers_of_texts)


def _names(names: Sequence[str]) -> st.SearchStrategy[str]:
    return st.sampled_from(names)


def runs_of(run_id: str) -> st.SearchStrategy[Run]:
    """A run with this id, and anything else."""
    return st.builds(
        Run,
        run_id=st.just(run_id),
        run_name=texts,
        status=st.sampled_from(STATUSES),
        start_time=times,
        end_time=times,
        artifact_uri=st.sampled_from(("", f"s3://b/{run_id}", "mlflow-artifacts:/0/x")),
        params=st.dictionaries(_names(PARAMS), texts),
        metrics=st.dictionaries(_names(METRICS), metric_values),
        tags=st.dictionaries(_names(TAGS), texts),
        experiment_id=st.sampled_from(EXPERIMENTS),
        user_id=st.sampled_from(("", "ada", "Grace")),
        recorded=st.sampled_from(RECORDED),
    )


def run_lists(most: int = 30) -> st.SearchStrategy[list[Run]]:
    """Runs of different ids, in any order."""
    ids = st.integers(0, most).flatmap(lambda number: st.permutations([f"r{n:03}" for n in range(number)]))
    return ids.flatmap(lambda chosen: st.tuples(*map(runs_of, chosen)).map(list))


def _values(operand: Operand) -> st.SearchStrategy[Scalar]:
    if isinstance(operand, Field) and operand.key in {"start_time", "end_time", "duration"}:
        return st.sampled_from([float(time) for time in TIMES])
    if operand.is_number:
        return st.one_of(
            st.sampled_from((*NUMBERS, math.inf, -math.inf)),
            st.floats(allow_nan=False, allow_infinity=False, width=32),
        )
    if isinstance(operand, Field) and operand.key == "status":
        return st.sampled_from(STATUSES)
    return texts


@st.composite
def comparisons(draw: st.DrawFn, among: st.SearchStrategy[Operand] = operands) -> Comparison:
    """A comparison whose values have the operand's type."""
    operand = draw(among)
    patterns = () if operand.is_number else (Operator.LIKE, Operator.ILIKE)
    operator = draw(st.sampled_from((*_ORDERED, *_OF_LISTS, *_OF_NOTHING, *patterns)))
    if operator in _OF_NOTHING:
        return Comparison(operand, operator)
    values = _values(operand)
    if operator in _OF_LISTS:
        return Comparison(operand, operator, tuple(draw(st.lists(values, min_size=1, max_size=4))))
    if operator in patterns:
        parts = st.lists(st.one_of(st.sampled_from(("%", "_")), texts), max_size=4)
        return Comparison(operand, operator, "".join(draw(parts)))
    return Comparison(operand, operator, draw(values))


def expressions(most: int = 12) -> st.SearchStrategy[Expression]:
    """A filter of at most so many comparisons, about, as the parser makes them: no AND right in an AND."""
    return st.recursive(comparisons(), _deeper, max_leaves=most)


def conjunctions(
    most: int = 4, takes: Callable[[Expression], object] = lambda _: True
) -> st.SearchStrategy[Expression]:
    """Filters that have no operator but AND. takes: whether a comparison may be one of theirs."""
    return st.lists(comparisons().filter(takes), min_size=1, max_size=most).map(_and)


def _and(parts: Sequence[Expression]) -> Expression:
    return parts[0] if len(parts) == 1 else And(tuple(parts))


def _deeper(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    def several(kind: type[And | Or]) -> st.SearchStrategy[Expression]:
        parts = st.lists(inner.filter(lambda part: not isinstance(part, kind)), min_size=2, max_size=3)
        return parts.map(lambda chosen: kind(tuple(chosen)))

    return st.one_of(several(And), several(Or), inner.map(Not))


def orders(most: int = 3) -> st.SearchStrategy[tuple[Order, ...]]:
    """Keys to sort by, each field once."""
    keys = st.builds(Order, operands, st.booleans())
    return st.lists(keys, max_size=most, unique_by=lambda key: key.operand).map(tuple)
