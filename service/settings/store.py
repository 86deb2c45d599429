"""The settings of a store that replicas share."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from service.settings.groups import Group

_Wait = Annotated[float, Field(gt=0, le=5, allow_inf_nan=False)]

_SCHEMES: Final = ("redis", "rediss")
_HOST_AND_PORT: Final = re.compile(r"[\w.-]+(:\d{1,5})?(/\d*)?", re.ASCII)
_DATABASE: Final = re.compile(r"(/\d*)?", re.ASCII)
_FORM: Final = "write redis://HOST:PORT/DATABASE, or rediss://… for TLS"


class StoreSettings(Group):
    """The settings of a store that replicas share: Valkey or Redis."""

    url: SecretStr | None = Field(
        None,
        description="Address of the Valkey or Redis that replicas share, redis://HOST:PORT/DATABASE, or "
        "rediss:// for TLS; without one each replica goes on alone.",
    )
    username: str | None = Field(None, description="User name at the store.")
    password: SecretStr | None = Field(None, description="Password at the store.")
    password_file: Path | None = Field(
        None, description="File that holds the password instead; read at each new connection."
    )
    ca_file: Path | None = Field(
        None,
        description="File of the CA certificates (PEM) to verify the store's certificate with; those of the "
        "system if not set.",
    )
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
        le=10_000,
        description="Calls to MLflow at once by all replicas together, each of which gets an equal part, but "
        "no more than UPSTREAM__MAX_IN_FLIGHT; without it that holds for each replica.",
    )

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, value: SecretStr | None) -> SecretStr | None:
        """No message repeats the address, which may hold a password."""
        if value is None:
            return None
        text = value.get_secret_value()
        scheme, has_scheme, _ = text.partition("://")
        if not has_scheme:
            if _HOST_AND_PORT.fullmatch(text):
                raise ValueError(f"has no scheme: write redis://{text}, or rediss://{text} for TLS")
            raise ValueError(f"is no address: {_FORM}")
        if scheme not in _SCHEMES:
            raise ValueError(f"must begin with redis:// or rediss://: {_FORM}")
        try:
            url = urlsplit(text)
            port = url.port
        except ValueError:  # whose message repeats the address
            raise ValueError(f"is no address, or its port is no number up to 65535: {_FORM}") from None
        if not url.hostname or port == 0:
            raise ValueError(f"names no host and port: {_FORM}")
        if url.query or url.fragment:
            raise ValueError(
                "has something behind ? or #: leave it out, since other settings say the rest (a ? or # in a "
                "password is written %3F or %23, or stands in TRACKING_STORE__PASSWORD)"
            )
        if not _DATABASE.fullmatch(url.path):
            raise ValueError(f"has a path that is no number of a database: {_FORM}")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> StoreSettings:
        if self.url is None:
            if self.max_in_flight is not None:
                raise ValueError("TRACKING_STORE__MAX_IN_FLIGHT needs TRACKING_STORE__URL")
            return self
        url = _parts(self.url)
        passwords = {
            "TRACKING_STORE__URL": url.password,
            "TRACKING_STORE__PASSWORD": self.password,
            "TRACKING_STORE__PASSWORD_FILE": self.password_file,
        }
        named = [name for name, password in passwords.items() if password]
        if len(named) > 1:
            raise ValueError(f"{' and '.join(named)} hold a password each: set one of them")
        if url.username and self.username:
            raise ValueError(
                "TRACKING_STORE__URL and TRACKING_STORE__USERNAME hold a user name each: set one of them"
            )
        if (url.username or self.username) and not named:
            raise ValueError(
                "there is a user name for the store and no password: set TRACKING_STORE__PASSWORD or "
                "TRACKING_STORE__PASSWORD_FILE"
            )
        if self.ca_file is not None and url.scheme != "rediss":
            raise ValueError(
                "TRACKING_STORE__CA_FILE is set, and TRACKING_STORE__URL begins with redis://, which is not "
                "encrypted: write rediss://…, or leave the file out"
            )
        return self

    @property
    def user(self) -> str | None:
        """The user name at the store, None for the one that the server takes without one."""
        return (
            self.username or (None if self.url is None else unquote(_parts(self.url).username or "")) or None
        )

    @property
    def secret(self) -> str | None:
        """The password that the settings themselves hold."""
        if self.password is not None:
            return self.password.get_secret_value()
        return (self.url and unquote(_parts(self.url).password or "")) or None

    @property
    def address(self) -> str:
        """The address without a user name and a password."""
        if self.url is None:
            return ""
        parts = _parts(self.url)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _parts(url: SecretStr) -> SplitResult:
    return urlsplit(url.get_secret_value())
