"""Every setting: its name, type, default and description.

MLflow's own variables keep their names. The service's own start with TRACKING_, and `__` stands between a
group and a name. The environment takes precedence over config/service.toml, and the file over the defaults
here. Only this module, and the health check that runs without it, read the variables and config/.
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
from service.settings.console import ConsoleSettings
from service.settings.groups import (
    AuthSettings,
    Bytes,
    CacheSettings,
    CorsSettings,
    Group,
    PositiveSeconds,
    Seconds,
    UpstreamSettings,
    reject_stray_characters,
    split,
)
from service.settings.index import IndexSettings
from service.settings.mlflow import MlflowSettings
from service.settings.store import StoreSettings
from service.settings.traces import TraceExport, trace_export
from service.text_files import read_text

PREFIX = "TRACKING_"


class SettingsError(Exception):
    """The settings cannot be used. The message is one line that names the setting at fault."""


def config_dir() -> Path:
    """Return the folder of the shipped configuration: in an installed wheel, or beside the source tree."""
    packaged = Path(__file__).parents[1] / "config"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "config"


class Settings(MlflowSettings):
    """All settings of the service: frozen, and read once, when the process starts."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", frozen=True, extra="forbid", env_ignore_empty=True
    )

    host: str = Field(
        "127.0.0.1",
        min_length=1,
        description="Addresses to listen on, separated by commas; :: means every IPv4 and IPv6 address.",
    )
    port: int = Field(8080, ge=0, le=65_535, description="Port to listen on; 0 chooses a free one.")
    create_experiment: bool = Field(
        default=True,
        description="Create the experiment MLFLOW_EXPERIMENT_NAME at start if MLflow does not have it.",
    )
    data_dir: Path = Field(
        Path("data"), description="Folder for the store of the local MLflow; created when needed."
    )
    metrics_file: Path | None = Field(
        None,
        description="Rules for whether a metric is better higher or lower (TOML); the shipped "
        "metrics.toml if not set.",
    )
    deadline: PositiveSeconds = Field(
        10.0,
        description="Seconds within which every request is answered; 60 over a local store, unless set.",
    )
    drain_seconds: Seconds = Field(
        5.0,
        description="Seconds after SIGTERM in which new requests are still accepted while /readyz "
        "answers 503.",
    )
    max_requests: int = Field(
        1_000, ge=1, description="Requests handled at once; further requests are refused with 503."
    )
    max_streams: int = Field(
        1_000,
        ge=0,
        description="Streams of events open at once; they do not count as requests, but as connections.",
    )
    max_connections: int = Field(
        8_192, ge=1, description="Connections of callers at once; further connections are closed."
    )
    max_body_bytes: Bytes = Field(
        65_536, description="Largest request body in bytes; a larger one is refused with 413."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Lowest level that is logged: debug, info, warning or error."
    )
    log_format: Literal["auto", "json", "text"] = Field(
        "auto",
        description="Log format: json (one object a line), text (for people), or auto (text on a "
        "terminal, else json).",
    )
    access_log: bool = Field(default=True, description="Log every request.")
    metrics: bool = Field(
        default=True, description="Count requests and serve the service's own metrics at /metrics."
    )
    reuse_port: bool = Field(
        default=False, description="Let several processes on one host listen on the same port (SO_REUSEPORT)."
    )
    allow_anonymous: bool = Field(
        default=False,
        description="Allow an address that other machines can reach although callers do not authenticate.",
    )
    trusted_proxies: str = Field(
        "",
        description="Networks (CIDR) of proxies whose X-Forwarded-For is trusted, separated by commas.",
    )
    auth: AuthSettings = AuthSettings()
    cors: CorsSettings = CorsSettings()
    upstream: UpstreamSettings = UpstreamSettings()
    cache: CacheSettings = CacheSettings()
    index: IndexSettings = IndexSettings()
    store: StoreSettings = StoreSettings()
    console: ConsoleSettings = ConsoleSettings()

    _no_stray_characters = field_validator("*", mode="before")(reject_stray_characters)

    @field_validator("host")
    @classmethod
    def _are_hosts(cls, value: str) -> str:
        hosts = dict.fromkeys(map(read_host, split(value)))
        if not hosts:
            raise ValueError("names no address")
        return ",".join(hosts)

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: str) -> str:
        for network in split(value):
            ip_network(network)  # its ValueError says what is wrong
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Settings:
        public = [host for host in self.hosts if not is_loopback(host)]
        if public and self.auth.mode == "none" and not self.allow_anonymous:
            raise ValueError(
                f"TRACKING_HOST is {', '.join(public)}, which other machines can reach, and callers do not "
                "authenticate: anybody could read every run. Set TRACKING_AUTH__MODE to api_key or jwt, or, "
                "if a gateway in front authenticates callers, TRACKING_ALLOW_ANONYMOUS=true"
            )
        return self

    @property
    def hosts(self) -> tuple[str, ...]:
        """The addresses and host names to listen on."""
        return split(self.host)

    @property
    def proxies(self) -> tuple[str, ...]:
        """The networks (CIDR) of trusted proxies."""
        return split(self.trusted_proxies)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic passes all by name
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - likewise
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment takes precedence over config/service.toml, and that over the defaults."""
        return (
            init_settings,
            env_settings,
            InitSettingsSource(settings_cls, _of_file(config_dir() / "service.toml")),
        )


def _of_file(file: Path) -> dict[str, Any]:
    """Return the settings in service.toml, none if there is no such file; ValueError names the file."""
    try:
        return tomllib.loads(read_text(file))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error


def load_settings() -> Settings:
    """Return the settings of this process; SettingsError if one of them is wrong."""
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
    """Yield every setting as (name of its variable, default, description), in the order declared."""
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
    """Tell whether the setting was set: in the environment, or to another value than its default."""
    default = next(default for name, default, _ in variables() if name == variable)
    return value != default or variable in {name.upper() for name in os.environ}


def unknown_variables() -> list[str]:
    """Return the variables that start with TRACKING_ but are not settings: most likely misspelt ones."""
    known = {name for name, _, _ in variables()}
    return sorted(
        name for name in os.environ if name.upper().startswith(PREFIX) and name.upper() not in known
    )


def traces() -> TraceExport:
    """Return what OpenTelemetry's own variables ask for."""
    return trace_export(os.environ)


def _explain(error: ValidationError) -> Iterator[str]:
    for details in error.errors(include_url=False):
        name = "__".join(str(part) for part in details["loc"]).upper()
        if name and not name.startswith("MLFLOW_"):
            name = PREFIX + name
        message = details["msg"].removeprefix("Value error, ")
        value = details["input"]
        is_secret = name.endswith(("PASSWORD", "TOKEN", "URI", "URL", "KEYS"))  # a URL may hold a password
        if name and isinstance(value, str | int | float) and not is_secret:
            message += f" (it is {shorten(str(value))})"
        yield f"{name}: {message}" if name else message
