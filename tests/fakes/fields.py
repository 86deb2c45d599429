"""How MLflow reads a request: protobuf's ParseDict first, then the checks of mlflow/server/handlers.py."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.fakes.wire import MlflowError

VIEW_TYPES = ("ACTIVE_ONLY", "DELETED_ONLY", "ALL")
RUN_STATUSES = ("RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED")
HINT = " See the API docs for more information about request parameters."


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _integer(value: Any) -> int:
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        raise TypeError
    return int(value)


def _number(value: Any) -> float:
    if isinstance(value, bool):
        raise TypeError
    return float(value)


def _list_of(item: Callable[[Any], Any]) -> Callable[[Any], list[Any]]:
    def read(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise TypeError
        return [item(one) for one in value]

    return read


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError
    return value


def _one_of(names: tuple[str, ...]) -> Callable[[Any], str]:
    """An enum by name or by number from 1; what is unknown is ignored, as protobuf's ParseDict is told to."""

    def read(value: Any) -> str:
        if value in names:
            return str(value)
        number = int(value) if str(value).isdigit() else 0
        return names[number - 1] if 1 <= number <= len(names) else ""

    return read


def _int_like(value: Any) -> bool:
    try:
        int(value)
    except (ValueError, TypeError):
        return False
    return True


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a request: how protobuf reads it, and what MLflow checks where protobuf could not."""

    read: Callable[[Any], Any]
    default: Any
    accepts: Callable[[Any], bool] = lambda _: True
    required: bool = False


def is_text(value: Any) -> bool:
    return isinstance(value, str)


def is_list(value: Any) -> bool:
    return isinstance(value, list)


TEXT = Field(_string, "", is_text)
UNCHECKED_TEXT = Field(_string, "")
REQUIRED_TEXT = Field(_string, "", is_text, required=True)
INTEGER = Field(_integer, 0, _int_like)
REQUIRED_INTEGER = Field(_integer, 0, _int_like, required=True)
END_TIME = Field(_integer, None, _int_like)
PAGE_SIZE = Field(_integer, None, _int_like)
MAX_RESULTS = Field(_integer, 1000, _int_like)
REQUIRED_NUMBER = Field(_number, 0.0, required=True)
TEXTS = Field(_list_of(_string), (), is_list)
OBJECTS = Field(_list_of(_object), (), is_list)
UNCHECKED_OBJECTS = Field(_list_of(_object), ())
VIEW_TYPE = Field(_one_of(VIEW_TYPES), "")
STATUS = Field(_one_of(RUN_STATUSES), "")


def read_request(body: Mapping[str, Any], fields: Mapping[str, Field]) -> dict[str, Any]:
    """A request as MLflow reads it: fields in the order sent, up to the first that protobuf refuses.

    A refusal is an error only where MLflow's own check of that field fails too; otherwise the rest of the
    request is silently lost, which is why {"experiment_ids": [1]} finds nothing and says 200.
    """
    if "run_uuid" in body:
        body = {"run_id": body["run_uuid"], **body}
    values = {name: field.default for name, field in fields.items()}
    parsed = True
    for name, value in body.items():
        if name not in fields or value is None:
            continue
        try:
            values[name] = fields[name].read(value)
        except (TypeError, ValueError):
            parsed = False
            break
    for name, field in fields.items():
        value = body.get(name)
        if field.required and value in (None, ""):
            raise MlflowError(f"Missing value for required parameter '{name}'.{HINT}")
        if not parsed and name in body and not field.accepts(value):
            raise invalid_value(name, value)
    return values


def invalid_value(name: str, value: Any) -> MlflowError:
    kind = type(value).__name__
    hint = f"Hint: Value was of type '{kind}'.{HINT}"
    return MlflowError(f"Invalid value {json.dumps(value)} for parameter '{name}' supplied:  {hint}")
