"""Every setting: its name, type, default and meaning. The only reader of their variables and of config/.

MLflow's own variables keep their own names; the service's start with TRACKING_, nested ones with `__` between
the levels. The environment wins over config/service.toml, which wins over the defaults here.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal

from pydantic import (
    BaseModel,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from pydantic_settings import SettingsError as SourceError

from service.errors import shorten
from service.hosts import is_loopback, read_host
from service.settings.groups import (
    AuthSettings,
    Bytes,
    CacheSettings,
    CorsSettings,
    Group,
    PositiveSeconds,
    Seconds,
    UpstreamSettings,
    bare,
    listed,
)
from service.settings.mlflow import MlflowSettings
from service.settings.traces import TraceExport, trace_export
from service.text_files import read_text

PREFIX = "TRACKING_"


class SettingsError(Exception):
    """A setting has a value that it cannot have; the message names it and is one line."""


def config_dir() -> Path:
    """Where the shipped configuration is: inside an installed wheel, else beside the source tree."""
    packaged = Path(__file__).parents[1] / "config"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "config"


class Settings(MlflowSettings):
    """All settings of the service. Frozen; read once, when the process starts."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", frozen=True, extra="forbid", env_ignore_empty=True
    )

    host: str = Field(
        "127.0.0.1",
        min_length=1,
        description="Addresses to listen on, with commas between them; :: is all of IPv4 and IPv6.",
    )
    port: int = Field(8080, ge=0, le=65_535, description="Port to listen on; 0 takes a free one.")
    create_experiment: bool = Field(
        default=True, description="Create MLFLOW_EXPERIMENT_NAME at start where MLflow lacks it."
    )
    data_dir: Path = Field(Path("data"), description="Folder of the local MLflow's store, made when needed.")
    metrics_file: Path | None = Field(
        None, description="Rules for which way a metric is better; the shipped metrics.toml if not given."
    )
    deadline: PositiveSeconds = Field(
        10.0,
        description="Seconds in which a request is answered at the latest; "
        "60 over a local store, unless set.",
    )
    drain_seconds: Seconds = Field(
        5.0, description="Seconds for which requests are still taken after SIGTERM, while /readyz says no."
    )
    max_requests: int = Field(1_000, ge=1, description="Requests handled at once; more are refused.")
    max_connections: int = Field(8_192, ge=1, description="Connections of callers; more are closed.")
    max_body_bytes: Bytes = Field(65_536, description="The largest request body that is read.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="What is logged.")
    log_format: Literal["auto", "json", "text"] = Field(
        "auto", description="json is one object a line, text is for people; auto is text on a terminal."
    )
    access_log: bool = Field(default=True, description="Log every request.")
    metrics: bool = Field(default=True, description="Count requests and serve /metrics.")
    reuse_port: bool = Field(
        default=False, description="Let several processes on one host listen on the same port."
    )
    allow_anonymous: bool = Field(
        default=False, description="Answer whoever can connect, on an address that others can reach."
    )
    trusted_proxies: str = Field(
        "",
        description="Networks (CIDR) of proxies whose X-Forwarded-For is believed, with commas between them.",
    )
    auth: AuthSettings = AuthSettings()
    cors: CorsSettings = CorsSettings()
    upstream: UpstreamSettings = UpstreamSettings()
    cache: CacheSettings = CacheSettings()

    _are_bare = field_validator("*", mode="before")(bare)

    @field_validator("host")
    @classmethod
    def _are_hosts(cls, value: str) -> str:
        hosts = dict.fromkeys(map(read_host, listed(value)))
        if not hosts:
            raise ValueError("names no address")
        return ",".join(hosts)

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: str) -> str:
        for network in listed(value):
            ip_network(network)  # its ValueError says what is wrong
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Settings:
        reached = [host for host in self.hosts if not is_loopback(host)]
        if reached and self.auth.mode == "none" and not self.allow_anonymous:
            raise ValueError(
                f"TRACKING_HOST is {', '.join(reached)}: whoever reaches it could read every run. Set "
                "TRACKING_AUTH__MODE to api_key or jwt, or, where something in front tells callers apart, "
                "TRACKING_ALLOW_ANONYMOUS=true"
            )
        return self

    @property
    def hosts(self) -> tuple[str, ...]:
        """The addresses and names to listen on."""
        return listed(self.host)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic passes all by name
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - likewise
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment over config/service.toml over the defaults."""
        return (
            init_settings,
            env_settings,
            InitSettingsSource(settings_cls, _of_file(config_dir() / "service.toml")),
        )


def _of_file(file: Path) -> dict[str, Any]:
    """What service.toml sets; nothing where it is not there. ValueError, which names it."""
    try:
        return tomllib.loads(read_text(file))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error


def load_settings() -> Settings:
    """The settings of this process; SettingsError where one of them is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsError("; ".join(_explain(error))) from None
    except SourceError as error:  # a whole group in one variable that is not JSON
        group = next((part for part in str(error).split('"') if part in Settings.model_fields), "")
        raise SettingsError(f"{PREFIX}{group.upper()}: is not valid JSON") from None
    except ValueError as error:  # the TOML file
        raise SettingsError(" ".join(str(error).split())) from None


def variables(model: type[BaseModel] = Settings, prefix: str = PREFIX) -> Iterator[tuple[str, Any, str]]:
    """Every setting as (name of its variable, default, meaning), in the order declared."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Group):
            yield from variables(field.annotation, f"{prefix}{name.upper()}__")
        else:
            alias = field.validation_alias
            yield (
                alias if isinstance(alias, str) else prefix + name.upper(),
                field.default,
                field.description or "",
            )


def is_chosen(variable: str, value: object) -> bool:
    """Whether somebody has set this setting, in the environment or to another value than its default."""
    default = next(default for name, default, _ in variables() if name == variable)
    return value != default or variable in {name.upper() for name in os.environ}


def unknown_variables() -> list[str]:
    """Variables that start with TRACKING_ and are no setting: most likely a slip of the pen."""
    known = {name for name, _, _ in variables()}
    return sorted(
        name for name in os.environ if name.upper().startswith(PREFIX) and name.upper() not in known
    )


def traces() -> TraceExport:
    """What OpenTelemetry's own variables ask for."""
    return trace_export(os.environ)


def _explain(error: ValidationError) -> Iterator[str]:
    for found in error.errors(include_url=False):
        name = "__".join(str(part) for part in found["loc"]).upper()
        if name and not name.startswith("MLFLOW_"):
            name = PREFIX + name
        message = found["msg"].removeprefix("Value error, ")
        given = found["input"]
        said = f" (it is {shorten(str(given))})" if name and isinstance(given, str | int | float) else ""
        secret = name.endswith(("PASSWORD", "TOKEN", "URI", "URL", "KEYS"))  # an address may hold a password
        yield f"{name}: {message}{'' if secret else said}" if name else message
