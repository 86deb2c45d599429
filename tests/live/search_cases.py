"""Runs with hard values, and the filters and orders that MLflow's own grammar has: for a search of both."""

import math
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from hypothesis import strategies as st

from tests.live.logbook import LARGEST

RUNS = 100
TEXTS = (
    "",
    "a",
    "A",
    "ab",
    "aXb",
    "a%b",
    "a_b",
    "it's",
    'say "x"',
    "back\\slash",
    "é",
    "É",
    "ß",
    "日本",
    "🎲",
    "a\nb",
    " a",
    "NULL",
    "10",
    "9",
)
NUMBERS = (0.0, -0.0, 1.0, -1.0, 0.1, 0.5, 1e-300, -1e300, LARGEST, -LARGEST, 1e15 + 0.5, 123456.789)
TIMES = (0, 1, 1_000, 1_764_201_600_000, 1_764_201_600_001)
STATUSES = ("RUNNING", "FINISHED", "FAILED", "KILLED", "SCHEDULED")
METRICS = ("sharpe", "val/loss", "fold 1", "x-y", "dotted.name")
PARAMS = ("lookback", "batch-size", "model.type")
TAGS = ("run_type", "data/set", "a b")
USERS = ("", "ada", "Grace")


class HardRun(NamedTuple):
    """A run to be written into an MLflow; times in milliseconds."""

    name: str
    user_id: str
    status: str
    start_time: int
    end_time: int
    metrics: Mapping[str, float]
    params: Mapping[str, str]
    tags: Mapping[str, str]


def hard_runs() -> Iterator[HardRun]:
    """The same ones each time: they lack much, share start times, and have NaN, infinity and many texts."""
    dice = random.Random(12)
    for number in range(RUNS):
        yield HardRun(
            name=dice.choice((*TEXTS[1:], f"run {number}")),
            user_id=dice.choice(USERS),
            status=dice.choice(STATUSES),
            start_time=dice.choice(TIMES),
            end_time=dice.choice(TIMES[1:]),  # MLflow leaves 0 out of what it answers
            metrics={
                key: dice.choice((*NUMBERS, math.nan, math.inf, -math.inf, dice.gauss(0, 1)))
                for key in METRICS
                if dice.random() < 0.7
            },
            params={key: dice.choice(TEXTS) for key in PARAMS if dice.random() < 0.7},
            tags={key: dice.choice(TEXTS) for key in TAGS if dice.random() < 0.7},
        )


def _quoted(text: str) -> str:
    """A text as MLflow reads it: nothing escapes there, so the quotes are those that the text lacks."""
    quote = '"' if "'" in text else "'"
    return f"{quote}{text}{quote}"


def _number(value: float) -> str:
    """A number as MLflow's lexer has it: no plus sign in an exponent."""
    return repr(value).replace("e+", "e")


def _keys(kind: str, keys: tuple[str, ...]) -> st.SearchStrategy[str]:
    """Fields as they can be written: bare, in backticks or in double quotes."""
    bare = [f"{kind}.{key}" for key in keys if key.replace(".", "").replace("_", "").isalnum()]
    return st.sampled_from(
        [*bare, *(f"{kind}.`{key}`" for key in keys), *(f'{kind}."{key}"' for key in keys)]
    )


_OTHERS = ("lacking",)  # a key that no run has
_metrics = _keys("metrics", METRICS + _OTHERS)
_params = _keys("params", PARAMS + _OTHERS)
_tags = _keys("tags", TAGS + _OTHERS)
_names = st.sampled_from(["run_name", "attributes.run_name"])
_others = st.sampled_from(["attributes.status", "status", "user_id", "attributes.artifact_uri"])
_times = st.sampled_from(["start_time", "attributes.start_time", "end_time", "attributes.`end_time`"])
_texts = st.one_of(st.sampled_from(TEXTS), st.sampled_from((*STATUSES, *USERS))).map(_quoted)
# MLflow's SQLite ignores the case of ASCII letters only, so ILIKE is asked of no others.
_patterns = st.lists(st.sampled_from(("%", "_", "a", "A", "b", "it's", "日", " ", "slash")), max_size=4)
_comparators = st.sampled_from(("=", "!=", "<", "<=", ">", ">="))
_numbers = st.one_of(st.sampled_from(NUMBERS), st.floats(-2, 2), st.sampled_from((0.1 + 0.2, 1e308)))


def _comparison(field: str, comparator: str, value: str) -> str:
    return f"{field} {comparator} {value}"


_of_texts = st.one_of(
    st.builds(_comparison, st.one_of(_params, _tags, _names, _others), st.sampled_from(("=", "!=")), _texts),
    st.builds(
        _comparison,
        st.one_of(_params, _tags, _names, _others),
        st.sampled_from(("LIKE", "ILIKE")),
        _patterns.map("".join).map(_quoted),
    ),
    st.builds(
        lambda field, test: f"{field} {test}",
        st.one_of(_params, _tags),
        st.sampled_from(("IS NULL", "IS NOT NULL")),
    ),
)
_of_numbers = st.one_of(
    st.builds(_comparison, _metrics, _comparators, _numbers.map(_number)),
    st.builds(_comparison, _times, _comparators, st.sampled_from(TIMES).map(str)),
)


def _id_of(number: int) -> str:
    return f"'<{number}>'"


_run_ids = st.lists(st.integers(0, RUNS - 1), min_size=1, max_size=20)
_of_run_ids = st.builds(
    lambda test, numbers: f"attributes.run_id {test} ({', '.join(map(_id_of, numbers))})",
    st.sampled_from(("IN", "NOT IN")),
    _run_ids,
)
# One to four comparisons with AND between them, as MLflow knows them. <7> stands for the id of a run.
filters = st.lists(st.one_of(_of_texts, _of_numbers, _of_run_ids), max_size=4).map(" AND ".join)


def with_run_ids(text: str, run_ids: Sequence[str]) -> str:
    """A filter with the ids that are meant."""
    return re.sub(r"<(\d+)>", lambda number: run_ids[int(number[1])], text)


def _ordered_by(fields: list[str], directions: list[str]) -> list[str]:
    return [f"{field}{direction}" for field, direction in zip(fields, directions, strict=False)]


# One way to write each field, for none may be there twice.
_sortable = [f"metrics.`{key}`" for key in METRICS + _OTHERS]
_sortable += [f"params.`{key}`" for key in PARAMS] + [f"tags.`{key}`" for key in TAGS]
_sortable += [f"attributes.{key}" for key in ("start_time", "end_time", "status", "user_id", "run_id")]
orders = st.builds(
    _ordered_by,
    st.lists(st.sampled_from(_sortable), max_size=3, unique=True),
    st.lists(st.sampled_from(["", " ASC", " DESC", " desc"]), min_size=3, max_size=3),
)
