"""How a metric goes along with parameters."""

import numpy as np
import pytest
from scipy import stats

from service.tracking.analysis.associations import Association, associations_of
from service.tracking.analysis.computed import NOT_COMPUTABLE, TOO_FEW_TRIALS
from service.tracking.analysis.configurations import configurations_of
from service.tracking.directions import Direction
from service.tracking.runs import Run
from tests.tracking.analysis.trials import METRIC, param, trial


def _associations(runs: list[Run], direction: Direction = Direction.MAX) -> dict[str, Association]:
    found = associations_of(configurations_of(runs, METRIC), direction)
    return {each.field.key: each for each in found}


def _noise(n: int) -> list[float]:
    return [float(each) for each in np.random.default_rng(5).normal(size=n)]


def test_a_number_has_spearmans_rho() -> None:
    """A number is ranked against the metric, over the configurations that have it."""
    values = _noise(20)
    runs = [trial(n, value + n / 5, {"depth": n}) for n, value in enumerate(values)]
    runs += [trial(100 + n, 9.0, {"other": n}) for n in range(3)]
    expected = stats.spearmanr(range(20), [value + n / 5 for n, value in enumerate(values)])
    depth = _associations(runs)["depth"]
    assert ("spearman", 20, 3, True) == (depth.method.name, depth.n, depth.missing, depth.is_rise_better)
    assert pytest.approx((expected.statistic, expected.pvalue)) == (depth.value, depth.p_value)


def test_a_text_among_numbers_is_left_out() -> None:
    """A parameter that is a number in most configurations is ranked by those."""
    runs = [trial(n, float(n), {"seed": n, "depth": n if n < 12 else "auto"}) for n in range(20)]
    depth = _associations(runs)["depth"]
    assert ("spearman", 12, 1.0) == (depth.method.name, depth.n, depth.value)


def test_a_text_has_epsilon_squared() -> None:
    """Values of a text that five configurations have are compared, a missing one among them."""
    values = _noise(21)
    losses = [None] * 6 + ["l1"] * 7 + ["l2"] * 7 + ["rare"]
    runs = [
        trial(n, value, {"n": n} | ({"loss": loss} if loss else {}))
        for n, (value, loss) in enumerate(zip(values, losses, strict=True))
    ]
    expected = stats.kruskal(values[:6], values[6:13], values[13:20])
    loss = _associations(runs)["loss"]
    assert ("kruskal_wallis", 20, 6, 3) == (loss.method.name, loss.n, loss.missing, loss.levels)
    assert loss.is_rise_better is None
    assert pytest.approx((expected.statistic / 19, expected.pvalue)) == (loss.value, loss.p_value)


def test_false_discoveries_are_controlled_over_all() -> None:
    """Each q-value is adjusted for all associations of the answer, and the surest comes first."""
    values = _noise(40)
    runs = [
        trial(n, value, {f"p{k}": (n * (2 * k + 3) + k) % 41 for k in range(8)} | {"good": value})
        for n, value in enumerate(values)
    ]
    associations = _associations(runs)
    p_values = [each.p_value for each in associations.values() if each.p_value is not None]
    expected = stats.false_discovery_control(p_values)
    assert "good" == next(iter(associations))
    assert pytest.approx(list(expected)) == [each.q_value for each in associations.values()]
    assert p_values == sorted(p_values)


@pytest.mark.parametrize(
    ("direction", "is_better"),
    [
        (Direction.MAX, False),
        (Direction.MIN, True),
        (Direction.CLOSEST_TO_ZERO, None),
        (Direction.NONE, None),
    ],
)
def test_the_direction_says_whether_a_rise_is_better(direction: Direction, is_better: bool | None) -> None:
    """A metric that falls as the parameter rises gets better where it is better low."""
    runs = [trial(n, -float(n), {"depth": n}) for n in range(12)]
    assert is_better is _associations(runs, direction)["depth"].is_rise_better


def test_fewer_than_ten_configurations_have_none() -> None:
    """Nine configurations have no associations, and re-runs of them add none."""
    runs = [trial(n, float(n), {"depth": n % 9}) for n in range(90)]
    assert {} == _associations(runs)


@pytest.mark.parametrize(
    ("params", "value", "code"),
    [
        ([{"name": f"a{n}"} for n in range(12)], 1.0, TOO_FEW_TRIALS),
        ([{"n": n, **({"name": n} if n < 5 else {})} for n in range(12)], 1.0, TOO_FEW_TRIALS),
        ([{"name": n} for n in range(12)], 0.0, NOT_COMPUTABLE),
    ],
)
def test_what_has_no_association_says_why(params: list[dict[str, object]], value: float, code: str) -> None:
    """Texts that come up once, numbers that few have and a metric that is always the same have a reason."""
    runs = [trial(n, value * n, each) for n, each in enumerate(params)]
    name = _associations(runs)["name"]
    assert (None, None, None) == (name.value, name.p_value, name.q_value)
    assert name.reason is not None
    assert code == name.reason.code


def test_the_field_is_named() -> None:
    """An association names its field and its run type."""
    runs = [trial(n, float(n), {"depth": n}, run_type="cpcv") for n in range(12)]
    depth = _associations(runs)["depth"]
    assert ("cpcv", param("depth")) == (depth.run_type, depth.field)
