"""The settings that MLflow's own clients have too, under MLflow's names."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Self
from unicodedata import category

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings

from service.local.address import ServerAddress, parse


class MlflowSettings(BaseSettings):
    """The settings that say where MLflow is, how to authenticate there, and which experiment to list."""

    mlflow_tracking_uri: str = Field(
        "",
        validation_alias="MLFLOW_TRACKING_URI",
        description="Address of an MLflow server, or a store (sqlite:///… or a folder) for a local "
        "MLflow; if empty, the store in TRACKING_DATA_DIR.",
    )
    mlflow_experiment_name: str = Field(
        "Default",
        min_length=1,
        validation_alias="MLFLOW_EXPERIMENT_NAME",
        description="Name of the experiment whose runs are listed.",
    )
    mlflow_tracking_username: str | None = Field(
        None,
        validation_alias="MLFLOW_TRACKING_USERNAME",
        description="Username for basic authentication with MLflow.",
    )
    mlflow_tracking_password: SecretStr | None = Field(
        None,
        validation_alias="MLFLOW_TRACKING_PASSWORD",
        description="Password for basic authentication with MLflow.",
    )
    mlflow_tracking_token: SecretStr | None = Field(
        None,
        validation_alias="MLFLOW_TRACKING_TOKEN",
        description="Bearer token for MLflow; a username and password take precedence.",
    )
    mlflow_tracking_token_file: Path | None = Field(
        None,
        validation_alias="MLFLOW_TRACKING_TOKEN_FILE",
        description="File that holds the bearer token instead; read again when it changes.",
    )
    mlflow_tracking_insecure_tls: bool = Field(
        default=False,
        validation_alias="MLFLOW_TRACKING_INSECURE_TLS",
        description="Do not verify MLflow's certificate.",
    )
    mlflow_tracking_server_cert_path: Path | None = Field(
        None,
        validation_alias="MLFLOW_TRACKING_SERVER_CERT_PATH",
        description="CA bundle to verify MLflow's certificate with: a PEM file or a folder.",
    )
    mlflow_tracking_client_cert_path: Path | None = Field(
        None,
        validation_alias="MLFLOW_TRACKING_CLIENT_CERT_PATH",
        description="PEM file with the client certificate and its key that are presented to MLflow.",
    )
    mlflow_workspace: str | None = Field(
        None,
        validation_alias="MLFLOW_WORKSPACE",
        description="Workspace to read, for an MLflow that has workspaces.",
    )

    @field_validator("mlflow_tracking_uri")
    @classmethod
    def _known_kind(cls, value: str) -> str:
        address = parse(value, os.path.isdir) if value else None
        return address.url if isinstance(address, ServerAddress) else value

    @field_validator(
        "mlflow_tracking_username", "mlflow_tracking_password", "mlflow_tracking_token", "mlflow_workspace"
    )
    @classmethod
    def _fits_in_a_header(cls, value: str | SecretStr | None) -> str | SecretStr | None:
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        if text is not None and not text.isprintable():
            raise ValueError("has a control character, such as the end of a line")
        return value

    @field_validator("mlflow_experiment_name")
    @classmethod
    def _is_a_name(cls, value: str) -> str:
        if any(category(character) == "Cc" for character in value):
            raise ValueError("has a control character, such as the end of a line")
        return value

    @model_validator(mode="after")
    def _exclusive(self) -> Self:
        if self.mlflow_tracking_insecure_tls and self.mlflow_tracking_server_cert_path:
            raise ValueError(
                "MLFLOW_TRACKING_INSECURE_TLS and MLFLOW_TRACKING_SERVER_CERT_PATH exclude each other"
            )
        if self.mlflow_tracking_token and self.mlflow_tracking_token_file:
            raise ValueError("MLFLOW_TRACKING_TOKEN and MLFLOW_TRACKING_TOKEN_FILE exclude each other")
        return self
