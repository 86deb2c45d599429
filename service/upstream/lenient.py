"""Reads answers that differ from MLflow's own, but can be understood. Pure.

Other servers with MLflow's API send numbers where MLflow sends strings, null for what is not set, the same
metric once for each context (FastTrackML), or a run's id only as `run_uuid`. wire.py reads what MLflow sends
and falls back to this module, which reads each member by itself, from its raw bytes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Final, TypeVar

import msgspec

from service.tracking.runs import Experiment, Run
from service.upstream.names import Names

Body = bytes | bytearray  # of a reply

T = TypeVar("T")

# MLflow's SQL store keeps ±Infinity as the largest double there is.
LARGEST: Final = 1.7976931348623157e308
_INT64 = range(-(2**63), 2**63)
_STATUSES = ("RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED")
# By name, and by number as protobuf has them (mlflow/protos/service.proto).
_STATUS = {status: status for status in _STATUSES} | {str(n): s for n, s in enumerate(_STATUSES, start=1)}

_Member = Mapping[str, msgspec.Raw]


class WireError(ValueError):
    """A body is not what MLflow's API answers."""


class _Data(msgspec.Struct, gc=False):
    metrics: list[dict[str, msgspec.Raw] | None] | None = None
    params: list[dict[str, msgspec.Raw] | None] | None = None
    tags: list[dict[str, msgspec.Raw] | None] | None = None


class _Run(msgspec.Struct, gc=False):
    info: dict[str, msgspec.Raw] | None = None
    data: _Data | None = None


_run = msgspec.json.Decoder(_Run)
_experiment = msgspec.json.Decoder(dict[str, msgspec.Raw])


def read_run(body: Body | msgspec.Raw, names: Names) -> Run:
    """A run, from the JSON object that stands for it.

    A param or tag that is not set is "", a metric None. Of a metric that occurs several times, the value with
    the highest step counts, and among those the latest.
    """
    run = decode(_run, body)
    info, data = run.info or {}, run.data or _Data()
    run_id = id_of(info)
    if not run_id:
        raise WireError("a run has no id")
    tags = _texts(data.tags, names)
    return Run(
        run_id=run_id,
        run_name=_text(info, "run_name") or tags.get("mlflow.runName", ""),
        status=status_of(_text(info, "status"), names),
        start_time=time_of(_text(info, "start_time")),
        end_time=time_of(_text(info, "end_time")),
        artifact_uri=_text(info, "artifact_uri") or "",
        params=_texts(data.params, names),
        metrics=_metrics(data.metrics, names),
        tags=tags,
        experiment_id=names[_text(info, "experiment_id") or ""],
        is_deleted=_text(info, "lifecycle_stage") == "deleted",
        user_id=names[_text(info, "user_id") or ""],
    )


def read_experiment(body: Body | msgspec.Raw) -> Experiment:
    """An experiment, from the JSON object that stands for it."""
    experiment = decode(_experiment, body)
    experiment_id, name = _text(experiment, "experiment_id"), _text(experiment, "name")
    if not experiment_id or name is None:
        raise WireError("an experiment has no id or no name")
    return Experiment(
        experiment_id,
        name,
        _text(experiment, "artifact_location") or "",
        "deleted" if _text(experiment, "lifecycle_stage") == "deleted" else "active",
        time_of(_text(experiment, "creation_time")),
    )


def name_of(body: Body | msgspec.Raw) -> str:
    """The id of a run or experiment that cannot be read; "" where even the id cannot be read."""
    try:
        object_ = decode(_experiment, body)
        info = decode(_experiment, object_["info"]) if "info" in object_ else object_
        return id_of(info) or _text(info, "experiment_id") or ""
    except WireError:
        return ""


def id_of(info: _Member) -> str:
    """A run's id; the oldest servers have it as run_uuid alone."""
    return _text(info, "run_id") or _text(info, "run_uuid") or ""


def status_of(text: str | None, names: Names) -> str:
    """A run's status: one of MLflow's, or the server's own; RUNNING, protobuf's default, if not set."""
    if not text:
        return "RUNNING"
    return _STATUS.get(text) or _STATUS.get(text.upper()) or names[text]


def time_of(value: float | str | None) -> int | None:
    """Milliseconds from an int64, quoted or not, or from a number without its fraction; None if not set."""
    if value is None:
        return None
    try:
        time = int(value)
    except (ValueError, OverflowError):
        time = _whole(value)
    if time not in _INT64:
        raise WireError("a time is not an int64")
    return time


def _whole(value: float | str) -> int:
    try:
        return int(float(value))
    except (ValueError, OverflowError) as error:
        raise WireError("a time is not a number") from error


def metric_of(value: float | str) -> float | None:
    """A metric's value, which may be infinite; None for NaN, however the server writes that."""
    try:
        number = float(value)
    except ValueError as error:
        raise WireError("a metric's value is not a number") from error
    if abs(number) >= LARGEST:
        return math.copysign(math.inf, number)
    return None if math.isnan(number) else number


def decode(decoder: msgspec.json.Decoder[T], body: Body | msgspec.Raw) -> T:
    """The value that a body holds; WireError where it holds none of that type."""
    try:
        try:
            return decoder.decode(body)
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError:
            # Bare NaN and Infinity, which JSON lacks and some servers send: quoted, they are read as well.
            loaded = json.loads(bytes(body), parse_constant=str)
            return decoder.decode(_well_formed(json.dumps(loaded, ensure_ascii=False)))
    except (ValueError, RecursionError) as error:  # msgspec's and json's errors are ValueErrors
        raise WireError(str(error)) from error


def _text(member: _Member, key: str) -> str | None:
    """A value as text: a string as it is, anything else as its JSON; None where it is not set."""
    raw = member.get(key)
    if raw is None:
        return None
    written = bytes(raw)
    if written == b"null":
        return None
    if not written.startswith(b'"'):
        return written.decode()
    try:
        return msgspec.json.decode(written, type=str)
    except ValueError:  # bytes that are no UTF-8
        return str(json.loads(written.decode(errors="replace")))


def _well_formed(text: str) -> str:
    # Half of a surrogate pair, which no UTF-8 can carry, becomes U+FFFD.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _texts(pairs: Sequence[_Member | None] | None, names: Names) -> dict[str, str]:
    return {names[_key(pair)]: _text(pair, "value") or "" for pair in pairs or () if pair}


def _metrics(metrics: Sequence[_Member | None] | None, names: Names) -> dict[str, float | None]:
    latest: dict[str, tuple[tuple[int, int], float | None]] = {}
    for metric in metrics or ():
        if metric:
            key, value = names[_key(metric)], _text(metric, "value")
            rank = (time_of(_text(metric, "step")) or 0, time_of(_text(metric, "timestamp")) or 0)
            if key not in latest or rank >= latest[key][0]:
                latest[key] = rank, None if value is None else metric_of(value)
    return {key: value for key, (_, value) in latest.items()}


def _key(pair: _Member) -> str:
    key = _text(pair, "key")
    if key is None:
        raise WireError("a metric, param or tag has no name")
    return key
