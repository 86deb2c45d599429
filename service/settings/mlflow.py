"""The settings that MLflow's own clients have, under MLflow's own names."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Self
from unicodedata import category

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings

from service.local.address import ServerAddress, parse


class MlflowSettings(BaseSettings):
    """How MLflow is reached, and which of its experiments is the default one."""

    mlflow_tracking_uri: str = Field(
        "",
        validation_alias="MLFLOW_TRACKING_URI",
        description="MLflow's address, http(s)://…; sqlite:///… or a folder starts a local one over it, "
        "as does nothing, over data/.",
    )
    mlflow_experiment_name: str = Field(
        "Default",
        min_length=1,
        validation_alias="MLFLOW_EXPERIMENT_NAME",
        description="The experiment whose runs are listed.",
    )
    mlflow_tracking_username: str | None = Field(
        None, validation_alias="MLFLOW_TRACKING_USERNAME", description="Basic authentication with MLflow."
    )
    mlflow_tracking_password: SecretStr | None = Field(
        None, validation_alias="MLFLOW_TRACKING_PASSWORD", description="Its password."
    )
    mlflow_tracking_token: SecretStr | None = Field(
        None,
        validation_alias="MLFLOW_TRACKING_TOKEN",
        description="Bearer token for MLflow; a username and password win over it.",
    )
    mlflow_tracking_token_file: Path | None = Field(
        None,
        validation_alias="MLFLOW_TRACKING_TOKEN_FILE",
        description="File with such a token instead; read again when it changes.",
    )
    mlflow_tracking_insecure_tls: bool = Field(
        default=False,
        validation_alias="MLFLOW_TRACKING_INSECURE_TLS",
        description="Do not verify MLflow's certificate.",
    )
    mlflow_tracking_server_cert_path: Path | None = Field(
        None,
        validation_alias="MLFLOW_TRACKING_SERVER_CERT_PATH",
        description="CA bundle (PEM) to verify MLflow's certificate with, a file or a folder.",
    )
    mlflow_tracking_client_cert_path: Path | None = Field(
        None,
        validation_alias="MLFLOW_TRACKING_CLIENT_CERT_PATH",
        description="Client certificate with its key (PEM) to show to MLflow.",
    )
    mlflow_workspace: str | None = Field(
        None, validation_alias="MLFLOW_WORKSPACE", description="Workspace of an MLflow that has workspaces."
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
