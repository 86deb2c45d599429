"""Runs as configurations."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.tracking.analysis.configurations import Configurations, Level, configurations_of
from service.tracking.analysis.typed import canonical, number_of
from service.tracking.runs import Run
from service.tracking.search.fields import Field
from tests.tracking.analysis.trials import METRIC, param, tag, trial


def _only(runs: list[Run], ignore: tuple[Field, ...] = ()) -> Configurations:
    (configurations,) = configurations_of(runs, METRIC, ignore)
    return configurations


def _levels(configurations: Configurations) -> dict[Field, tuple[Level, ...]]:
    return {factor.field: factor.levels for factor in configurations.factors}


def test_texts_of_one_meaning_are_one_level() -> None:
    """Numbers however written are one level; levels are missing, then numbers, then texts as they came."""
    texts = ["auto", "1e1", "2", "10.0", "AUTO"]
    runs = [trial(n, 1.0, {"depth": text}) for n, text in enumerate(texts)]
    assert {param("depth"): (None, 2.0, 10.0, "auto", "AUTO")} == _levels(_only([*runs, trial(9, 1.0)]))


@given(st.lists(st.none() | st.sampled_from(["0", "-0.0", "0e5", "7", "7.0", "-1", "1e400", "e", "2" * 17])))
def test_a_column_of_numbers_is_read_as_one_of_texts(texts: list[str | None]) -> None:
    """Whether all texts are numbers or not, a configuration has the level that its text means."""
    runs = [
        trial(n, float(n), {"n": n} | ({} if text is None else {"x": text})) for n, text in enumerate(texts)
    ]
    for configurations in configurations_of(runs, METRIC):
        for factor in configurations.factors:
            if factor.field == param("x"):
                levels = [factor.levels[code] for code in factor.codes]
                expected = [None if text is None else _meaning(text) for text in texts]
                assert expected == [levels[int(value)] for value in np.argsort(configurations.values)]


def _meaning(text: str) -> Level:
    number = number_of(text)
    return canonical(text) if number is None or abs(number) >= 2**53 else number


@pytest.mark.parametrize(
    "run",
    [
        trial(2, 5.0, {"depth": 9}, status="RUNNING"),
        trial(2, 5.0, {"depth": 9}, status="FAILED"),
        trial(2, None, {"depth": 9}),
        trial(2, float("inf"), {"depth": 9}),
        trial(2, float("nan"), {"depth": 9}),
        trial(2, -1e300, {"depth": 9}),
    ],
)
def test_runs_that_are_not_compared(run: Run) -> None:
    """A run that has not finished, or has no value that can be reckoned with, is left out."""
    configurations = _only([trial(1, 1.0, {"depth": 4}), run])
    assert ([1.0], ["r1"]) == (configurations.values.tolist(), list(configurations.run_ids))


def test_what_never_varied_is_constant() -> None:
    """A parameter or tag with one value is a constant, with that value."""
    runs = [trial(n, 1.0, {"depth": n, "cost": "5"}, feature_version="v3") for n in range(3)]
    assert ((param("cost"), 5.0), (tag("feature_version"), "v3")) == _only(runs).constants


def test_a_result_can_be_ignored() -> None:
    """A parameter that is to be ignored neither keeps configurations apart nor is listed."""
    runs = [trial(n, float(n), {"depth": 4, "best_iteration": n}) for n in range(3)]
    configurations = _only(runs, (param("best_iteration"),))
    assert ([1.0], [3], ()) == (
        configurations.values.tolist(),
        configurations.runs.tolist(),
        configurations.factors,
    )


def test_a_path_of_the_run_itself_is_no_parameter() -> None:
    """A parameter in which each run names itself says nothing of how it was configured."""
    runs = [trial(n, float(n), {"output": f"s3://bucket/r{n}/out"}) for n in range(3)]
    configurations = _only(runs)
    assert ((param("output"),), [3]) == (configurations.ignored, configurations.runs.tolist())


@pytest.mark.parametrize("depths", [range(6), [4, 4, 4, 6, 6, 6]])
def test_a_version_that_the_run_made_is_no_cause(depths: list[int]) -> None:
    """A model version that each run has for itself follows from what was run, and keeps nothing apart."""
    runs = [trial(n, 1.0, {"depth": depth}, model_version=f"m{n}") for n, depth in enumerate(depths)]
    configurations = _only(runs)
    assert (tag("model_version"),) == configurations.ignored
    assert len(set(depths)) == len(configurations.values)


def test_a_version_that_alone_differs_is_a_cause() -> None:
    """Where runs of equal parameters used two models, the model is one of the things that changed."""
    runs = [trial(n, 1.0, {"depth": n % 2}, model_version=f"m{n // 4}") for n in range(8)]
    assert {param("depth"): (0.0, 1.0), tag("model_version"): ("m0", "m1")} == _levels(_only(runs))


def test_two_runs_that_differ_in_their_model() -> None:
    """Where nothing else differs, the model's version is what changed."""
    runs = [trial(n, 1.0, {"depth": 4}, signal_version=f"s{n}") for n in range(2)]
    assert {tag("signal_version"): ("s0", "s1")} == _levels(_only(runs))


def test_run_types_are_apart() -> None:
    """Each run type has configurations of its own, the one with most of them first."""
    runs = [trial(1, 1.0, run_type="cpcv"), *(trial(n, 1.0, {"depth": n}) for n in (2, 3))]
    assert ["backtest", "cpcv"] == [each.run_type for each in configurations_of(runs, METRIC)]
