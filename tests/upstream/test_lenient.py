"""Answers of other servers with MLflow's API, and lists with an entry that cannot be read."""

import json
from typing import Any

import pytest

from service.tracking.runs import Experiment
from service.upstream import wire
from service.upstream.wire import Unreadable, WireError
from tests.upstream.readers import read_experiments, read_runs

INFO = {"run_id": "r", "status": "FINISHED"}


def body(data: object = None, **info: Any) -> bytes:
    return json.dumps({"run": {"info": {**INFO, **info}, "data": data}}).encode()


def pair(written: str) -> bytes:
    """A reply with one param and one tag of a value as it is written."""
    pairs = f'[{{"key": "k", "value": {written}}}]'
    return (
        f'{{"run": {{"info": {json.dumps(INFO)}, "data": {{"params": {pairs}, "tags": {pairs}}}}}}}'.encode()
    )


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("63", "63"),
        ("-1.50", "-1.50"),
        ("1e-07", "1e-07"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ("true", "true"),
        ("false", "false"),
        ("null", ""),
        ('""', ""),
        ('"null"', "null"),
        ('{"a": [1, null]}', '{"a": [1, null]}'),
        ("[1.0]", "[1.0]"),
        ("NaN", "NaN"),
    ],
)
def test_values_that_are_no_strings_become_text(written: str, expected: str) -> None:
    """A param or tag that is not a string reads as its JSON; null reads as the empty string."""
    run = wire.read_run(pair(written))
    assert ({"k": expected}, {"k": expected}) == (run.params, run.tags)


@pytest.mark.parametrize(
    "data", [None, {}, {"metrics": None, "params": None, "tags": None}, {"tags": [None]}]
)
def test_null_reads_as_not_set(data: object) -> None:
    """Lists, the data and the members of the info may all be null."""
    run = wire.read_run(
        body(data, run_name=None, start_time=None, end_time=None, artifact_uri=None, lifecycle_stage=None)
    )
    assert ("", None, None, "", False) == (
        run.run_name,
        run.start_time,
        run.end_time,
        run.artifact_uri,
        run.is_deleted,
    )
    assert ({}, {}, {}) == (run.params, run.metrics, run.tags)


def test_reads_run_uuid_as_the_id() -> None:
    """The id may stand in run_uuid alone; where both are set, run_id counts."""
    written = {"run": {"info": {"run_uuid": "old", "status": "FINISHED"}}}
    assert "old" == wire.read_run(json.dumps(written).encode()).run_id
    assert "r" == wire.read_run(body(run_uuid="old")).run_id


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("FINISHED", "FINISHED"),
        ("finished", "FINISHED"),
        ("3", "FINISHED"),
        (3, "FINISHED"),
        (1, "RUNNING"),
        (None, "RUNNING"),
        ("", "RUNNING"),
        ("PENDING", "PENDING"),
        (0, "0"),
    ],
)
def test_reads_statuses(status: object, expected: str) -> None:
    """A status may be protobuf's number; an unknown one stays as it is, and a missing one is RUNNING."""
    run = wire.read_run(body(status=status))
    assert expected == run.status
    assert (expected == "FINISHED") is run.is_terminal


def test_ids_may_be_numbers() -> None:
    """Ids that a server sends as numbers read as text."""
    run = wire.read_run(body(run_id=7, experiment_id=3))
    assert ("7", "3") == (run.run_id, run.experiment_id)


@pytest.mark.parametrize(
    ("metrics", "expected"),
    [
        ([("m", 1.0, 2, 0), ("m", 9.0, 1, 5)], 1.0),
        ([("m", 9.0, 1, 5), ("m", 1.0, 2, 0)], 1.0),
        ([("m", 1.0, 2, 5), ("m", 9.0, 2, 4)], 1.0),
        ([("m", 9.0, 2, 4), ("m", 1.0, 2, 5)], 1.0),
        ([("m", 9.0, "9", 0), ("m", 1.0, "10", 0)], 1.0),
        ([("m", 9.0, None, 0), ("m", 1.0, 1, None)], 1.0),
        ([("m", 9.0, 1, 1), ("m", "NaN", 2, 1)], None),
        ([("m", 9.0, -1, 1), ("m", 1.0, 0, 0)], 1.0),
    ],
)
def test_the_latest_of_repeated_metrics_counts(
    metrics: list[tuple[Any, ...]], expected: float | None
) -> None:
    """Of a repeated metric the highest step counts, then the latest time, in whatever order they come."""
    written = [
        {"key": key, "value": value, "step": step, "timestamp": timestamp}
        for key, value, step, timestamp in metrics
    ]
    read = wire.read_run(body({"metrics": [*written, {"key": "other", "value": 3.0}]})).metrics
    assert {"m": expected, "other": 3.0} == read


def test_the_last_of_repeated_params_counts() -> None:
    """Of a param or tag that a server repeats, the last one counts."""
    pairs = [{"key": "k", "value": "a"}, {"key": "k", "value": "b"}]
    run = wire.read_run(body({"params": pairs, "tags": pairs}))
    assert ({"k": "b"}, {"k": "b"}) == (run.params, run.tags)


def test_replaces_bytes_that_are_no_utf8() -> None:
    """A text in another encoding stays readable except for the bytes that are no UTF-8."""
    assert {"k": "\ufffdx"} == wire.read_run(pair('"?x"').replace(b"?", b"\xe9")).params


@pytest.mark.parametrize(
    "run",
    [
        {"info": {"run_id": "bad", "status": "FINISHED", "start_time": "soon"}},
        {"info": {"run_id": "bad"}, "data": {"metrics": [{"key": "m", "value": "x"}]}},
        {"info": {"run_id": "bad"}, "data": {"metrics": [{"value": 1.0}]}},
        {"info": {"run_id": "bad"}, "data": {"tags": {"a": "b"}}},
        {"info": {"run_uuid": "bad"}, "data": {"params": [5]}},
        {"info": {"run_id": "bad"}, "data": [1]},
    ],
)
def test_leaves_out_an_unreadable_run(run: object) -> None:
    """The other runs of the list are read, and the one that is left out is named, with the reason."""
    others = [{"info": {**INFO, "run_id": f"r{number}"}} for number in range(7)]
    page = read_runs(json.dumps({"runs": [*others[:3], run, *others[3:]], "next_page_token": "t"}).encode())
    assert [f"r{number}" for number in range(7)] == [one.run_id for one in page.found]
    [(name, why)] = page.unreadable
    assert ("bad", "t", True) == (name, page.token, bool(why))


@pytest.mark.parametrize("run", [None, 5, {}, {"info": None}, {"info": {"status": "FINISHED"}}])
def test_rejects_a_list_without_any_id(run: object) -> None:
    """A list in which no run has an id is a WireError; beside good runs, one without an id is left out."""
    with pytest.raises(WireError):
        read_runs(json.dumps({"runs": [run, run]}).encode())
    page = read_runs(json.dumps({"runs": [{"info": INFO}, run]}).encode())
    assert (["r"], [""]) == ([one.run_id for one in page.found], [one.name for one in page.unreadable])


def test_a_list_of_one_unreadable_run_is_empty() -> None:
    """A list whose only run has an id but cannot be read is an empty list."""
    page = read_runs(b'{"runs": [{"info": {"run_id": "bad", "start_time": "x"}}]}')
    assert ([], [Unreadable("bad", "a time is not a number")]) == (page.found, page.unreadable)


def test_reads_experiments_of_other_servers() -> None:
    """Numbers read as text, null as not set, and an experiment is active unless it is marked as deleted."""
    written = {"experiment_id": 7, "name": "e", "artifact_location": None, "creation_time": "5"}
    reply = {"experiments": [written], "next_page_token": None}
    assert [Experiment("7", "e", "", "active", 5)] == read_experiments(json.dumps(reply).encode()).found
    assert Experiment("7", "e", "", "active", 5) == wire.read_experiment(
        json.dumps({"experiment": written}).encode()
    )


def test_leaves_out_an_unreadable_experiment() -> None:
    """The other experiments of the list are read, and the one that is left out is named."""
    good = {"experiment_id": "1", "name": "e", "lifecycle_stage": "active"}
    bad = {"experiment_id": "2", "name": None}
    page = read_experiments(json.dumps({"experiments": [bad, good]}).encode())
    assert (["1"], ["2"]) == (
        [one.experiment_id for one in page.found],
        [one.name for one in page.unreadable],
    )


def test_a_page_token_may_be_a_number() -> None:
    """A page token that a server sends as a number goes back as text."""
    assert "5" == read_runs(json.dumps({"runs": [{"info": INFO}], "next_page_token": 5}).encode()).token
