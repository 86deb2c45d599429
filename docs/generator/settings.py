"""docs/reference/settings.md, from the models of the settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from generator.tables import REMARK, summary, table
from service.settings.groups import Group
from service.settings.load import PREFIX, Settings

SETTINGS = """\
# Settings

Settings are environment variables. They win over [`config/service.toml`](../../config/service.toml), where
each one stands with its default. An empty variable counts as not set. A wrong value stops the start with
one line that names the setting. [Install and run](../how-to/install.md#change-settings) says more.
"""


def settings_page() -> str:
    """Every setting, by groups."""
    parts = [REMARK.format(source="service/settings/"), SETTINGS]
    schema = Settings.model_json_schema(by_alias=True)
    plain = {name: field for name, field in schema["properties"].items() if "$ref" not in field}
    mlflow = {name: field for name, field in plain.items() if name.startswith("MLFLOW_")}
    own = {name: field for name, field in plain.items() if name not in mlflow}
    parts.append(_group("MLflow", "How MLflow is reached. The names are MLflow's own.", mlflow, ""))
    parts.append(_group("Service", "The service as a whole.", own, PREFIX))
    for name, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Group):
            group: type[BaseModel] = field.annotation
            properties = group.model_json_schema()["properties"]
            prefix = f"{PREFIX}{name.upper()}__"
            parts.append(_group(f"`{prefix}…`", summary(group), properties, prefix))
    return "".join(parts)


def _group(title: str, text: str, fields: Mapping[str, Any], prefix: str) -> str:
    rows = [
        (f"`{_variable(prefix, name)}`", _default(field), _values(field), field["description"])
        for name, field in fields.items()
    ]
    return f"\n## {title}\n\n{text}\n\n" + table(("setting", "default", "values", "meaning"), rows)


def _variable(prefix: str, name: str) -> str:
    return name if name.startswith("MLFLOW_") else prefix + name.upper()


def _default(field: Mapping[str, Any]) -> str:
    default = field.get("default")
    if default is None or default == "":
        return ""
    return f"`{json.dumps(default)}`" if isinstance(default, bool | int | float) else f"`{default}`"


def _values(field: Mapping[str, Any]) -> str:
    """What a setting may be, in a few words."""
    field = next((one for one in field.get("anyOf", ()) if one["type"] != "null"), field)
    match field:
        case {"enum": options}:
            return ", ".join(f"`{option}`" for option in options)
        case {"type": "boolean"}:
            return "`true`, `false`"
        case {"type": "integer" | "number" as kind}:
            word = "whole number" if kind == "integer" else "number"
            low = f"from {_number(field['minimum'])}" if "minimum" in field else ""
            low = f"above {_number(field['exclusiveMinimum'])}" if "exclusiveMinimum" in field else low
            high = f"to {_number(field['maximum'])}" if "maximum" in field else ""
            return " ".join(filter(None, (word, low, high)))
        case {"format": "path"}:
            return "path"
        case {"format": "password"}:
            return "secret text"
    return "text"


def _number(value: float) -> str:
    return f"{value:,.0f}"
