"""The kinds of search that are measured: each asks something else each time, so that no answer is used twice.

Beside each stands how MLflow is asked the same, where it can be asked at all.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

from tests.bench.load import Question
from tests.bench.rows.questions import API, TRACKING
from tests.bench.runs import METRICS
from tests.bench.scale import BEGINNING, DATASETS, STRATEGIES, YEARS, run_id_at

ROWS = 50
_GROUPED = ("oos_sharpe", "oos_max_drawdown", "val_loss")
_FACETS = ("tags.run_type", "tags.dataset_version", "attributes.status")


class Ask(NamedTuple):
    """A search of 50 rows. filter and order_by: as they are written for the service, and for MLflow."""

    filter: str = ""
    order_by: str = ""
    more: tuple[tuple[str, str], ...] = ()

    @property
    def question(self) -> Question:
        """How the service is asked."""
        query = {"filter": self.filter, "order_by": self.order_by, "page_size": str(ROWS), **dict(self.more)}
        return Question(f"{TRACKING}/runs/search?{urlencode({k: v for k, v in query.items() if v})}")

    @property
    def posted(self) -> Question:
        """The same as a POST, for what is too long for an address."""
        return Question.posting(
            f"{TRACKING}/runs/search", {"filter": self.filter, "page_size": ROWS, **dict(self.more)}
        )

    @property
    def directly(self) -> Question:
        """How MLflow is asked."""
        body: dict[str, Any] = {"experiment_ids": ["0"], "max_results": ROWS, "filter": self.filter}
        if self.order_by:
            body["order_by"] = [self.order_by]
        return Question.posting(f"{API}/runs/search", body)


class Kind(NamedTuple):
    """A kind of question. ask: the one of a number. p99_ms: the target. of_mlflow: whether MLflow has it."""

    name: str
    ask: Callable[[int], Ask]
    p99_ms: float = 15.0
    of_mlflow: bool = False
    is_posted: bool = False

    def question(self, number: int) -> Question:
        """How the service is asked the question of this number."""
        ask = self.ask(number)
        return ask.posted if self.is_posted else ask.question


def grouping(number: int) -> Question:
    """Groups of the runs of each strategy, with three metrics."""
    query = [("by", "tags.strategy_id"), *(("metrics", name) for name in _GROUPED)]
    query += [("filter", f"attributes.start_time > {_early(number)}"), ("page_size", str(ROWS))]
    return Question(f"{TRACKING}/runs/groups?{urlencode(query)}")


def listing(number: int) -> Question:
    """The fields of nearly all runs."""
    return Question(f"{TRACKING}/runs/fields?{urlencode({'filter': f'start_time > {_early(number)}'})}")


def _early(number: int) -> int:
    """A time that nearly all runs start after, another one for each number."""
    return BEGINNING + number * 1_000


def _late(number: int) -> int:
    return BEGINNING + YEARS // 2 + number * 1_000


def _equal(number: int) -> Ask:
    strategy = STRATEGIES[number % len(STRATEGIES)]
    again = f" AND attributes.start_time > {_early(number)}" if number >= len(STRATEGIES) else ""
    return Ask(f"tags.strategy_id = '{strategy}'{again}")


def _connected(number: int) -> Ask:
    return Ask(
        "(tags.run_type = 'backtest' OR tags.run_type = 'cpcv') AND "
        f"metrics.oos_sharpe > {0.5 + number / 1e5} AND NOT tags.dataset_version = '{DATASETS[number % 5]}'"
    )


def _range(number: int) -> Ask:
    return Ask(f"metrics.oos_sharpe > {number / 1e4} AND metrics.oos_sharpe < {number / 1e4 + 0.5}")


def _sorted(number: int) -> Ask:
    direction = ("ASC", "DESC")[number // len(METRICS) % 2]
    order = f"metrics.{METRICS[number % len(METRICS)]} {direction}"
    return Ask(f"attributes.start_time > {_early(number)}", order)


def _like(number: int) -> Ask:
    return Ask(f"attributes.run_name LIKE '%{number * 7 % 4096:03x}%'")


def _among(number: int) -> Ask:
    dice = random.Random(number)
    ids = ", ".join(f"'{run_id_at(dice.randrange(100_000))}'" for _ in range(100))
    return Ask(f"attributes.run_id IN ({ids})")


def _lacking(number: int) -> Ask:
    return Ask(f"tags.git_commit IS NULL AND attributes.start_time > {_early(number)}")


def _number(number: int) -> Ask:
    return Ask(f"number(params.learning_rate) < {0.005 + number / 1e5} AND number(params.seed) > {number}")


def _duration(number: int) -> Ask:
    return Ask(f"attributes.duration > {1_000_000 + number * 1_000}", "attributes.duration DESC")


def _faceted(number: int) -> Ask:
    return Ask(f"attributes.start_time > {_late(number)}", more=(("facets", ",".join(_FACETS)),))


KINDS: Sequence[Kind] = (
    Kind("equal", _equal, of_mlflow=True),
    Kind("AND, OR and NOT", _connected),
    Kind("a metric's range", _range, of_mlflow=True),
    Kind("sorted by any metric", _sorted, of_mlflow=True),
    Kind("LIKE on unique texts", _like, p99_ms=60.0, of_mlflow=True),
    Kind("IN of 100", _among, of_mlflow=True, is_posted=True),
    Kind("IS NULL", _lacking, of_mlflow=True),
    Kind("number()", _number),
    Kind("duration", _duration),
    Kind("facets over three fields", _faceted),
)


def cold(numbers: int) -> Sequence[Question]:
    """So many searches of all kinds in turn, none twice, for a load that is too fast to be counted."""
    kinds = itertools.cycle(kind for kind in KINDS if not kind.is_posted)
    return [kind.question(number) for number, kind in zip(range(numbers), kinds, strict=False)]
