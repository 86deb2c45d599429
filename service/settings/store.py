"""The settings of a store that replicas share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr

from service.settings.groups import Group

_Wait = Annotated[float, Field(gt=0, le=5, allow_inf_nan=False)]


class StoreSettings(Group):
    """The settings of a store that replicas share: Valkey or Redis."""

    url: str | None = Field(
        None,
        description="Address of the Valkey or Redis that replicas share, redis://HOST:PORT/DB, or "
        "rediss:// for TLS; without one each replica goes on alone.",
    )
    username: str | None = Field(None, description="User name at the store.")
    password: SecretStr | None = Field(None, description="Password at the store.")
    password_file: Path | None = Field(None, description="File that holds the password instead.")
    ca_file: Path | None = Field(None, description="File of the CA certificates for the store's TLS.")
    prefix: str = Field(
        "tracking",
        min_length=1,
        max_length=64,
        pattern=r"^[A-Za-z0-9_.{}-]+$",
        description="What all keys in the store begin with; replicas of one MLflow have the same one.",
    )
    patience: _Wait = Field(
        0.025, description="Seconds that a caller waits for the store, before the replica goes on alone."
    )
    connections: int = Field(4, ge=1, le=64, description="Connections to the store for answers.")
    max_in_flight: int | None = Field(
        None,
        ge=1,
        description="Calls of MLflow at once by all replicas together, each of which gets an equal part; "
        "without it UPSTREAM__MAX_IN_FLIGHT holds for each replica.",
    )
