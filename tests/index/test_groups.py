"""Groups over a table, and the statistics of their metrics, are those of a plain evaluation."""

import asyncio
import math
import statistics
from collections.abc import Mapping, Sequence
from functools import cmp_to_key

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from service.index.engine import Engine
from service.index.grouping import GroupHits
from service.index.table import RunTable
from service.tracking.directions import Direction
from service.tracking.runs import Run
from service.tracking.search.expressions import Expression, Scalar
from service.tracking.search.fields import Field, FieldKind
from service.tracking.search.queries import Group, Grouping, GroupOrder, GroupPosition, MetricSummary
from tests.tracking.search import plainly
from tests.tracking.search.strategies import EXPERIMENTS, METRICS, expressions, fields, run_lists
from tests.tracking.values import make_run

Key = tuple[Scalar | None, ...]
STRATEGY = Field(FieldKind.TAG, "strategy")


def key_of(run: Run, by: Sequence[Field]) -> Key:
    values = (plainly.value_of(run, field) for field in by)
    return tuple(None if isinstance(value, float) and not math.isfinite(value) else value for value in values)


def plain_groups(runs: Sequence[Run], by: Sequence[Field]) -> dict[Key, list[Run]]:
    groups: dict[Key, list[Run]] = {}
    for run in runs:
        groups.setdefault(key_of(run, by), []).append(run)
    return groups


def plain_best(runs: Sequence[Run], name: str, direction: Direction) -> str | None:
    values = {run.run_id: value for run in runs if (value := run.metrics.get(name)) is not None}
    finite = {run_id: value for run_id, value in values.items() if math.isfinite(value)}
    if not finite or direction is Direction.NONE:
        return None
    scores = {
        run_id: {Direction.MAX: value, Direction.MIN: -value}.get(direction, -abs(value))
        for run_id, value in finite.items()
    }
    best = [run for run in runs if scores.get(run.run_id) == max(scores.values())]
    return plainly.in_order(best, ())[0].run_id


def plain_summary(runs: Sequence[Run], name: str, direction: Direction) -> MetricSummary:
    values = [v for run in runs if (v := run.metrics.get(name)) is not None and math.isfinite(v)]
    n = len(values)
    mean = statistics.fmean(values) if values else None
    sd = half = None
    if mean is not None and n > 1:
        sd = math.sqrt(sum((value - mean) ** 2 for value in values) / (n - 1))
        half = float(stats.t.ppf(0.975, n - 1)) * sd / math.sqrt(n)
    return MetricSummary(
        n,
        len(runs) - n,
        mean,
        sd,
        min(values, default=None),
        max(values, default=None),
        None if mean is None or half is None else mean - half,
        None if mean is None or half is None else mean + half,
        plain_best(runs, name, direction),
    )


def assert_group(runs: Sequence[Run], metrics: Sequence[tuple[str, Direction]], group: Group) -> None:
    statuses = [run.status for run in runs]
    starts = [run.start_time for run in runs if run.start_time is not None]
    assert {status: statuses.count(status) for status in statuses} == group.statuses
    assert (len(runs), min(starts, default=None), max(starts, default=None)) == (
        group.runs,
        group.first_start_time,
        group.last_start_time,
    )
    assert [name for name, _ in metrics] == list(group.metrics)
    for name, direction in metrics:
        expected, summary = plain_summary(runs, name, direction), group.metrics[name]
        scale = max((abs(v) for v in (expected.min, expected.max) if v is not None), default=0.0)
        for statistic in MetricSummary.__struct_fields__:
            one, other = getattr(expected, statistic), getattr(summary, statistic)
            if isinstance(one, float) and isinstance(other, float):
                assert one == pytest.approx(other, rel=1e-9, abs=1e-9 * scale), statistic
            else:
                assert one == other, statistic


def table_of(runs: Sequence[Run]) -> RunTable:
    table = RunTable()
    for run in runs:
        table.put(run, 0.0)
    return table


def compare(one: Scalar | None, other: Scalar | None, *, descending: bool) -> int:
    if one is None or other is None:
        return (one is None) - (other is None)
    less, more = one < other, other < one  # type: ignore[operator] # of one type
    return (more - less) * (-1 if descending else 1)


def in_order(
    keys: Sequence[Key], values: Mapping[Key, Scalar | None] | None, *, descending: bool
) -> list[Key]:
    """Keys by their values, then by themselves; by themselves only where there are none."""

    def by_both(one: Key, other: Key) -> int:
        if values is not None:
            sign = compare(values[one], values[other], descending=descending)
            if sign:
                return sign
        key_descends = descending and values is None
        signs = (compare(a, b, descending=key_descends) for a, b in zip(one, other, strict=True))
        return next((sign for sign in signs if sign), 0)

    return sorted(keys, key=cmp_to_key(by_both))


small = st.one_of(st.none(), st.sampled_from((0.0, 1.0, -1.0, 0.5, math.inf)), st.floats(-1e6, 1e6))


@st.composite
def runs_with_numbers(draw: st.DrawFn) -> list[Run]:
    """Runs whose metrics are numbers of which sums can be made."""
    return [
        Run(
            run.run_id,
            run.run_name,
            run.status,
            run.start_time,
            run.end_time,
            run.artifact_uri,
            run.params,
            {name: draw(small) for name in run.metrics},
            run.tags,
            run.experiment_id,
        )
        for run in draw(run_lists(8))
    ]


@given(
    runs_with_numbers(),
    st.lists(fields, min_size=1, max_size=3),
    st.lists(
        st.tuples(st.sampled_from(METRICS), st.sampled_from(Direction)), max_size=2, unique_by=lambda m: m[0]
    ),
    st.one_of(st.none(), expressions(3)),
)
def test_groups_are_those_of_a_plain_evaluation(
    runs: list[Run],
    by: list[Field],
    metrics: list[tuple[str, Direction]],
    expression: Expression | None,
) -> None:
    """Any fields, over any hits: the keys, the runs, their statuses and times, and the statistics."""
    grouping = Grouping(EXPERIMENTS, tuple(by), tuple(metrics), expression)
    hits = asyncio.run(Engine(table_of(runs)).groups(grouping))
    expected = plain_groups(plainly.search(runs, expression, ()), by)
    keys = in_order(list(expected), {key: len(of) for key, of in expected.items()}, descending=True)
    assert (keys, len(keys)) == ([group.key for group in hits.groups], hits.total)
    for group in hits.groups:
        assert_group(expected[group.key], metrics, group)


async def walk(engine: Engine, grouping: Grouping) -> list[Group]:
    after: GroupPosition | None = None
    met: list[Group] = []
    for _ in range(1_000):
        page: GroupHits = await engine.groups(
            Grouping(
                grouping.experiment_ids,
                grouping.by,
                grouping.metrics,
                grouping.filter,
                grouping.order,
                grouping.page_size,
                after,
            )
        )
        met += page.groups
        after = page.next
        if after is None:
            return met
    raise AssertionError("the pages have no end")


@given(
    runs_with_numbers(),
    st.lists(fields, min_size=1, max_size=2),
    st.sampled_from(
        [
            *(("", name) for name in ("runs", "key", "first_start_time", "last_start_time")),
            *(
                (METRICS[0], name)
                for name in ("n", "missing", "mean", "sd", "min", "max", "ci_low", "ci_high")
            ),
        ]
    ),
    st.booleans(),
    st.integers(1, 3),
)
def test_the_pages_of_any_order_meet_each_group_once(
    runs: list[Run], by: list[Field], order: tuple[str, str], descending: bool, page_size: int
) -> None:
    """One page after the other is all groups, by the statistic, None last, and ties by the key."""
    metric, statistic = order
    metrics = ((METRICS[0], Direction.MAX),)
    grouping = Grouping(
        EXPERIMENTS, tuple(by), metrics, None, GroupOrder(statistic, metric or None, descending), page_size
    )
    met = asyncio.run(walk(Engine(table_of(runs)), grouping))
    values = (
        {g.key: getattr(g.metrics[metric] if metric else g, statistic) for g in met}
        if statistic != "key"
        else None
    )
    keys = list(plain_groups(runs, by))
    assert in_order(keys, values, descending=descending) == [group.key for group in met]


@pytest.mark.parametrize("order", [GroupOrder("other"), GroupOrder("best_run_id", "m"), GroupOrder("mean")])
async def test_an_order_that_there_is_not_is_an_error(order: GroupOrder) -> None:
    """A statistic that groups do not have is named."""
    engine = Engine(table_of([make_run()]))
    with pytest.raises(ValueError, match=order.statistic):
        await engine.groups(Grouping(("",), (STRATEGY,), order=order))


async def test_many_groups_are_as_few() -> None:
    """A group for each of thousands of runs, and one run in each."""
    runs = [
        make_run(f"r{at:04}", metrics={"m": float(at)}, tags={"strategy": f"s{at:04}"}) for at in range(3_000)
    ]
    order = GroupOrder("mean", "m")
    grouping = Grouping(("",), (STRATEGY,), (("m", Direction.MAX),), None, order, 2)
    hits = await Engine(table_of(runs)).groups(grouping)
    assert (3_000, [("s2999",), ("s2998",)]) == (hits.total, [group.key for group in hits.groups])
    assert GroupPosition(("s2998",), 2998.0) == hits.next


@pytest.mark.parametrize("descending", [False, True])
async def test_what_has_no_finite_number_is_one_group(descending: bool) -> None:
    """Infinities, NaN and what is missing share the key None, which stands last, on any page."""
    values = {"a": math.inf, "b": -math.inf, "c": None, "d": 1.0, "e": 2.0}
    runs = [make_run("f"), *(make_run(name, metrics={"m": value}) for name, value in values.items())]
    by = (Field(FieldKind.METRIC, "m"), STRATEGY)
    for some in (by[:1], by):
        order = GroupOrder("key", None, descending)
        met = await walk(Engine(table_of(runs)), Grouping(("",), some, order=order, page_size=1))
        ones = [(2.0, 1), (1.0, 1)] if descending else [(1.0, 1), (2.0, 1)]
        assert [*ones, (None, 4)] == [(group.key[0], group.runs) for group in met]
