"""Parameters and tags over several runs."""

import pytest

from service.tracking.analysis.parameters import ParamAnalysis, param_analysis, tags_that_differ
from tests.tracking.values import make_run


@pytest.mark.parametrize(
    ("texts", "varies", "numeric", "same_number"),
    [
        (["0.1", "0.1"], False, True, False),
        (["0.1", "0.10"], True, True, True),
        (["1e-1", "0.1", "0.10"], True, True, True),
        (["0.1", "0.2"], True, True, False),
        (["0.1", None], True, True, False),
        (["0.1", "0.10", None], True, True, False),
        (["0.1", "adam"], True, False, False),
        (["adam", "adam"], False, False, False),
        (["nan", "NaN"], True, False, False),
        (["True", "true"], True, False, False),
        (["12345678901234567890", "12345678901234567891"], True, True, False),
    ],
)
def test_a_parameter(texts: list[str | None], varies: bool, numeric: bool, same_number: bool) -> None:
    """It varies as its texts do, and what differs only in how a number is written is said to."""
    values = dict(zip("abc", texts, strict=False))
    assert ParamAnalysis(values, varies, numeric, same_number) == param_analysis(values)


def test_tags_that_differ() -> None:
    """Tags of the lineage and of users are shown where they differ, or one run lacks them."""
    runs = [
        make_run("a", tags={"git_commit": "1", "same": "x", "mlflow.runName": "n", "only": ""}),
        make_run("b", tags={"git_commit": "2", "same": "x", "mlflow.runName": "m"}),
    ]
    assert {"git_commit": {"a": "1", "b": "2"}, "only": {"a": "", "b": None}} == tags_that_differ(runs)
