"""What the local MLflow, and the sample that is written into it, are told by their environment. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

# Of MLflow's variables only these are for the local one, too; the others mean a server or a client elsewhere.
MEANT = frozenset({"MLFLOW_ALLOW_FILE_STORE", "MLFLOW_LOGGING_LEVEL"})
_MLFLOW = "MLFLOW_"
# MLflow's internal variables, the service's own, and those of the libraries inside: uvicorn and click read
# theirs before they take a default.
_OTHERS = ("_MLFLOW_", "DATABRICKS_", "FLASK_", "GUNICORN_", "OTEL_", "TRACKING_", "UVICORN_")
_SET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "PYTHONSAFEPATH": "1",  # no folder of the user's is looked into for modules
    "NO_PROXY": "*",
    "no_proxy": "*",
}


def environment(given: Mapping[str, str], *, is_file_store: bool = False) -> dict[str, str]:
    """The environment of the local MLflow, made of this process's.

    It has no credentials, no proxies and nothing that means another store or server.
    """
    own = {name: value for name, value in given.items() if name in MEANT or not _is_withheld(name)}
    allowed = {"MLFLOW_ALLOW_FILE_STORE": "true"} if is_file_store else {}
    return own | _SET | allowed


def withheld(given: Iterable[str]) -> list[str]:
    """The variables of MLflow that the local one does not get, though somebody has set them."""
    return sorted(name for name in given if name.startswith(_MLFLOW) and name not in MEANT | _SET.keys())


def _is_withheld(name: str) -> bool:
    return name.startswith((_MLFLOW, *_OTHERS)) or name.lower().endswith("_proxy")
