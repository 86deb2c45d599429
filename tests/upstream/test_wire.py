"""MLflow's JSON read into values: recorded replies, peculiarities of servers, malformed replies."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.tracking.runs import Experiment, Run
from service.upstream import wire
from service.upstream.wire import WireError
from tests.upstream.readers import read_experiments, read_runs

SAMPLES = Path(__file__).parents[1] / "samples"
INFO = {"run_id": "r", "status": "FINISHED"}


def run_reply(data: object = None, **info: Any) -> bytes:
    run: dict[str, Any] = {"info": {**INFO, **info}}
    return json.dumps({"run": run if data is None else {**run, "data": data}}).encode()


def metrics_of(value: str) -> dict[str, float | None]:
    data = f'{{"metrics": [{{"key": "m", "value": {value}}}]}}'
    body = f'{{"run": {{"info": {json.dumps(INFO)}, "data": {data}}}}}'
    return dict(wire.read_run(body.encode()).metrics)


def sample(case: str, status: int = 200) -> bytes:
    return (SAMPLES / case / f"{status}.json").read_bytes()


def test_reads_a_recorded_run() -> None:
    """A reply of a real MLflow is read field for field, with all its tags."""
    body = sample("runs_get")
    raw = json.loads(body)["run"]
    tags = {tag["key"]: tag["value"] for tag in raw["data"]["tags"]}
    assert raw["info"]["run_name"] == tags["mlflow.runName"]
    assert Run(
        run_id=raw["info"]["run_id"],
        run_name=raw["info"]["run_name"],
        status="FINISHED",
        start_time=1748779200000,
        end_time=1748779260000,
        artifact_uri=raw["info"]["artifact_uri"],
        params={"lookback": "252", "universe": "sp500"},
        metrics={"oos_sharpe": 1.25, "max_drawdown": -0.125, "trades": 1234.0},
        tags=tags,
        experiment_id=raw["info"]["experiment_id"],
        user_id="ada",
    ) == wire.read_run(body)


@pytest.mark.parametrize("case", ["runs_search", "runs_search_page"])
def test_reads_recorded_lists(case: str) -> None:
    """A recorded list has its runs in their order, and its token where there is one more page."""
    raw = json.loads(sample(case))
    runs, token, unreadable, size = read_runs(sample(case))
    assert [run["info"]["run_id"] for run in raw["runs"]] == [run.run_id for run in runs]
    assert (raw.get("next_page_token", ""), [], len(sample(case))) == (token, unreadable, size)
    assert [len(run["data"].get("metrics", [])) for run in raw["runs"]] == [len(run.metrics) for run in runs]


def test_reads_a_recorded_empty_list() -> None:
    """MLflow's answer when nothing matches reads as no runs and no token."""
    assert ([], "", []) == read_runs(sample("runs_search_empty"))[:3]


def test_reads_a_recorded_deleted_run() -> None:
    """A deleted run reads like any other, and is marked as deleted."""
    raw = json.loads(sample("runs_get_deleted"))["run"]["info"]
    run = wire.read_run(sample("runs_get_deleted"))
    assert ("deleted", raw["run_id"], True) == (raw["lifecycle_stage"], run.run_id, run.is_deleted)


def test_reads_recorded_experiments() -> None:
    """Experiments are read with the fields that matter, and the token of the next page."""
    raw = json.loads(sample("experiments_get_by_name"))["experiment"]
    experiment = wire.read_experiment(sample("experiments_get_by_name"))
    fields = ("experiment_id", "name", "artifact_location", "lifecycle_stage", "creation_time")
    assert Experiment(*(raw[field] for field in fields)) == experiment
    page = json.loads(sample("experiments_search_page"))
    read = read_experiments(sample("experiments_search_page"))
    assert [one["name"] for one in page["experiments"]] == [one.name for one in read.found]
    assert page["next_page_token"] == read.token


@pytest.mark.parametrize(
    ("case", "status", "expected"),
    [
        ("runs_get_unknown", 404, "RESOURCE_DOES_NOT_EXIST"),
        ("experiments_get_by_name_unknown", 404, "RESOURCE_DOES_NOT_EXIST"),
        ("runs_get_without_id", 400, "INVALID_PARAMETER_VALUE"),
        ("runs_search_junk_token", 500, "INTERNAL_ERROR"),
    ],
)
def test_reads_recorded_errors(case: str, status: int, expected: str) -> None:
    """The code of a recorded error is read."""
    assert expected == wire.read_error_code(sample(case, status))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'"x"',
        b'{"error_code": 5}',
        b'{"error_code": null}',
        b"\xff",
        b"[" * 100_000,
    ],
    ids=lambda body: repr(body)[:20],
)
def test_reads_no_code_of_other_errors(body: bytes) -> None:
    """A body that is not an error of MLflow has no code."""
    assert "" == wire.read_error_code(body)


def test_reads_a_run_with_almost_nothing() -> None:
    """A run with nothing but its id and status has empty mappings, no times, and no name."""
    expected = Run("r", "", "FINISHED", None, None, "", {}, {}, {})
    assert expected == wire.read_run(run_reply())
    assert expected == wire.read_run(run_reply({}))
    assert [expected] == read_runs(json.dumps({"runs": [{"info": INFO}]}).encode())[0]


def test_ignores_unknown_members() -> None:
    """Members that newer servers add do no harm."""
    body = run_reply({"metrics": [], "datasets": [1]}, run_uuid="r", lifecycle_stage="active", new={"x": []})
    assert "r" == wire.read_run(body).run_id


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (5, 5),
        ("5", 5),
        (0, 0),
        ("0", 0),
        (-1, -1),
        ("1699900800000", 1699900800000),
        (1.7e12, 1700000000000),
        ("1.7e12", 1700000000000),
        (1700000000000.75, 1700000000000),
        ("1.5", 1),
        (2**63 - 1, 2**63 - 1),
        (None, None),
    ],
)
def test_reads_times(given: float | str | None, expected: int | None) -> None:
    """Times are read as numbers and as quoted numbers, without their fraction; null is None."""
    run = wire.read_run(run_reply(start_time=given, end_time=given))
    assert (expected, expected) == (run.start_time, run.end_time)


@pytest.mark.parametrize(
    "given", ["", "x", "NaN", "Infinity", "1" * 5_000, 2**63, -(2**63) - 1, 1e300, [], {}, True]
)
def test_rejects_malformed_times(given: object) -> None:
    """A time that is not a number, or does not fit into 64 bits, makes a run unreadable."""
    with pytest.raises(WireError):
        wire.read_run(run_reply(start_time=given))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("1", 1.0),
        ("-0.5", -0.5),
        ("1e3", 1000.0),
        ('"1.5"', 1.5),
        ('"NaN"', None),
        ('"Infinity"', math.inf),
        ('"-Infinity"', -math.inf),
        ("NaN", None),
        ("Infinity", math.inf),
        ("-Infinity", -math.inf),
        ("1.7976931348623157e308", math.inf),
        ("-1.7976931348623157e308", -math.inf),
        ("1e999", math.inf),
        ("1.7976931348623155e308", 1.7976931348623155e308),
        ("5e-324", 5e-324),
        ("null", None),
    ],
)
def test_reads_metric_values(written: str, expected: float | None) -> None:
    """A value is a number, infinity or, for NaN, None, however the server writes the last two."""
    assert {"m": expected} == metrics_of(written)


@pytest.mark.parametrize("written", ['""', '"x"', "true", "[]", "{}"])
def test_rejects_malformed_metric_values(written: str) -> None:
    """A value that is not a number makes a run unreadable."""
    with pytest.raises(WireError):
        metrics_of(written)


@given(st.floats())
def test_any_number_survives(value: float) -> None:
    """Every double is read back as itself, but the two that stand for infinity; NaN is None."""
    if abs(value) == 1.7976931348623157e308:
        value = math.copysign(math.inf, value)
    for written in (json.dumps(value), json.dumps(str(value))):
        assert {"m": None if math.isnan(value) else value} == metrics_of(written)


@pytest.mark.parametrize(
    ("info", "expected"), [({"user_id": "ada"}, "ada"), ({"user_id": None}, ""), ({}, "")]
)
def test_reads_the_user(info: dict[str, Any], expected: str) -> None:
    """A run has the id of the user who started it, "" where the server says none."""
    assert expected == wire.read_run(run_reply(**info)).user_id
    twice = {"metrics": [{"key": "m", "value": 1.0}] * 2}  # which only lenient.py reads
    assert expected == wire.read_run(run_reply(twice, **info)).user_id


def test_reads_the_name_from_a_tag() -> None:
    """Older servers have the name only in the tag mlflow.runName; the field counts where both are set."""
    tags = {"tags": [{"key": "mlflow.runName", "value": "tagged"}, {"key": "a", "value": "b"}]}
    run = wire.read_run(run_reply(tags))
    assert ("tagged", {"mlflow.runName": "tagged", "a": "b"}) == (run.run_name, run.tags)
    assert "field" == wire.read_run(run_reply(tags, run_name="field")).run_name
    assert "tagged" == wire.read_run(run_reply(tags, run_name=None)).run_name


def test_a_missing_value_is_empty() -> None:
    """A param or tag without a value has the empty string."""
    run = wire.read_run(run_reply({"params": [{"key": "p"}], "tags": [{"key": "t", "value": ""}]}))
    assert ({"p": ""}, {"t": ""}) == (run.params, run.tags)


def test_any_text_survives() -> None:
    """Unicode, escapes and line separators are read as they were written."""
    text = "é\u2028\n\t\"\\'\x00🎲"
    for ensure_ascii in (True, False):
        data = {"tags": [{"key": text, "value": text}]}
        body = json.dumps({"run": {"info": INFO, "data": data}}, ensure_ascii=ensure_ascii).encode()
        assert {text: text} == wire.read_run(body).tags


def test_reads_bare_nan() -> None:
    """A reply with bare NaN, which is not JSON, is read like any other, with its other peculiarities."""
    body = (
        '{"runs": [{"info": {"run_id": "r", "status": "FINISHED", "start_time": "7"}, "data": {"metrics": '
        '[{"key": "a", "value": NaN}, {"key": "b", "value": "2.5"}]}}], "next_page_token": "t"}'
    )
    runs, token, *_ = read_runs(body.encode())
    assert ("t", 7, {"a": None, "b": 2.5}) == (token, runs[0].start_time, runs[0].metrics)


def test_replaces_half_a_surrogate_pair() -> None:
    """Half of a surrogate pair, which UTF-8 cannot carry, becomes U+FFFD; whole pairs stay."""
    body = run_reply({"tags": [{"key": "k\ud800", "value": "\udc00x🎲\ud83d"}]})
    assert {"k\ufffd": "\ufffdx🎲\ufffd"} == wire.read_run(body).tags


@pytest.mark.parametrize(("runs", "pauses"), [(1, 0), (5, 0), (6, 2), (100, 20)])
def test_reads_a_long_list_in_steps(runs: int, pauses: int) -> None:
    """Before every five runs of a long list there is a pause, in which other requests are handled."""
    body = json.dumps({"runs": [{"info": {**INFO, "run_id": str(number)}} for number in range(runs)]})
    assert pauses == len(list(wire.read_runs(body.encode())))
    assert [str(number) for number in range(runs)] == [run.run_id for run in read_runs(body.encode()).found]
