"""How MLflow writes its JSON: errors, runs, experiments and page tokens.

The shapes are those of mlflow/server/handlers.py and mlflow/utils/proto_json_utils.py: unset fields and empty
lists are left out, int64 are numbers, NaN is a string, and errors are one compact line.
"""

import base64
import binascii
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.fakes.store import Experiment, Run

LARGEST = 1.7976931348623157e308

# code: HTTP status, sqlstate, error_class (mlflow/exceptions.py)
ERRORS = {
    "INVALID_PARAMETER_VALUE": (400, "KAM00", "INVALID_PARAMETER_VALUE"),
    "BAD_REQUEST": (400, "KAM00", "INVALID_PARAMETER_VALUE"),
    "RESOURCE_ALREADY_EXISTS": (400, "KAM00", "RESOURCE_ALREADY_EXISTS"),
    "RESOURCE_DOES_NOT_EXIST": (404, "KAM00", "RESOURCE_NOT_FOUND"),
    "INTERNAL_ERROR": (500, "XXM00", "CLIENT_INTERNAL_ERROR"),
}


class MlflowError(Exception):
    """An error that MLflow answers as JSON."""

    def __init__(self, message: str, code: str = "INVALID_PARAMETER_VALUE") -> None:
        super().__init__(message)
        self.status, sqlstate, error_class = ERRORS[code]
        self.body = json.dumps(
            {"error_code": code, "message": message, "sqlstate": sqlstate, "error_class": error_class}
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """Where other servers that speak MLflow's REST API write it differently."""

    string_int64: bool = False
    name_in_tag_only: bool = False
    bare_nan: bool = False
    infinity_strings: bool = False
    pretty: bool = True

    def integer(self, value: int) -> int | str:
        return str(value) if self.string_int64 else value

    def number(self, value: float) -> float | str:
        if math.isnan(value):
            return value if self.bare_nan else "NaN"
        if math.isinf(value):
            if self.infinity_strings:
                return "Infinity" if value > 0 else "-Infinity"
            return math.copysign(LARGEST, value)
        return float(value)

    def text(self, value: Any) -> str:
        return json.dumps(value, indent=2) if self.pretty else json.dumps(value, separators=(",", ":"))


def pairs(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in values.items()]


def without_empty(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value not in (None, [])}


def run_info(run: Run, dialect: Dialect) -> dict[str, Any]:
    return without_empty(
        {
            "run_uuid": run.run_id,
            "experiment_id": run.experiment_id,
            "run_name": None if dialect.name_in_tag_only else run.name,
            "user_id": run.user_id,
            "status": run.status,
            "start_time": dialect.integer(run.start_time),
            # mlflow/entities/run_info.py sets it only where it is truthy: a 0 is left out.
            "end_time": dialect.integer(run.end_time) if run.end_time else None,
            "artifact_uri": run.artifact_uri,
            "lifecycle_stage": run.lifecycle_stage,
            "run_id": run.run_id,
        }
    )


def run_body(run: Run, dialect: Dialect) -> dict[str, Any]:
    metrics = [
        {
            "key": key,
            "value": dialect.number(metric.value),
            "timestamp": dialect.integer(metric.timestamp),
            "step": dialect.integer(metric.step),
        }
        for key, metric in run.metrics.items()
    ]
    return {
        "info": run_info(run, dialect),
        "data": without_empty({"metrics": metrics, "params": pairs(run.params), "tags": pairs(run.tags)}),
        "inputs": run.inputs,
    }


def run_text(run: Run, dialect: Dialect, indent: str) -> str:
    """One run as it stands inside a reply; encoded once until it changes, which keeps load tests cheap."""
    if run.rendered is None:
        run.rendered = dialect.text({**run_body(run, dialect), "outputs": run.outputs})
    return run.rendered.replace("\n", f"\n{indent}") if dialect.pretty else run.rendered


def runs_page(runs: Iterable[Run], token: str | None, dialect: Dialect) -> str:
    texts = [run_text(run, dialect, "    ") for run in runs]
    if not texts:
        return "{}"
    if not dialect.pretty:
        tail = f',"next_page_token":"{token}"' if token else ""
        return f'{{"runs":[{",".join(texts)}]{tail}}}'
    tail = f',\n  "next_page_token": "{token}"' if token else ""
    joined = ",\n    ".join(texts)
    return f'{{\n  "runs": [\n    {joined}\n  ]{tail}\n}}'


def experiment_body(experiment: Experiment, dialect: Dialect) -> dict[str, Any]:
    return without_empty(
        {
            "experiment_id": experiment.experiment_id,
            "name": experiment.name,
            "artifact_location": experiment.artifact_location,
            "lifecycle_stage": experiment.lifecycle_stage,
            "last_update_time": dialect.integer(experiment.last_update_time),
            "creation_time": dialect.integer(experiment.creation_time),
            "tags": pairs(experiment.tags),
            "workspace": "default",
        }
    )


def page_token(offset: int) -> str:
    return base64.b64encode(json.dumps({"offset": offset}).encode()).decode()


def page_offset(token: str) -> int:
    """The offset in a page token, with the errors of SearchUtils.parse_start_offset_from_page_token."""
    if not token:
        return 0
    try:
        decoded = base64.b64decode(token)
    except (TypeError, binascii.Error):
        raise MlflowError("Invalid page token, could not base64-decode") from None
    try:
        parsed = json.loads(decoded)
    except ValueError:
        raise MlflowError(f"Invalid page token, decoded value={decoded!r}") from None
    if not isinstance(parsed, dict):
        raise MlflowError(f"'{type(parsed).__name__}' object has no attribute 'get'", "INTERNAL_ERROR")
    offset = parsed.get("offset")
    if not offset:
        raise MlflowError(f"Invalid page token, parsed value={parsed}")
    try:
        return max(0, int(offset))
    except ValueError:
        raise MlflowError(f"Invalid page token, not stringable {offset}") from None
    except TypeError as error:
        raise MlflowError(str(error), "INTERNAL_ERROR") from error
