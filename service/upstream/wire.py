"""MLflow's JSON, read into values. Pure: bytes in, values out, WireError for what is not MLflow's answer.

The shapes are those of https://mlflow.org/docs/latest/api_reference/rest-api.html, with what servers really
send: unset fields and empty lists are left out, numbers that JSON lacks are "NaN", "Infinity" and
"-Infinity" (without quotes on some servers), int64 may be quoted, and older servers have a run's name only in
a tag. lenient.py reads what other servers write in another way. A run or experiment of a list that cannot be
read at all is reported by its id, and the others are read all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from service.tracking.runs import Experiment, Run
from service.upstream import lenient
from service.upstream.lenient import Body, WireError, decode, metric_of, status_of, time_of
from service.upstream.names import Names
from service.upstream.recorded import NOTHING, read_recorded

__all__ = ["Body", "WireError"]

_AT_ONCE = 5  # runs read in one step: a sixth of a millisecond
_EXPERIMENTS_AT_ONCE = 100
_EMPTY = 2  # bytes of `{}`, which nearly every run has for inputs and outputs

T = TypeVar("T")


class Unreadable(NamedTuple):
    """A run or experiment that cannot be read: its id, "" where even that cannot be read, and the reason."""

    name: str
    why: str


class Page(NamedTuple, Generic[T]):
    """A page of a list: what can be read, the token of the next page ("" on the last), and what cannot.

    size: bytes of the reply.
    """

    found: list[T]
    token: str
    unreadable: list[Unreadable]
    size: int


class _KeyValue(msgspec.Struct, gc=False):
    key: str
    value: str = ""


class _Metric(msgspec.Struct, gc=False):
    key: str
    value: float | str


class _Info(msgspec.Struct, gc=False):
    run_id: str
    status: str
    run_name: str | None = None
    start_time: int | str | None = None
    end_time: int | str | None = None
    artifact_uri: str | None = None
    experiment_id: str = ""
    lifecycle_stage: str | None = None
    user_id: str | None = None


class _Data(msgspec.Struct, gc=False):
    metrics: list[_Metric] = []
    params: list[_KeyValue] = []
    tags: list[_KeyValue] = []


class _Run(msgspec.Struct, gc=False):
    info: _Info
    data: _Data = msgspec.field(default_factory=_Data)
    inputs: msgspec.Raw = NOTHING
    outputs: msgspec.Raw = NOTHING


class _RunReply(msgspec.Struct, gc=False):
    run: msgspec.Raw


class _ListReply(msgspec.Struct, gc=False):
    runs: list[msgspec.Raw] | None = None
    experiments: list[msgspec.Raw] | None = None
    next_page_token: str | int | None = None


class _Experiment(msgspec.Struct, gc=False):
    experiment_id: str
    name: str
    lifecycle_stage: str
    artifact_location: str = ""
    creation_time: int | str | None = None


class _ExperimentReply(msgspec.Struct, gc=False):
    experiment: msgspec.Raw


class _ErrorReply(msgspec.Struct, gc=False):
    error_code: str


_run = msgspec.json.Decoder(_Run)
_run_reply = msgspec.json.Decoder(_RunReply)
_list_reply = msgspec.json.Decoder(_ListReply)
_experiment = msgspec.json.Decoder(_Experiment)
_experiment_reply = msgspec.json.Decoder(_ExperimentReply)
_anything = msgspec.json.Decoder(dict[str, object])
_error = msgspec.json.Decoder(_ErrorReply)


def read_run(body: Body, names: Names | None = None) -> Run:
    """The run in a reply of runs/get. names: the names of metrics, params and tags that runs share."""
    return _to_run(decode(_run_reply, body).run, {}, Names() if names is None else names)


def read_runs(body: Body, names: Names | None = None) -> Generator[None, None, Page[Run]]:
    """The runs in a reply of runs/search.

    A hundred runs are two milliseconds of work, which is done in steps: it yields between two of them.
    """
    reply = decode(_list_reply, body)
    raws, token = reply.runs or [], _token(reply)
    if not raws:
        _only_empty(body, token)
    names = Names() if names is None else names
    shared: dict[Any, Any] = {}
    page: Page[Run] = Page([], token, [], len(body))
    for start in range(0, len(raws), _AT_ONCE):
        if len(raws) > _AT_ONCE:
            yield
        for raw in raws[start : start + _AT_ONCE]:
            _add(page, raw, lambda run: _to_run(run, shared, names))
    return _some(page)


def read_experiment(body: Body) -> Experiment:
    """The experiment in a reply of experiments/get-by-name."""
    return _to_experiment(decode(_experiment_reply, body).experiment)


def read_experiments(body: Body) -> Generator[None, None, Page[Experiment]]:
    """The experiments in a reply of experiments/search, which may be a thousand: in steps, too."""
    reply = decode(_list_reply, body)
    raws, token = reply.experiments or [], _token(reply)
    if not raws:
        _only_empty(body, token)
    page: Page[Experiment] = Page([], token, [], len(body))
    for start in range(0, len(raws), _EXPERIMENTS_AT_ONCE):
        if start:
            yield
        for raw in raws[start : start + _EXPERIMENTS_AT_ONCE]:
            _add(page, raw, _to_experiment)
    return _some(page)


def read_nothing(body: Body) -> None:
    """Nothing, for a reply of which only the success matters."""
    del body


def read_error_code(body: Body) -> str:
    """The code of an error reply; "" where the body is not one of MLflow's."""
    try:
        return _error.decode(body).error_code
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""


def _add(page: Page[T], raw: msgspec.Raw, read: Callable[[msgspec.Raw], T]) -> None:
    try:
        page.found.append(read(raw))
    except WireError as error:
        page.unreadable.append(Unreadable(lenient.name_of(raw), str(error)))


def _some(page: Page[T]) -> Page[T]:
    # Where not even one has an id, this is not MLflow's list: it must not look like an empty one.
    if page.unreadable and not page.found and not any(one.name for one in page.unreadable):
        raise WireError(page.unreadable[0].why)
    return page


def _token(reply: _ListReply) -> str:
    return "" if reply.next_page_token is None else str(reply.next_page_token)


def _only_empty(body: Body, token: str) -> None:
    # A list that is empty is left out, so no runs is `{}`; anything else without them is no such reply.
    unexpected = decode(_anything, body).keys() - {"runs", "experiments", "next_page_token"}
    if unexpected or token:
        raise WireError(f"a list is missing beside {sorted(unexpected) or 'a page token'}")


def _to_run(raw: msgspec.Raw, shared: dict[Any, Any], names: Names) -> Run:
    try:
        run = _run.decode(raw)
    except (ValueError, RecursionError):
        return lenient.read_run(raw, names)
    # All runs have much the same names, and the runs of a list mostly the same values: each is kept once.
    info, data, same = run.info, run.data, shared.setdefault
    metrics = {names[metric.key]: metric_of(metric.value) for metric in data.metrics}
    if len(metrics) < len(data.metrics) or not info.run_id:
        return lenient.read_run(raw, names)
    tags = {names[tag.key]: same(tag.value, tag.value) for tag in data.tags}
    name = tags.get("mlflow.runName", "")  # one object, for it mostly is the same text
    return Run(
        run_id=info.run_id,
        run_name=name if name == info.run_name else info.run_name or name,
        status=status_of(info.status, names),
        start_time=time_of(info.start_time),
        end_time=time_of(info.end_time),
        artifact_uri=info.artifact_uri or "",
        params={names[param.key]: same(param.value, param.value) for param in data.params},
        metrics=metrics,
        tags=tags,
        experiment_id=names[info.experiment_id],
        is_deleted=info.lifecycle_stage == "deleted",
        user_id=names[info.user_id or ""],
        recorded=read_recorded(run.inputs, run.outputs, shared)
        if len(run.inputs) > _EMPTY or len(run.outputs) > _EMPTY
        else None,
    )


def _to_experiment(raw: msgspec.Raw) -> Experiment:
    try:
        one = _experiment.decode(raw)
        created = time_of(one.creation_time)
    except (ValueError, RecursionError):
        return lenient.read_experiment(raw)
    return Experiment(one.experiment_id, one.name, one.artifact_location, one.lifecycle_stage, created)
