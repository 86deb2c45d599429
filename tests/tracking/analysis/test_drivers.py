"""Which change did it, on trials whose causes are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.tracking.analysis.computed import TOO_FEW_TRIALS
from service.tracking.analysis.drivers import Drivers, drivers_of
from service.tracking.directions import Direction
from service.tracking.runs import Run
from tests.tracking.analysis.trials import METRIC, param, tag, trial

EFFECT = 0.4


def _planted(seed: int = 1) -> list[Run]:
    """A study of 64 settings. Depth 6 adds EFFECT to the metric; `seed` adds nothing but noise.

    The learning rate was only ever changed along with the features, which are what adds 0.2.
    """
    random = np.random.default_rng(seed)
    return [
        trial(
            n,
            1.0 + EFFECT * (n % 2) + 0.2 * (n // 2 % 2) + float(random.normal(0, 0.1)),
            {"depth": 4 + 2 * (n % 2), "rate": [0.1, 0.05][n // 2 % 2], "seed": n // 4 % 4, "costs": n // 16},
            feature_version=["v1", "v2"][n // 2 % 2],
            dataset_version="2026-01",
        )
        for n in range(64)
    ]


def _drivers(runs: list[Run]) -> Drivers:
    return drivers_of(runs, METRIC, Direction.MAX)


def test_the_planted_cause_comes_first() -> None:
    """The change that made the metric better is the first, with an interval around its effect."""
    first = _drivers(_planted()).changes[0]
    assert (param("depth"), 4.0, 6.0, 32) == (first.field, first.before, first.after, first.n)
    assert first.ci_low is not None
    assert first.ci_high is not None
    assert first.ci_low < EFFECT < first.ci_high
    assert 0 < first.ci_low
    assert 0.95 < (first.share_better or 0)


def test_the_planted_association_is_the_surest() -> None:
    """The parameter that works is the surest association, and noise is none at a rate of 5 %."""
    associations = _drivers(_planted()).associations
    by_field = {each.field: each for each in associations}
    assert param("depth") == associations[0].field
    assert (associations[0].q_value or 1) < 1e-6
    assert (by_field[param("seed")].q_value or 0) > 0.05
    assert (by_field[param("costs")].q_value or 0) > 0.05


def test_the_planted_confounder_is_named() -> None:
    """The learning rate cannot be told from the features: they are a group, and no pair tells of either."""
    drivers = _drivers(_planted())
    (group,) = drivers.confounded.together
    assert (param("rate"), tag("feature_version")) == group.fields
    assert pytest.approx(1.0) == group.strength
    assert {param("depth"), param("seed"), param("costs")} == {each.field for each in drivers.changes}
    assert [tag("dataset_version")] == [each.field for each in drivers.confounded.constant]


def test_noise_is_clear_of_zero_as_seldom_as_it_says() -> None:
    """Of the intervals of pure noise, over many studies, about one in twenty is clear of zero."""
    noise = [
        change
        for seed in range(40)
        for change in _drivers(_planted(seed)).changes
        if change.field == param("seed") and change.ci_low is not None and change.ci_high is not None
    ]
    clear = [change for change in noise if not (change.ci_low or 0) < 0 < (change.ci_high or 0)]
    assert 240 == len(noise)
    assert 0.005 < len(clear) / len(noise) < 0.12


def test_few_runs_have_pairs_only() -> None:
    """Fewer than ten configurations have pairs, and a reason in place of associations."""
    drivers = _drivers(_planted()[:8])
    (stratum,) = drivers.strata
    assert drivers.changes
    assert () == drivers.associations
    assert stratum.reason is not None
    assert (TOO_FEW_TRIALS, 8, 8) == (stratum.reason.code, stratum.runs, stratum.configurations)


def test_re_runs_add_nothing() -> None:
    """Running each configuration three times changes the number of runs, and nothing else."""
    once = _planted()
    again = [
        trial(1_000 * k + n, run.metrics[METRIC], run.params, **_tags(run))
        for k in range(3)
        for n, run in enumerate(once)
    ]
    one, other = _drivers(once), _drivers(again)
    assert 192 == other.used
    assert [(each.field, each.n) for each in one.changes] == [(each.field, each.n) for each in other.changes]
    assert pytest.approx([each.mean for each in one.changes]) == [each.mean for each in other.changes]
    assert pytest.approx([each.p_value for each in one.associations]) == [
        each.p_value for each in other.associations
    ]


def _tags(run: Run) -> dict[str, str]:
    return {name: text for name, text in run.tags.items() if name != "run_type"}


@given(st.permutations(_planted()[:24]))
def test_the_order_of_trials_does_not_count(runs: list[Run]) -> None:
    """The answer is the same for the same runs in another order."""
    assert _drivers(_planted()[:24]) == _drivers(runs)


def test_no_runs_drive_nothing() -> None:
    """Without runs, or without the metric, there is nothing to tell."""
    nothing = _drivers([])
    assert (0, 0, (), (), ()) == (
        nothing.runs,
        nothing.used,
        nothing.strata,
        nothing.changes,
        nothing.associations,
    )
    assert (64, 0) == ((lacking := drivers_of(_planted(), "x", Direction.MAX)).runs, lacking.used)
