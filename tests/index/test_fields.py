"""The fields of the runs of a table are those of a plain evaluation, and are counted in turns."""

import asyncio
import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.checkpoint import checkpoint
from service.index import field_lists
from service.index.engine import Engine
from service.index.table import RunTable
from service.tracking.runs import Run
from service.tracking.search.expressions import Expression
from service.tracking.search.fields import ATTRIBUTES, AsNumber, Field, FieldKind
from service.tracking.search.queries import FIELD_KINDS, FieldSearch, FieldSummary
from tests.tracking.search import plainly
from tests.tracking.search.strategies import EXPERIMENTS, expressions, run_lists
from tests.tracking.values import make_run

EXPERIMENT = make_run("any").experiment_id


def table_of(runs: Sequence[Run]) -> RunTable:
    table = RunTable()
    for run in runs:
        table.put(run, 0.0)
    return table


def plain_fields(runs: Sequence[Run]) -> list[Field]:
    """Every field that one of the runs may have."""
    keys = {
        FieldKind.ATTRIBUTE: ATTRIBUTES,
        FieldKind.PARAM: {key for run in runs for key in run.params},
        FieldKind.METRIC: {key for run in runs for key in run.metrics},
        FieldKind.TAG: {key for run in runs for key in run.tags},
    }
    return [Field(kind, key) for kind in FIELD_KINDS for key in keys[kind]]


def plain_summary(runs: Sequence[Run], field: Field) -> FieldSummary:
    values = [value for run in runs if (value := plainly.value_of(run, field)) is not None]
    if field.is_number:
        finite = [value for value in values if isinstance(value, float) and math.isfinite(value)]
        return FieldSummary(field, len(values), low=min(finite, default=None), high=max(finite, default=None))
    distinct = None if field.key == "artifact_uri" else len(set(values))
    if field.kind is FieldKind.ATTRIBUTE:
        return FieldSummary(field, len(values), distinct)
    numbers = [plainly.value_of(run, AsNumber(field)) for run in runs]
    read = [number for number in numbers if isinstance(number, float)]
    if len(read) < len(values):
        return FieldSummary(field, len(values), distinct, is_numeric=False)
    return FieldSummary(field, len(values), distinct, is_numeric=True, low=min(read), high=max(read))


def plainly_listed(runs: Sequence[Run]) -> list[FieldSummary]:
    own = [plain_summary(runs, field) for field in plain_fields(runs)]
    own = [summary for summary in own if summary.runs]
    return sorted(own, key=lambda one: (FIELD_KINDS.index(one.field.kind), -one.runs, one.field.key))


@given(run_lists(12), st.one_of(st.none(), expressions(3)), st.sampled_from((0, 2, 500)))
def test_fields_are_those_of_a_plain_evaluation(
    runs: list[Run], expression: Expression | None, few_texts: int
) -> None:
    """Any runs and any filter: which fields there are, how many runs have each, and what the values are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(field_lists, "_FEW_TEXTS", few_texts)
        hits = asyncio.run(Engine(table_of(runs)).fields(FieldSearch(EXPERIMENTS, expression)))
    matching = plainly.search(runs, expression, ())
    assert plainly_listed(matching) == list(hits.fields)
    assert len(matching) == hits.total


def many() -> list[Run]:
    """Two hundred runs. Each has three names that one other has, and every third a metric of two."""
    return [
        make_run(
            f"r{number:03}",
            metrics={
                "loss": None if number % 3 else float(number),
                f"rare{number // 2}": math.inf,
                "sharpe": 1.0,
            },
            params={f"p{number // 2}": str(number), "seed": str(number)},
            tags={f"t{number // 2}": "x" if number % 2 else "1"},
        )
        for number in range(200)
    ]


async def test_fields_that_few_runs_have() -> None:
    """Columns of which few rows have a value are summed up as all others are."""
    runs = many()
    hits = await Engine(table_of(runs)).fields(FieldSearch((EXPERIMENT,)))
    assert plainly_listed(runs) == list(hits.fields)
    assert {"attributes": 9, "params": 101, "metrics": 102, "tags": 100} == hits.counts


async def test_runs_that_were_deleted_have_no_fields() -> None:
    """A run that was dropped is in no count, and its row may be another run's since."""
    runs = many()
    table = table_of(runs)
    for run in runs[::2]:
        table.drop(run.run_id, 1.0)
    table.put(make_run("new", metrics={"sharpe": 5.0}), 2.0)
    left = [*runs[1::2], make_run("new", metrics={"sharpe": 5.0})]
    hits = await Engine(table).fields(FieldSearch((EXPERIMENT,)))
    assert plainly_listed(left) == list(hits.fields)


async def test_others_are_answered_between_two_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many columns are counted in turns, and runs that come and go between them do no harm."""
    runs = many()
    table = table_of(runs)
    monkeypatch.setattr(field_lists, "_IN_A_TURN", 2_000)
    turns = 0

    async def meanwhile() -> None:
        nonlocal turns
        table.put(make_run(f"late{turns:03}", metrics={f"late{turns}": 1.0, "sharpe": 2.0}), 1.0)
        if turns < len(runs):
            table.drop(runs[turns].run_id, 1.0)
        turns += 1
        await checkpoint()

    monkeypatch.setattr(field_lists, "checkpoint", meanwhile)
    hits = await Engine(table).fields(FieldSearch((EXPERIMENT,)))
    assert 50 < turns
    assert 200 == hits.total
    assert all(1 <= summary.runs <= 200 for summary in hits.fields)
