"""Matched pairs: configurations that differ in one parameter alone."""

import statistics
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from service.tracking.analysis.computed import TOO_FEW_TRIALS
from service.tracking.analysis.configurations import configurations_of
from service.tracking.analysis.pairs import FEW_LEVELS, MOST_CHANGES, Change, Changes, changes_of
from service.tracking.directions import Direction
from service.tracking.runs import Run
from tests.tracking.analysis.plainly import differences
from tests.tracking.analysis.trials import METRIC, param, tag, trial, trials

_TEXTS = {
    "depth": st.sampled_from(["1", "2.0", "2", "3", "1e1"]),
    "loss": st.sampled_from(["l1", "l2", '{"a": 1, "b": 2}', '{"b":2,"a":1.0}']),
    "bagging": st.sampled_from(["True", "true", "False"]),
}


@st.composite
def _runs(draw: st.DrawFn) -> list[Run]:
    numbers = range(draw(st.integers(0, 24)))
    return [
        trial(
            number,
            draw(st.none() | st.integers(-8, 8).map(lambda n: n / 4)),
            draw(st.fixed_dictionaries({}, optional=_TEXTS)),
            run_type=draw(st.sampled_from(["backtest", "cpcv"])),
            status=draw(st.sampled_from(["FINISHED"] * 8 + ["FAILED", "RUNNING"])),
            **draw(st.fixed_dictionaries({}, optional={"git_commit": st.sampled_from(["a1", "b2"])})),
        )
        for number in numbers
    ]


def _changes(runs: list[Run], direction: Direction = Direction.MAX) -> Changes:
    return changes_of(configurations_of(runs, METRIC), direction)


def _only(runs: list[Run], direction: Direction = Direction.MAX) -> Change:
    changes = _changes(runs, direction)
    assert 1 == changes.total == len(changes.changes)
    return changes.changes[0]


@given(_runs())
def test_pairs_are_those_that_one_finds_by_hand(runs: list[Run]) -> None:
    """Number, mean, median and share of the differences are those of all pairs that differ in one name."""
    plain = differences(runs)
    changes = _changes(runs)
    assert len(plain) == changes.total
    by_hand = sorted(
        (
            len(values),
            statistics.fmean(values),
            statistics.median(values),
            sum(v > 0 for v in values) / len(values),
        )
        for values in plain.values()
    )
    found = sorted((each.n, each.mean, each.median, each.share_positive) for each in changes.changes)
    if changes.total <= MOST_CHANGES:
        assert [pytest.approx(each) for each in by_hand] == found


@given(_runs(), st.randoms())
def test_the_order_of_the_runs_does_not_count(runs: list[Run], random: Random) -> None:
    """Runs in another order have the same changes."""
    shuffled = list(runs)
    random.shuffle(shuffled)
    assert _changes(runs) == _changes(shuffled)


@given(st.permutations(range(30)))
def test_of_many_levels_only_neighbours_are_paired(values: list[int]) -> None:
    """A parameter of more levels than FEW_LEVELS is paired with its next level in the same setting."""
    runs = [trial(n, float(value), {"depth": n, "loss": "l1"}) for n, value in enumerate(values)]
    assert len(values) > FEW_LEVELS
    assert len(values) - 1 == _changes(runs).total == len(differences(runs))


def test_the_interval_is_students() -> None:
    """From five pairs on the mean has the 95 % interval of Student's t over the differences."""
    deltas = [0.1, 0.3, 0.2, -0.1, 0.25]
    runs = [
        run
        for setting, delta in enumerate(deltas)
        for run in (
            trial(2 * setting, 1.0, {"loss": setting, "depth": 4}),
            trial(2 * setting + 1, 1.0 + delta, {"loss": setting, "depth": 6}),
        )
    ]
    change = next(each for each in _changes(runs).changes if each.field == param("depth"))
    low, high = stats.t.interval(
        0.95, 4, loc=statistics.fmean(deltas), scale=statistics.stdev(deltas) / 5**0.5
    )
    assert (5, 4.0, 6.0) == (change.n, change.before, change.after)
    assert pytest.approx((low, high)) == (change.ci_low, change.ci_high)
    assert change.reason is None
    assert 0.8 == change.share_positive


def test_few_pairs_have_no_interval() -> None:
    """Below five pairs there is a mean and no interval, and the answer says why."""
    change = _only(list(trials((1.0, {"depth": 4}), (1.5, {"depth": 6}))))
    assert (1, 0.5, None, None) == (change.n, change.mean, change.ci_low, change.ci_high)
    assert change.reason is not None
    assert TOO_FEW_TRIALS == change.reason.code
    assert (("r0", "r1"),) == change.examples


def test_runs_that_differ_twice_are_no_pair() -> None:
    """Where two parameters changed at once, nothing says which one did it."""
    assert 0 == _changes(list(trials((1.0, {"depth": 4, "rate": 1}), (2.0, {"depth": 6, "rate": 2})))).total


def test_data_and_code_count_as_parameters() -> None:
    """Runs of other data are no pair for a parameter; runs that differ in it alone tell of the data."""
    runs = [
        trial(1, 1.0, {"depth": 4}, dataset_version="d1"),
        trial(2, 2.0, {"depth": 6}, dataset_version="d2"),
        trial(3, 1.75, {"depth": 4}, dataset_version="d2"),
    ]
    assert {(tag("dataset_version"), "d1", "d2", 0.75), (param("depth"), 4.0, 6.0, 0.25)} == {
        (each.field, each.before, each.after, each.mean) for each in _changes(runs).changes
    }


def test_runs_of_another_type_are_no_pair() -> None:
    """A backtest and a walk forward of different depths say nothing of the depth."""
    runs = [trial(1, 1.0, {"depth": 4}), trial(2, 2.0, {"depth": 6}, run_type="walk_forward")]
    assert 0 == _changes(runs).total


def test_a_configuration_that_was_run_again_counts_once() -> None:
    """Re-runs make one pair, of the means of their runs, and its example is the newest run."""
    runs = [trial(n, float(n % 3), {"depth": 4}) for n in range(30)]
    change = _only([*runs, *(trial(n, 4.0, {"depth": 6}) for n in range(30, 60))])
    assert (1, 3.0, (("r29", "r59"),)) == (change.n, change.mean, change.examples)


def test_a_parameter_that_is_missing_has_a_level_of_its_own() -> None:
    """A run without a parameter and one with it differ in that parameter."""
    change = _only(list(trials((1.0, {}), (2.0, {"depth": 6}))))
    assert (None, 6.0, 1.0) == (change.before, change.after, change.mean)


def test_texts_come_in_the_order_in_which_they_were_tried() -> None:
    """Of two texts, `before` is the one that was tried first."""
    change = _only([trial(7, 1.0, git_commit="zeta"), trial(8, 0.5, git_commit="alpha")])
    assert ("zeta", "alpha", -0.5) == (change.before, change.after, change.mean)


@pytest.mark.parametrize(
    ("direction", "share"),
    [(Direction.MAX, 0.0), (Direction.MIN, 1.0), (Direction.CLOSEST_TO_ZERO, 1.0), (Direction.NONE, None)],
)
def test_the_direction_says_what_is_better(direction: Direction, share: float | None) -> None:
    """A fall is better for a metric that is better low; where no direction is better there is no share."""
    change = _only(list(trials((2.0, {"depth": 4}), (1.0, {"depth": 6}))), direction)
    assert (0.0, share) == (change.share_positive, change.share_better)


def test_what_matters_most_comes_first() -> None:
    """First a change that is clear of zero, then one that is not, then one without an interval."""
    noise = [0.4, -0.4, 0.3, -0.3, 0.2, 0.1]
    runs: list[Run] = []
    for setting, wobble in enumerate(noise):
        for depth in (4, 6):
            for bagging in (0, 1):
                value = setting + (0.5 if depth == 6 else 0.0) + wobble * bagging
                params = {"setting": f"s{setting}", "depth": depth, "bagging": bagging}
                runs.append(trial(len(runs), value, params))
    runs.append(trial(99, 50.0, {"setting": "s0", "depth": 4, "bagging": 0, "extra": 1}))
    fields = [each.field.key for each in _changes(runs).changes]
    assert ["depth", "bagging"] == list(dict.fromkeys(fields))[:2]
    assert fields.index("bagging") < fields.index("extra")
    assert len(fields) <= MOST_CHANGES


def test_there_are_at_most_fifty() -> None:
    """Of more changes than fifty the answer has those that matter most, and says how many there are."""
    runs = [trial(n, float(n * n), {"depth": n}) for n in range(60)]
    changes = _changes(runs)
    assert (59, MOST_CHANGES) == (changes.total, len(changes.changes))
    assert 58.0 == changes.changes[0].before
