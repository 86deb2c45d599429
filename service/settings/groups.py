"""The groups of settings, and the kinds of values they have."""

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


def listed(value: str) -> tuple[str, ...]:
    """The parts of a text with commas between them."""
    return tuple(part.strip() for part in value.split(",") if part.strip())


def bare(value: object, info: ValidationInfo) -> object:
    """A value as it was given, without the quotes, spaces and line ends that files of variables bring along.

    A password may have quotes and spaces, and lines of keys have ends.
    """
    if not isinstance(value, str):
        return value
    if any(0xDC80 <= ord(character) <= 0xDCFF for character in value):  # noqa: PLR2004 - of "surrogateescape"
        raise ValueError("is not UTF-8")
    if info.field_name in _AS_IT_IS or not value:
        return value
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        raise ValueError("has quotes around it, which docker's --env-file keeps: leave them out")
    if value != value.strip() or _is_invisible(value[0]) or _is_invisible(value[-1]):
        raise ValueError(
            "begins or ends with a space, the end of a line or the like, as a file with Windows' line ends "
            "brings it: leave it out"
        )
    return value


_AS_IT_IS = {"mlflow_tracking_password", "api_keys"}


def _is_invisible(character: str) -> bool:
    return category(character).startswith("C")  # control and format characters, such as a byte order mark


class Group(BaseModel):
    """Settings that belong together: `NAME__` before each."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    _are_bare = field_validator("*", mode="before")(bare)


class UpstreamSettings(Group):
    """How MLflow is talked to."""

    connect_timeout: PositiveSeconds = Field(2.0, description="Seconds to wait for a connection to MLflow.")
    read_timeout: PositiveSeconds = Field(
        8.0, description="Seconds of silence of MLflow's that are borne; 60 over a local store, unless set."
    )
    max_in_flight: int = Field(
        32, ge=1, le=10_000, description="Calls that MLflow gets at once; some eight for each of its workers."
    )
    queue_timeout: Seconds = Field(
        0.5, description="Seconds to wait for a place among them before a request is refused."
    )
    attempts: int = Field(3, ge=1, le=10, description="Times that a failing call is made at most.")
    breaker_failures: int = Field(
        10, ge=1, description="Consecutive failures after which MLflow is asked whether it is well."
    )
    breaker_interval: PositiveSeconds = Field(0.5, description="Seconds between two tries to ask it again.")
    keepalive: Seconds = Field(
        1.5,
        description="Seconds that an idle connection is kept; shorter than MLflow's own 5 (2 on gunicorn).",
    )
    max_body_bytes: Bytes = Field(64 * 2**20, description="The largest answer of MLflow that is read.")


class CacheSettings(Group):
    """How old an answer may be. With all times at 0 every request asks MLflow."""

    terminal_ttl: Seconds = Field(30.0, description="Seconds for which a run that has ended is fresh.")
    active_ttl: Seconds = Field(2.0, description="Seconds for which a run that has not ended is fresh.")
    list_ttl: Seconds = Field(2.0, description="Seconds for which a list of runs is fresh.")
    experiments_ttl: Seconds = Field(30.0, description="Seconds for which experiments are fresh.")
    missing_ttl: Seconds = Field(
        2.0, description="Seconds for which it is believed that a run does not exist."
    )
    revalidate_factor: float = Field(
        5.0,
        ge=0,
        le=1_000,
        allow_inf_nan=False,
        description="So many times its time to live more an answer is given while it is renewed.",
    )
    stale_if_error: Seconds = Field(
        900.0, description="Seconds past its time to live for which an answer is given if MLflow fails."
    )
    max_bytes: Bytes = Field(256 * 2**20, description="Memory for runs and answers together.")


class AuthSettings(Group):
    """Who may ask. Health checks are open to all."""

    mode: Literal["none", "api_key", "jwt"] = Field(
        "none", description="How callers say who they are: not at all, with an API key, or with a JWT."
    )
    api_keys_file: Path | None = Field(
        None, description="File of API keys, a `NAME DIGEST` a line; read again when it changes."
    )
    api_keys: SecretStr | None = Field(None, description="API keys, as lines of such a file.")
    jwks_url: str = Field("", description="Where the issuer of JWTs publishes its keys, at https://….")
    jwt_keys_file: Path | None = Field(
        None, description="Its keys in a file instead: a JSON Web Key Set, or a public key as PEM."
    )
    issuer: str = Field("", description="The `iss` that a JWT must have.")
    audience: str = Field("", description="The `aud` that a JWT must have.")
    scope: str = Field("", description="What a JWT must grant (scope, scp or roles) to read runs.")
    open_docs: bool = Field(default=True, description="Show /docs and /openapi.json to everybody.")
    open_metrics: bool = Field(default=False, description="Show /metrics to everybody.")

    @field_validator("jwks_url")
    @classmethod
    def _no_eavesdropper(cls, value: str) -> str:
        if value:
            url = URL(value)
            if url.scheme != "https" and (url.scheme != "http" or not is_loopback(url.host or "")):
                raise ValueError("must be https://…")
            if not url.host:
                raise ValueError("has no host")
            if url.user is not None or url.password is not None:
                raise ValueError("takes no user and password")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> AuthSettings:
        if self.mode == "api_key" and not self.api_keys_file and not self.api_keys:
            raise ValueError("api_key needs TRACKING_AUTH__API_KEYS_FILE or TRACKING_AUTH__API_KEYS")
        if self.mode == "jwt":
            if bool(self.jwks_url) == bool(self.jwt_keys_file):
                raise ValueError("jwt needs one of TRACKING_AUTH__JWKS_URL and TRACKING_AUTH__JWT_KEYS_FILE")
            if not self.issuer or not self.audience:
                raise ValueError("jwt needs TRACKING_AUTH__ISSUER and TRACKING_AUTH__AUDIENCE")
        return self


class CorsSettings(Group):
    """Which web pages may read answers."""

    allowed_origins: str = Field(
        "", description="Origins of pages on other hosts that may ask, with commas between them; * for all."
    )

    @field_validator("allowed_origins")
    @classmethod
    def _are_origins(cls, value: str) -> str:
        origins = listed(value)
        if "*" in origins and len(origins) > 1:
            raise ValueError("has * beside other origins")
        return ",".join(dict.fromkeys(one if one == "*" else _origin(one) for one in origins))


def _origin(given: str) -> str:
    """The origin as browsers send it: small letters, no default port, no slash. ValueError."""
    if given == "null":
        raise ValueError("null is no origin but every sandboxed page and every file; * allows all pages")
    if "*" in given:
        raise ValueError(f"{shorten(given)} is a pattern; name each origin, or * for all")
    try:
        url = URL(given if "://" in given else f"{'http' if _is_local(given) else 'https'}://{given}")
        meant = str(url.origin()) if url.scheme in {"http", "https"} else ""
    except ValueError:
        url, meant = URL(), ""
    if not meant:
        raise ValueError(f"{shorten(given)} is no origin, such as https://research.example.com")
    if "://" not in given or url.user is not None or url.path_qs not in {"", "/"} or url.fragment:
        raise ValueError(f"{shorten(given)} is no origin; did you mean {meant}?")
    return meant


def _is_local(given: str) -> bool:
    return is_loopback(given.partition(":")[0])
