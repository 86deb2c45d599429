"""The settings of the console, the page for people."""

from __future__ import annotations

from pydantic import Field, field_validator
from yarl import URL

from service.settings.groups import Group


class ConsoleSettings(Group):
    """The settings of the console, the page for people at `/console/`."""

    enabled: bool = Field(
        default=True, description="Serve the console, the page for people, at /console/. It bears no data."
    )
    mlflow_url: str = Field(
        "",
        description="Address of MLflow's own page for browsers, to which the console links; if empty, "
        "MLFLOW_TRACKING_URI where that is https://…, or MLflow's address where both run for this machine "
        "alone, and else there are no links.",
    )

    @field_validator("mlflow_url")
    @classmethod
    def _is_for_browsers(cls, value: str) -> str:
        if not value:
            return value
        try:
            url = URL(value)
        except ValueError:
            raise ValueError("is not an address") from None
        if url.scheme not in {"http", "https"}:
            raise ValueError("must be http://… or https://…")
        if not url.host:
            raise ValueError("has no host")
        if url.user is not None or url.password is not None:
            raise ValueError("must not contain a user and password: everybody who opens the page can read it")
        if url.query_string or url.fragment or "#" in value:
            raise ValueError("must be the address of MLflow's first page: leave out what follows ? or #")
        return str(url).rstrip("/")
