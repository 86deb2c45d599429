"""MLflow's JSON, read into values. Pure: bytes in, values out, WireError for what is not MLflow's answer.

The shapes are those of https://mlflow.org/docs/latest/api_reference/rest-api.html, with what servers really
send: unset fields and empty lists are left out, numbers that JSON lacks come as "NaN", "Infinity" and
"-Infinity" (some servers: bare), int64 may be quoted, and older servers keep a run's name only in a tag.
"""

from __future__ import annotations

import json
import math
from collections.abc import Generator
from sys import intern
from typing import TypeVar

import msgspec

from service.tracking.runs import Experiment, Run

# MLflow's SQL store keeps ±Infinity as the largest double there is.
_LARGEST = 1.7976931348623157e308
_AT_ONCE = 5  # runs read in one turn: a sixth of a millisecond

Body = bytes | bytearray  # of a reply

T = TypeVar("T")


class WireError(ValueError):
    """A body that is not what MLflow's API answers."""


class _KeyValue(msgspec.Struct, gc=False):
    key: str
    value: str = ""


class _Metric(msgspec.Struct, gc=False):
    key: str
    value: float | str


class _Info(msgspec.Struct, gc=False):
    run_id: str
    status: str
    run_name: str = ""
    start_time: int | str | None = None
    end_time: int | str | None = None
    artifact_uri: str = ""


class _Data(msgspec.Struct, gc=False):
    metrics: list[_Metric] = []
    params: list[_KeyValue] = []
    tags: list[_KeyValue] = []


class _Run(msgspec.Struct, gc=False):
    info: _Info
    data: _Data = msgspec.field(default_factory=_Data)


class _RunReply(msgspec.Struct, gc=False):
    run: _Run


class _RunsReply(msgspec.Struct, gc=False):
    runs: list[msgspec.Raw] = []
    next_page_token: str = ""


class _ExperimentReply(msgspec.Struct, gc=False):
    experiment: Experiment


class _ExperimentsReply(msgspec.Struct, gc=False):
    experiments: list[Experiment] = []
    next_page_token: str = ""


class _ErrorReply(msgspec.Struct, gc=False):
    error_code: str


_run = msgspec.json.Decoder(_Run)
_run_reply = msgspec.json.Decoder(_RunReply)
_runs_reply = msgspec.json.Decoder(_RunsReply)
_experiment = msgspec.json.Decoder(_ExperimentReply)
_experiments = msgspec.json.Decoder(_ExperimentsReply)
_anything = msgspec.json.Decoder(dict[str, object])
_error = msgspec.json.Decoder(_ErrorReply)


def read_run(body: Body) -> Run:
    """The run in a reply of runs/get."""
    return _to_run(_decode(_run_reply, body).run, {})


def read_runs(body: Body) -> Generator[None, None, tuple[list[Run], str]]:
    """The runs in a reply of runs/search, and the token of its next page, "" on the last one.

    A hundred runs are two milliseconds of work, done in turns: between two of them it yields.
    """
    reply = _decode(_runs_reply, body)
    if not reply.runs:
        _only_empty(body, reply.next_page_token)
    shared: dict[str, str] = {}
    runs: list[Run] = []
    for start in range(0, len(reply.runs), _AT_ONCE):
        if len(reply.runs) > _AT_ONCE:
            yield
        runs += [_to_run(_decode(_run, run), shared) for run in reply.runs[start : start + _AT_ONCE]]
    return runs, reply.next_page_token


def read_experiment(body: Body) -> Experiment:
    """The experiment in a reply of experiments/get-by-name."""
    return _decode(_experiment, body).experiment


def read_experiments(body: Body) -> tuple[list[Experiment], str]:
    """The experiments in a reply of experiments/search, and the token of its next page."""
    reply = _decode(_experiments, body)
    if not reply.experiments:
        _only_empty(body, reply.next_page_token)
    return reply.experiments, reply.next_page_token


def read_nothing(body: Body) -> None:
    """A reply of which only the success matters."""
    del body


def read_error_code(body: Body) -> str:
    """The code of an error reply; "" where the body is not one of MLflow's."""
    try:
        return _error.decode(body).error_code
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""


def _decode(decoder: msgspec.json.Decoder[T], body: Body | msgspec.Raw) -> T:
    try:
        try:
            return decoder.decode(body)
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError:
            # Bare NaN and Infinity, which JSON lacks and some servers send: quoted, they are read as well.
            return decoder.decode(json.dumps(json.loads(bytes(body), parse_constant=str)))
    except (ValueError, RecursionError) as error:  # msgspec's and json's errors are ValueErrors
        raise WireError(str(error)) from error


def _only_empty(body: Body, token: str) -> None:
    # A list that is empty is left out, so no runs is `{}`; anything else without them is no such reply.
    unexpected = _decode(_anything, body).keys() - {"runs", "experiments", "next_page_token"}
    if unexpected or token:
        raise WireError(f"a list is missing beside {sorted(unexpected) or 'a page token'}")


def _to_run(run: _Run, shared: dict[str, str]) -> Run:
    # All runs have much the same names, and the runs of a list mostly the same values: each is kept once.
    info, data, same = run.info, run.data, shared.setdefault
    tags = {intern(tag.key): same(tag.value, tag.value) for tag in data.tags}
    name = tags.pop("mlflow.runName", "")  # MLflow's own copy of the name
    return Run(
        run_id=info.run_id,
        run_name=info.run_name or name,
        status=intern(info.status),
        start_time=_integer(info.start_time),
        end_time=_integer(info.end_time),
        artifact_uri=info.artifact_uri,
        params={intern(param.key): same(param.value, param.value) for param in data.params},
        metrics={intern(metric.key): _finite(metric.value) for metric in data.metrics},
        tags=tags,
    )


def _finite(value: float | str) -> float | None:
    try:
        number = float(value)
    except ValueError as error:
        raise WireError("a metric's value is not a number") from error
    return number if math.isfinite(number) and abs(number) < _LARGEST else None


def _integer(value: int | str | None) -> int | None:
    try:
        return None if value is None else int(value)
    except ValueError as error:
        raise WireError("a time is not an integer") from error
