"""The groups of settings, and the types of their values."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from unicodedata import category

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)
from yarl import URL

from service.errors import shorten
from service.hosts import is_loopback

Seconds = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]
PositiveSeconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]
Bytes = Annotated[int, Field(ge=0)]


def split(value: str) -> tuple[str, ...]:
    """Return the parts of a text that is separated by commas, without spaces around them or empty ones."""
    return tuple(part.strip() for part in value.split(",") if part.strip())


def reject_stray_characters(value: object, info: ValidationInfo) -> object:
    """Return the value unchanged; ValueError if quotes, spaces or line ends stand around it.

    Files of environment variables often add them by mistake. A password may begin or end with them, and API
    keys are lines.
    """
    if not isinstance(value, str):
        return value
    if any(0xDC80 <= ord(character) <= 0xDCFF for character in value):  # noqa: PLR2004 - of "surrogateescape"
        raise ValueError("is not UTF-8")
    if info.field_name in _MAY_HAVE_THEM or not value:
        return value
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        raise ValueError("has quotes around it, which docker's --env-file keeps: leave them out")
    if value != value.strip() or _is_invisible(value[0]) or _is_invisible(value[-1]):
        raise ValueError(
            "begins or ends with a space, a line end or another invisible character, such as the \\r of a "
            "file with Windows line ends: leave it out"
        )
    return value


_MAY_HAVE_THEM = {"mlflow_tracking_password", "api_keys", "password"}


def _is_invisible(character: str) -> bool:
    return category(character).startswith("C")  # control and format characters, such as a byte order mark


class Group(BaseModel):
    """A group of settings; the name of each variable has the group's name and `__` before its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    _no_stray_characters = field_validator("*", mode="before")(reject_stray_characters)


class UpstreamSettings(Group):
    """The settings of calls to MLflow."""

    connect_timeout: PositiveSeconds = Field(
        2.0, description="Connect timeout of a call to MLflow, in seconds."
    )
    read_timeout: PositiveSeconds = Field(
        8.0,
        description="Socket read timeout of a call to MLflow, in seconds; 60 over a local store, unless set.",
    )
    max_in_flight: int = Field(
        32,
        ge=1,
        le=10_000,
        description="Concurrency limit: most calls to MLflow at once; about eight for each of its workers.",
    )
    queue_timeout: Seconds = Field(
        0.5,
        description="Seconds to wait for a slot of the concurrency limit before a request is refused "
        "with 503.",
    )
    attempts: int = Field(
        3, ge=1, le=10, description="Most attempts for one call to MLflow, the first one included."
    )
    breaker_failures: int = Field(
        10,
        ge=1,
        description="Consecutive failures after which a health probe decides whether the breaker opens.",
    )
    breaker_interval: PositiveSeconds = Field(
        0.5, description="Seconds between two probes while the breaker is open."
    )
    keepalive: Seconds = Field(
        1.5,
        description="Seconds that an idle connection to MLflow is kept; must be below MLflow's own 5 "
        "(2 on gunicorn).",
    )
    max_body_bytes: Bytes = Field(
        64 * 2**20, description="Largest response body of MLflow in bytes; a larger one is answered with 502."
    )


class CacheSettings(Group):
    """The settings of the cache, which decide how old an answer may be."""

    terminal_ttl: Seconds = Field(30.0, description="Time to live of a run that has ended, in seconds.")
    active_ttl: Seconds = Field(2.0, description="Time to live of a run that has not ended, in seconds.")
    list_ttl: Seconds = Field(2.0, description="Time to live of a list of runs, in seconds.")
    experiments_ttl: Seconds = Field(30.0, description="Time to live of the experiments, in seconds.")
    missing_ttl: Seconds = Field(
        2.0, description="Time to live of the answer that a run does not exist, in seconds."
    )
    revalidate_factor: float = Field(
        5.0,
        ge=0,
        le=1_000,
        allow_inf_nan=False,
        description="Serve a stale answer while it is refreshed, for up to this many times its time to "
        "live after it expires.",
    )
    stale_if_error: Seconds = Field(
        900.0,
        description="Serve a stale answer if MLflow fails, for up to this many seconds after it expires.",
    )
    max_bytes: Bytes = Field(
        256 * 2**20, description="Memory for cached runs and encoded answers together, in bytes."
    )


class AuthSettings(Group):
    """The settings of authentication. The health checks never need it."""

    mode: Literal["none", "api_key", "jwt"] = Field(
        "none", description="How callers authenticate: none (not at all), api_key or jwt."
    )
    api_keys_file: Path | None = Field(
        None, description="File of API keys, one `NAME DIGEST` a line; read again when it changes."
    )
    api_keys: SecretStr | None = Field(None, description="API keys as text, in the format of API_KEYS_FILE.")
    jwks_url: str = Field(
        "", description="Address (https://…) at which the issuer of JWTs publishes its JSON Web Key Set."
    )
    jwt_keys_file: Path | None = Field(
        None,
        description="File of the issuer's keys, instead of JWKS_URL: a JSON Web Key Set or a public "
        "key as PEM.",
    )
    issuer: str = Field("", description="Issuer (`iss`) that a JWT must name.")
    audience: str = Field("", description="Audience (`aud`) that a JWT must name.")
    scope: str = Field(
        "",
        description="Scopes that a JWT must grant (in scope, scp or roles), separated by spaces.",
    )
    open_docs: bool = Field(default=True, description="Serve /docs and /openapi.json without authentication.")
    open_metrics: bool = Field(default=False, description="Serve /metrics without authentication.")

    @field_validator("jwks_url")
    @classmethod
    def _is_confidential(cls, value: str) -> str:
        if value:
            url = URL(value)
            if url.scheme != "https" and (url.scheme != "http" or not is_loopback(url.host or "")):
                raise ValueError("must be https://…")
            if not url.host:
                raise ValueError("has no host")
            if url.user is not None or url.password is not None:
                raise ValueError("must not contain a user and password")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> AuthSettings:
        if self.mode == "api_key" and not self.api_keys_file and not self.api_keys:
            raise ValueError("api_key needs TRACKING_AUTH__API_KEYS_FILE or TRACKING_AUTH__API_KEYS")
        if self.mode == "jwt":
            if bool(self.jwks_url) == bool(self.jwt_keys_file):
                raise ValueError(
                    "jwt needs exactly one of TRACKING_AUTH__JWKS_URL and TRACKING_AUTH__JWT_KEYS_FILE"
                )
            if not self.issuer or not self.audience:
                raise ValueError("jwt needs TRACKING_AUTH__ISSUER and TRACKING_AUTH__AUDIENCE")
        return self


class CorsSettings(Group):
    """The settings of cross-origin requests (CORS): which web pages may read answers."""

    allowed_origins: str = Field(
        "",
        description="Origins of web pages that may read answers, separated by commas; * means every origin.",
    )

    @field_validator("allowed_origins")
    @classmethod
    def _are_origins(cls, value: str) -> str:
        origins = split(value)
        if "*" in origins and len(origins) > 1:
            raise ValueError("* cannot be combined with other origins")
        return ",".join(dict.fromkeys("*" if text == "*" else _origin(text) for text in origins))

    @property
    def origins(self) -> tuple[str, ...]:
        """The origins as browsers send them, or `*` alone; empty if no page may read answers."""
        return split(self.allowed_origins)


def _origin(text: str) -> str:
    """Return the origin as browsers send it: lower case, no default port, no slash. ValueError."""
    if text == "null":
        raise ValueError(
            "null is the origin of every sandboxed page and every local file, so it cannot be allowed alone; "
            "* allows all pages"
        )
    if "*" in text:
        raise ValueError(f"{shorten(text)} is a pattern; list each origin, or use * for all")
    try:
        url = URL(text if "://" in text else f"{'http' if _is_local(text) else 'https'}://{text}")
        origin = str(url.origin()) if url.scheme in {"http", "https"} else ""
    except ValueError:
        url, origin = URL(), ""
    if not origin:
        raise ValueError(f"{shorten(text)} is not an origin, such as https://research.example.com")
    if "://" not in text or url.user is not None or url.path_qs not in {"", "/"} or url.fragment:
        raise ValueError(f"{shorten(text)} is not an origin; did you mean {origin}?")
    return origin


def _is_local(text: str) -> bool:
    return is_loopback(text.partition(":")[0])
