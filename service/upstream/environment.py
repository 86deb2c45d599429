"""What the environment variables of MLflow's client mean to this service. Pure.

mlflow/environment_variables.py lists them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches

_PREFIX = "MLFLOW_"
_TRUE = {"true", "1"}
_FALSE = {"false", "0"}
_KUBERNETES = "/var/run/secrets/kubernetes.io/serviceaccount/token"
_DEFAULT = "Default"  # the experiment of every new MLflow
_ALIKE = 0.9  # of difflib: MLFLOW_TRACKING_URL is MLFLOW_TRACKING_URI, MLFLOW_TRACKING_DIR is not

# Variables for which the service has settings of its own.
_PAUSES = "the service has its own pauses; TRACKING_UPSTREAM__ATTEMPTS bounds them"
_REPLACEMENTS = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "set TRACKING_UPSTREAM__READ_TIMEOUT and TRACKING_DEADLINE",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "set TRACKING_UPSTREAM__ATTEMPTS",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": _PAUSES,
    "MLFLOW_HTTP_REQUEST_BACKOFF_JITTER": _PAUSES,
    "MLFLOW_HTTP_POOL_CONNECTIONS": "set TRACKING_UPSTREAM__MAX_IN_FLIGHT",
    "MLFLOW_HTTP_POOL_MAXSIZE": "set TRACKING_UPSTREAM__MAX_IN_FLIGHT",
    "MLFLOW_LOGGING_LEVEL": "set TRACKING_LOG_LEVEL",
}
# Variables with values that change nothing for the service, and what to say about the other values.
_UNLESS = {
    "MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER": (_TRUE, "MLflow's Retry-After is always respected"),
    "MLFLOW_ALLOW_HTTP_REDIRECTS": (
        _FALSE,
        "redirects are never followed; MLFLOW_TRACKING_URI must be the address that they end at",
    ),
}


def unsupported(environment: Mapping[str, str]) -> Iterator[str]:
    """What MLflow's client could do with a server and the service cannot, each with what to do instead."""
    if environment.get("MLFLOW_TRACKING_AWS_SIGV4", "").lower() in _TRUE:
        yield (
            "MLFLOW_TRACKING_AWS_SIGV4: the service does not sign requests; put a proxy that signs them, "
            "such as aws-sigv4-proxy, into MLFLOW_TRACKING_URI, and unset this"
        )
    if plugin := environment.get("MLFLOW_TRACKING_AUTH"):
        yield f"MLFLOW_TRACKING_AUTH: {_instead_of_plugin(plugin)}"


def wrong_experiment(environment: Mapping[str, str], name: str) -> Iterator[str]:
    """An error where only MLFLOW_EXPERIMENT_ID names the experiment. name: the one the service would use."""
    identifier = environment.get("MLFLOW_EXPERIMENT_ID", "")
    if identifier not in {"", "0"} and name == _DEFAULT:  # whose id is 0
        yield (
            "MLFLOW_EXPERIMENT_ID: the service knows its experiment by name; set MLFLOW_EXPERIMENT_NAME to "
            f"the name of the experiment {identifier}"
        )


def replaced(environment: Mapping[str, str], host: str, *, has_credentials: bool) -> Iterator[str]:
    """Variables that have no effect, each with the setting to use instead. host: MLflow's."""
    for name, said in _REPLACEMENTS.items():
        if environment.get(name):
            yield f"{name} is not read: {said}"
    for name, (harmless, said) in _UNLESS.items():
        if environment.get(name, "").lower() not in {"", *harmless}:
            yield f"{name} is not read: {said}"
    if "databricks" in host and not has_credentials:
        for name in ("DATABRICKS_TOKEN", "DATABRICKS_CLIENT_SECRET", "DATABRICKS_CONFIG_PROFILE"):
            if environment.get(name):
                yield f"{name} is not read: set MLFLOW_TRACKING_TOKEN to a token of Databricks"


def misspelt(environment: Mapping[str, str], known: Collection[str]) -> Iterator[str]:
    """Variables whose names look misspelt. known: the names that the service reads."""
    for name in _unread(environment, known):
        if suggestion := _suggestion(name, known):
            yield f"{name} is not read: did you mean {suggestion}?"


def without_use(environment: Mapping[str, str], known: Collection[str]) -> list[str]:
    """The other variables of MLflow that are set but not read here, such as those of its server."""
    return [
        name
        for name in _unread(environment, known)
        if name not in _REPLACEMENTS
        and name not in _UNLESS
        and name != "MLFLOW_EXPERIMENT_ID"  # compared with the experiment that is found
        and not _suggestion(name, known)
    ]


def unheard(names: Collection[str]) -> str:
    """A sentence that lists these names."""
    return f"not read by this service: {', '.join(names)}"


def _unread(environment: Mapping[str, str], known: Collection[str]) -> list[str]:
    return sorted(
        name
        for name, value in environment.items()
        if value and name.upper().startswith(_PREFIX) and name.upper() not in known
    )


def _suggestion(name: str, known: Collection[str]) -> str | None:
    alike = get_close_matches(name.upper(), known, len(known), _ALIKE)
    longer = [one for one in alike if one.startswith(name.upper())]  # USER is USERNAME rather than URI
    return next(iter([*longer, *alike]), None)


def _instead_of_plugin(plugin: str) -> str:
    if not plugin.startswith("kubernetes"):
        return (
            "plugins of MLflow's client are not run; set MLFLOW_TRACKING_TOKEN_FILE to a file that a helper "
            "keeps up to date, or put a proxy that authenticates into MLFLOW_TRACKING_URI, and unset this"
        )
    also = " and MLFLOW_WORKSPACE to the namespace" if plugin == "kubernetes-namespaced" else ""
    return f"set MLFLOW_TRACKING_TOKEN_FILE={_KUBERNETES}{also}, which does the same, and unset this"
