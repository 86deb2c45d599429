"""Where the credentials for MLflow come from, in the order of precedence of MLflow's own client.

Environment over ~/.mlflow/credentials (mlflow/utils/credentials.py); a username and password over a token;
.netrc where there is nothing else. (With MLflow's client, `requests` prefers .netrc to a token.
That surprises whoever set the token, so the service does not do so.)
"""

from __future__ import annotations

import configparser
from collections.abc import Iterator, Mapping
from netrc import NetrcParseError, netrc
from pathlib import Path
from typing import NamedTuple

USERNAME = "MLFLOW_TRACKING_USERNAME"
PASSWORD = "MLFLOW_TRACKING_PASSWORD"  # noqa: S105 - a variable's name
TOKEN = "MLFLOW_TRACKING_TOKEN"  # noqa: S105 - a variable's name
_FILE = "~/.mlflow/credentials"
_SECTION = "mlflow"


class Credentials(NamedTuple):
    """The credentials for MLflow.

    has_token: a variable or a file of its own holds a token. source: the file that username and password are
    from, "" for the environment. is_netrc: they are from .netrc, where either may be empty.
    """

    username: str | None = None
    password: str | None = None
    has_token: bool = False
    source: str = ""
    is_netrc: bool = False

    @property
    def is_basic(self) -> bool:
        """Whether there is all that basic authentication needs."""
        return self.is_netrc or bool(self.username and self.password)

    @property
    def has_any(self) -> bool:
        """Whether the service sends MLflow any credentials."""
        return self.is_basic or self.has_token


def with_file(credentials: Credentials, home: Path) -> Credentials:
    """The credentials, completed from ~/.mlflow/credentials where that file exists.

    ValueError where MLflow's client could not read the file.
    """
    if credentials.is_basic:
        return credentials
    username, password = _of_file(home / ".mlflow" / "credentials")
    merged = credentials._replace(
        username=credentials.username or username, password=credentials.password or password
    )
    return merged._replace(source=_FILE) if merged != credentials else credentials


def with_netrc(
    credentials: Credentials, host: str, environment: Mapping[str, str], home: Path
) -> Credentials:
    """The credentials of .netrc for this host, where there are no others. ValueError if it cannot be read."""
    if credentials.is_basic or credentials.has_token:
        return credentials
    variable = environment.get("NETRC")
    files = [Path(variable).expanduser()] if variable else [home / ".netrc", home / "_netrc"]
    for file in files:
        if _exists(file):
            break
    else:
        if variable:
            raise ValueError(f"NETRC: {variable} is not there")
        return credentials
    try:
        entry = netrc(str(file)).authenticators(host)
    except (NetrcParseError, OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{file}: {_reason(error)}") from error
    if entry is None:
        return credentials
    login, account, password = entry
    return Credentials(login or account or "", password or "", source=str(file), is_netrc=True)


def remarks(credentials: Credentials) -> Iterator[str]:
    """Sentences for the operator about credentials that are probably not as intended."""
    if credentials.is_basic and credentials.has_token:
        yield f"{USERNAME} and _PASSWORD win over {TOKEN}, as with MLflow's client: unset what is not meant"
    if credentials.is_netrc:
        return
    if credentials.password and credentials.password != credentials.password.strip(" \"'"):
        yield f"{PASSWORD} begins or ends with a quote or a space, which is sent as part of it"
    if credentials.username and not credentials.password:
        yield f"{USERNAME} is set without {PASSWORD}: {_sent(credentials)}"
    if credentials.password and not credentials.username:
        yield f"{PASSWORD} is set without {USERNAME}: {_sent(credentials)}"


def _sent(credentials: Credentials) -> str:
    return "MLflow is sent the token" if credentials.has_token else "MLflow is sent no credentials"


def _of_file(file: Path) -> tuple[str | None, str | None]:
    if not _exists(file):
        return None, None
    parser = configparser.ConfigParser()
    try:
        parser.read_string(file.read_text("utf-8-sig"))
        section = parser[_SECTION]
        return section.get(USERNAME.lower()), section.get(PASSWORD.lower())
    except KeyError as error:
        raise ValueError(f"{_FILE}: it has no section [{_SECTION}]") from error
    except configparser.InterpolationError as error:  # its words show the value
        raise ValueError(f"{_FILE}: a % in a value is written %%") from error
    except configparser.Error as error:  # its words show the line
        raise ValueError(f"{_FILE}: it is no INI file: {type(error).__name__}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{_FILE}: {_reason(error)}") from error


def _exists(file: Path) -> bool:
    try:
        return file.exists()
    except OSError:  # a folder on the way that may not be entered
        return False


def _reason(error: Exception) -> str:
    if isinstance(error, NetrcParseError):
        return f"line {error.lineno}: it is no .netrc"  # its words show what stands there
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return "it is not UTF-8"
