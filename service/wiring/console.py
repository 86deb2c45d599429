"""Where browsers find MLflow's own page, from the settings."""

from __future__ import annotations

from yarl import URL

from service.hosts import is_loopback
from service.settings.load import Settings


def mlflow_page(settings: Settings, mlflow_url: str) -> str:
    """The address of MLflow's own page, without a slash at its end; "" where it is not known.

    mlflow_url: where the service itself finds MLflow. That is an address for browsers, too, if it is
    https://…, or if only this machine reaches both. Other http://… are most often names that only services
    know, such as those of containers.
    """
    if settings.console.mlflow_url:
        return settings.console.mlflow_url
    url = URL(mlflow_url)
    is_local = is_loopback(url.host or "")
    is_for_this_machine = is_local and all(map(is_loopback, settings.hosts)) and not settings.proxies
    is_public = url.scheme == "https" and not is_local
    is_plain = not url.query_string and not url.fragment
    return mlflow_url.rstrip("/") if is_plain and (is_public or is_for_this_machine) else ""
