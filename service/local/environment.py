"""The environment variables of the local MLflow, and of the process that writes the sample. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

# The only variables of MLflow that the local one gets; the others configure another server, or a client of
# one.
PASSED_ON = frozenset({"MLFLOW_ALLOW_FILE_STORE", "MLFLOW_LOGGING_LEVEL"})
_MLFLOW = "MLFLOW_"
# MLflow's internal variables, the service's own, and those of libraries in MLflow: uvicorn and click would
# take their options from theirs.
_OTHERS = ("_MLFLOW_", "DATABRICKS_", "FLASK_", "GUNICORN_", "OTEL_", "TRACKING_", "UVICORN_")
_SET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "PYTHONSAFEPATH": "1",  # no module is imported from the current folder
    "NO_PROXY": "*",
    "no_proxy": "*",
}


def environment(environ: Mapping[str, str], *, is_file_store: bool = False) -> dict[str, str]:
    """Return the environment of the local MLflow, derived from the one of this process.

    It has no credentials, no proxies and nothing that names another store or server.
    """
    kept = {name: value for name, value in environ.items() if name in PASSED_ON or not _is_withheld(name)}
    allowed = {"MLFLOW_ALLOW_FILE_STORE": "true"} if is_file_store else {}
    return kept | _SET | allowed


def withheld(names: Iterable[str]) -> list[str]:
    """Return those of these variables that are MLflow's and that the local MLflow does not get, sorted."""
    return sorted(name for name in names if name.startswith(_MLFLOW) and name not in PASSED_ON | _SET.keys())


def _is_withheld(name: str) -> bool:
    return name.startswith((_MLFLOW, *_OTHERS)) or name.lower().endswith("_proxy")
