"""What the comparison decides: which fields differ, their order, what tells runs apart, what a copy says."""

from typing import Any

import pytest

from tests.console.modules import evaluated
from tests.console.watched import Watched

pytestmark = pytest.mark.console

ANALYSIS: dict[str, Any] = {"baseline": "a", "metrics": {}, "params": {}, "tags": {}, "warnings": []}


def param(*values: str | None, same_number: bool = False) -> dict[str, Any]:
    """A parameter of the runs a, b, c as the API answers it."""
    texts = [value for value in values if value is not None]
    return {
        "values": dict(zip("abc", values, strict=False)),
        "varies": len(set(values)) > 1,
        "numeric": all(text.replace(".", "").isdigit() for text in texts),
        "same_number": same_number,
    }


def metric(*values: float | None, direction: str = "max", not_finite: str = "") -> dict[str, Any]:
    """A metric of the runs a, b, c as the API answers it; higher is better than the baseline's."""
    finite = [value for value in values if value is not None]
    base, *others = values
    deltas = {}
    for name, value in zip("bc", others, strict=False):
        absolute = None if value is None or base is None else value - base
        better = None if not absolute or direction == "none" else absolute > 0
        deltas[name] = {"absolute": absolute, "relative": None, "better": better, "reason": "signs_differ"}
    return {
        "direction": direction,
        "rule": None,
        "values": dict(zip("abc", values, strict=False)),
        "not_finite_run_ids": list(not_finite),
        "deltas": deltas,
        "ranks": {},
        "best_run_ids": [],
        "spread": {
            "n": len(finite),
            "missing": len(values) - len(finite),
            "min": min(finite, default=None),
            "max": max(finite, default=None),
        },
    }


async def names(page: Watched, kind: str, sort: str, find: str = "", **analysis: Any) -> list[list[str]]:
    """The names of the fields that differ and of those that are equal, in their order."""
    call = """Object.values(m.shownOf(m.fieldsOf(values[0])[values[1]], {sort: values[2], find: values[3]}))
      .map((list) => list.map(({ name }) => name))"""
    return list(await evaluated(page, "compare/fields.js", call, {**ANALYSIS, **analysis}, kind, sort, find))


async def test_what_differs_comes_before_what_is_equal(module_page: Watched) -> None:
    """A parameter that differs, or that a run lacks, is apart from those that are equal or one number."""
    params = {
        "seed": param("1", "1"),
        "depth": param("0.1", "0.10", same_number=True),
        "window": param("63", "252"),
        "cost": param("5", None),
    }
    assert [["window", "cost"], ["seed", "depth"]] == await names(
        module_page, "params", "order", params=params
    )


async def test_a_metric_that_a_run_lacks_or_that_is_no_number_there_differs(module_page: Watched) -> None:
    """NaN in one run and nothing in another is a difference; NaN in all of them is none."""
    metrics = {
        "all_nan": metric(None, None, not_finite="ab"),
        "nan_or_missing": metric(None, None, not_finite="a"),
        "missing": metric(1.0, None),
        "equal": metric(1.0, 1.0),
        "differs": metric(1.0, 2.0),
    }
    assert [["nan_or_missing", "missing", "differs"], ["all_nan", "equal"]] == await names(
        module_page, "metrics", "order", metrics=metrics
    )


async def test_the_worst_regression_comes_first(module_page: Watched) -> None:
    """By regression, what is worst against the baseline stands first, as a share, whatever its size."""
    metrics = {
        "better": metric(1.0, 9.0),
        "a_little": metric(1000.0, 990.0),
        "halved": metric(0.02, 0.01),
        "sign_turned": metric(0.5, -0.2),
        "none_is_better": metric(1.0, 0.1, direction="none"),
        "from_zero": metric(0.0, -3.0),
    }
    differing, _ = await names(module_page, "metrics", "regression", metrics=metrics)
    assert ["sign_turned", "from_zero", "halved", "a_little", "better", "none_is_better"] == differing


async def test_the_largest_spread_comes_first(module_page: Watched) -> None:
    """By spread, what differs most between any two runs stands first, as a share of the larger one."""
    metrics = {
        "narrow": metric(100.0, 101.0),
        "wide": metric(0.1, 0.3, 0.2),
        "across_zero": metric(-1.0, 1.0),
    }
    differing, _ = await names(module_page, "metrics", "spread", metrics=metrics)
    assert ["across_zero", "wide", "narrow"] == differing


async def test_fields_are_found_by_a_part_of_their_name(module_page: Watched) -> None:
    """A part of the name finds a field in any case, and names sort with their numbers as numbers."""
    params = {name: param("1", "2") for name in ("fold_10", "fold_9", "seed", "Fold_1")}
    differing, _ = await names(module_page, "params", "name", "fOLD", params=params)
    assert ["Fold_1", "fold_9", "fold_10"] == differing


async def test_tags_of_the_lineage_come_first(module_page: Watched) -> None:
    """The tags of the lineage stand in its order before all others, which stand by name."""
    tags = {
        name: {"a": "1", "b": "2"} for name in ("zeta", "dataset_version", "alpha", "constructor", "run_type")
    }
    differing, _ = await names(module_page, "tags", "order", tags=tags)
    assert ["run_type", "dataset_version", "alpha", "constructor", "zeta"] == differing


async def labels(page: Watched, **analysis: Any) -> list[str]:
    """What tells the runs a, b, c from each other."""
    call = "[...m.differencesOf(values[0], ['a', 'b', 'c']).values()]"
    return list(await evaluated(page, "compare/runs.js", call, {**ANALYSIS, **analysis}))


async def test_a_run_is_labelled_by_what_tells_it_from_the_others(module_page: Watched) -> None:
    """The parameter that parts the runs most names them; a second one only where it parts them further."""
    two = {"side": param("long", "long", "short"), "window": param("63", "252", "126")}
    assert ["window=63", "window=252", "window=126"] == await labels(module_page, params=two)
    both = {"side": param("long", "short", "short"), "window": param("63", "63", "126")}
    assert ["side=long, window=63", "side=short, window=63", "side=short, window=126"] == await labels(
        module_page, params=both
    )


async def test_without_parameters_the_tags_tell_runs_apart(module_page: Watched) -> None:
    """Where no parameter differs a tag names the runs; where nothing differs nothing does."""
    tags = {"dataset_version": {"a": "v1", "b": "v2", "c": None}}
    assert ["dataset_version=v1", "dataset_version=v2", "no dataset_version"] == await labels(
        module_page, tags=tags
    )
    assert ["", "", ""] == await labels(module_page, params={"seed": param("1", "1", "1")})


async def test_letters_go_on_after_z(module_page: Watched) -> None:
    """A hundred runs have a hundred letters."""
    call = "[0, 9, 25, 26, 99].map(m.letterOf)"
    assert ["A", "J", "Z", "AA", "CV"] == await evaluated(module_page, "compare/runs.js", call)


async def test_a_run_moves_and_the_baseline_stays(module_page: Watched) -> None:
    """A run changes places with its neighbour as it is shown; the baseline is first and never moves."""
    call = """[m.moved(['a', 'b', 'c'], 'b', 'a', 1), m.moved(['a', 'b', 'c'], 'b', 'a', -1),
      m.moved(['a', 'b'], 'a', 'a', 1)]"""
    expected = [["c", "b", "a"], ["a", "b", "c"], ["a", "b"]]
    assert expected == await evaluated(module_page, "compare/view.js", call)


@pytest.mark.parametrize(
    ("text", "run_id"),
    [
        (" abc123 ", "abc123"),
        ("http://host/console/run?id=abc123", "abc123"),
        ("https://mlflow/#/experiments/1/runs/abc123/artifacts", "abc123"),
        ("runs:/abc123/model", "abc123"),
        ("<script>", ""),
        ("", ""),
    ],
)
async def test_a_run_id_is_found_in_what_is_pasted(module_page: Watched, text: str, run_id: str) -> None:
    """An id, the address of a run's page here or in MLflow, or a URI of a run names that run."""
    assert run_id == await evaluated(module_page, "compare/view.js", "m.pastedId(values[0])", text)


async def test_rows_in_sight(module_page: Watched) -> None:
    """Of rows of different heights those are drawn that lie in sight, and some around them."""
    call = """(() => {
      const offsets = m.offsetsOf([...Array(1000).keys()].map((i) => ({ size: i % 2 ? 30 : 46 })));
      return [m.seenOf(offsets, 0, 100, 0), m.seenOf(offsets, 38000, 100, 2), m.seenOf(offsets, 760, 76, 0),
        m.seenOf(m.offsetsOf([]), 0, 100, 4)];
    })()"""
    first, last, middle, empty = await evaluated(module_page, "compare/window.js", call)
    assert [[0, 3], [998, 1000], [20, 23], [0, 0]] == [first, last, middle, empty]


async def test_the_page_of_mlflow_for_the_same_runs(module_page: Watched) -> None:
    """MLflow compares the same runs where its address and all experiments are known, and else nowhere."""
    runs = [{"id": "a", "experimentId": "1"}, {"id": "b", "experimentId": "0"}]
    call = "m.comparisonInMlflow(values[0], values[1])"
    link = await evaluated(module_page, "compare/mlflow.js", call, "https://mlflow/", runs)
    assert (
        "https://mlflow/#/compare-runs?runs=%5B%22a%22%2C%22b%22%5D&experiments=%5B%221%22%2C%220%22%5D"
        == link
    )
    assert "" == await evaluated(module_page, "compare/mlflow.js", call, "", runs)
    unknown = [*runs, {"id": "c", "experimentId": ""}]
    assert "" == await evaluated(module_page, "compare/mlflow.js", call, "https://mlflow/", unknown)


async def test_ids_are_asked_for_in_filters_that_are_short_enough(module_page: Watched) -> None:
    """A hundred ids of MLflow fit into one filter; longer ones are asked for in several."""
    call = "m.parts(values[0]).map((list) => list.length)"
    usual = [f"{number:032x}" for number in range(100)]
    assert [100] == await evaluated(module_page, "compare/load.js", call, usual)
    assert [16, 4] == await evaluated(module_page, "compare/load.js", call, ["x" * 244] * 20)
    assert [] == await evaluated(module_page, "compare/load.js", call, [])


async def test_active_runs_are_listened_to_in_their_experiments(module_page: Watched) -> None:
    """Runs that go on are listened to; where the experiment of one is not known nobody can be."""
    call = "m.activeOf(new Map(values.map((run) => [run.run_id, run])))"
    runs = [
        {"run_id": "b", "status": "RUNNING", "experiment_id": "2"},
        {"run_id": "a", "status": "SCHEDULED", "experiment_id": "1"},
        {"run_id": "c", "status": "FINISHED", "experiment_id": "3"},
    ]
    active = await evaluated(module_page, "compare/load.js", call, *runs)
    assert {"ids": ["a", "b"], "experimentIds": ["1", "2"]} == active
    unknown = {"run_id": "d", "status": "RUNNING"}
    active = await evaluated(module_page, "compare/load.js", call, *runs, unknown)
    assert {"ids": ["a", "b", "d"], "experimentIds": []} == active
