"""What cannot be told apart."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import contingency

from service.tracking.analysis.computed import TOO_MANY
from service.tracking.analysis.configurations import configurations_of
from service.tracking.analysis.confounding import Confounded, confounded_in, cramers_v, table_of
from service.tracking.runs import Run
from tests.tracking.analysis.trials import METRIC, param, tag, trial


def _confounded(runs: list[Run]) -> Confounded:
    return confounded_in(configurations_of(runs, METRIC))


def _together(runs: list[Run]) -> list[set[str]]:
    return [{field.key for field in group.fields} for group in _confounded(runs).together]


@given(st.lists(st.tuples(st.integers(0, 90), st.integers(0, 60)), min_size=2, max_size=200))
def test_cramers_v(pairs: list[tuple[int, int]]) -> None:
    """V is SciPy's, for small tables and for large ones."""
    x, y = (np.unique(each, return_inverse=True)[1].astype(np.int32) for each in zip(*pairs, strict=True))
    assume(x.any() and y.any())
    expected = contingency.association(contingency.crosstab(x, y).count)
    assert pytest.approx(expected, abs=1e-9) == cramers_v(table_of(x), table_of(y))


def test_v_of_a_constant_is_0() -> None:
    """What has one level goes along with nothing."""
    constant, codes = np.array([[0, 0, 0], [0, 1, 1]], np.int32)
    assert 0.0 == cramers_v(table_of(constant), table_of(codes))


def test_what_never_varied() -> None:
    """A constant is named with its value, for each run type."""
    runs = [trial(n, 1.0, {"depth": n, "cost": 5}) for n in range(3)]
    (constant,) = _confounded(runs).constant
    assert ("backtest", param("cost"), 5.0) == (constant.run_type, constant.field, constant.level)


def test_numbers_that_moved_together() -> None:
    """A number that rises whenever another falls cannot be told from it; a third one that does not can."""
    runs = [
        trial(n, 1.0, {"rate": 2.0**-n, "rounds": 100 * n + n % 3, "seed": n * 7 % 12}) for n in range(12)
    ]
    (group,) = _confounded(runs).together
    assert (param("rate"), param("rounds")) == group.fields
    assert pytest.approx(1.0) == group.strength


def test_a_number_that_changed_with_a_version() -> None:
    """A learning rate that was changed along with the features only, up and down, is named with them."""
    runs = [
        trial(n, 1.0, {"rate": [0.1, 0.3, 0.2][n % 3], "depth": n // 3 % 4}, feature_version=f"v{n % 3}")
        for n in range(24)
    ]
    assert [{"rate", "feature_version"}] == _together(runs)
    assert tag("feature_version") in _confounded(runs).together[0].fields


def test_a_parameter_that_only_some_models_have() -> None:
    """A number that is missing with one model and there with another moves with the model."""
    runs = [
        trial(n, 1.0, {"model": "net", "dropout": n / 40} if n % 2 else {"model": "tree"}) for n in range(24)
    ]
    assert [{"model", "dropout"}] == _together(runs)


def test_three_that_move_together_are_one_group() -> None:
    """Parameters of which each two move together are one group, as strong as the two that do least."""
    runs = [trial(n, 1.0, {"a": n % 2, "b": n % 2, "c": n % 2 if n else 1, "free": n}) for n in range(100)]
    (group,) = _confounded(runs).together
    assert (param("a"), param("b"), param("c")) == group.fields
    assert 0.9 < group.strength < 1.0


def test_what_two_have_in_common_joins_them_not() -> None:
    """Two parameters that each go along with a third, and not with each other, are not one group."""
    grid: list[dict[str, object]] = [
        {"splits": 6, "lookback": 21 * (1 + n % 3), "holding": 5 * (1 + n // 3 % 4)} for n in range(24)
    ]
    other: list[dict[str, object]] = [{"splits": 8, "lookback": "joined", "holding": "joined"}] * 2
    runs = [trial(n, 1.0, {**each, "seed": n}) for n, each in enumerate([*grid, *other])]
    assert [{"holding", "splits"}, {"lookback", "splits"}] == sorted(_together(runs), key=sorted)


def test_parameters_that_vary_on_their_own_are_no_group() -> None:
    """A full grid confounds nothing."""
    runs = [trial(n, 1.0, {"a": n % 2, "b": n // 2 % 3, "c": f"x{n // 6}"}) for n in range(24)]
    assert [] == _together(runs)


def test_three_runs_confound_nothing() -> None:
    """Where any two parameters move together by chance, nothing is said."""
    assert [] == _together([trial(n, 1.0, {"a": n, "b": n}) for n in range(3)])


def test_only_so_many_parameters_are_compared() -> None:
    """Of more parameters than 200 the answer says that not all are compared."""
    runs = [
        trial(n, 1.0, {f"p{place:03}": f"x{(n >> place % 3) % 2}" for place in range(201)}) for n in range(16)
    ]
    confounded = _confounded(runs)
    assert confounded.reason is not None
    assert (TOO_MANY, 200) == (
        confounded.reason.code,
        sum(len(group.fields) for group in confounded.together),
    )


def test_no_runs_confound_nothing() -> None:
    """Without runs there is nothing to name."""
    assert Confounded((), (), ()) == _confounded([])
