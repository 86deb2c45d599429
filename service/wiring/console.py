"""Builds the console as the settings say, whose pages tell nobody what only callers may know."""

from __future__ import annotations

from yarl import URL

from service import __version__
from service.console.routes import console_routes
from service.hosts import is_loopback
from service.http.route import Route
from service.settings.load import Settings


def console(settings: Settings, mlflow_url: str) -> list[Route]:
    """Its routes; none where it is switched off. mlflow_url: where the service itself finds MLflow."""
    if not settings.console.enabled:
        return []
    experiment = settings.mlflow_experiment_name if _is_for_all(settings) else ""
    return console_routes(__version__, mlflow_page(settings, mlflow_url), experiment)


def mlflow_page(settings: Settings, mlflow_url: str) -> str:
    """The address of MLflow's own page, without a slash at its end; "" where it is not known.

    mlflow_url: where the service itself finds MLflow. That is an address for browsers, too, if it is
    https://…, or if only this machine reaches both. Other http://… are most often names that only services
    know, such as those of containers. Where callers need a key, only the setting's is told: the page is open.
    """
    if settings.console.mlflow_url or not _is_for_all(settings):
        return settings.console.mlflow_url or ""
    url = URL(mlflow_url)
    is_local = is_loopback(url.host or "")
    is_for_this_machine = is_local and all(map(is_loopback, settings.hosts)) and not settings.proxies
    is_public = url.scheme == "https" and not is_local
    is_plain = not url.query_string and not url.fragment
    return mlflow_url.rstrip("/") if is_plain and (is_public or is_for_this_machine) else ""


def _is_for_all(settings: Settings) -> bool:
    return settings.auth.mode == "none"
