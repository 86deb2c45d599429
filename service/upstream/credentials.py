"""Where the credentials for MLflow come from, in the order of MLflow's own client.

Environment over ~/.mlflow/credentials (mlflow/utils/credentials.py); a username and password over a token;
.netrc where there is nothing else. (`requests`, under MLflow's client, lets .netrc win over a token. That
surprises whoever set the token, so it is not followed.)
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
    """What MLflow is shown.

    has_token: there is a token in a variable or a file of its own. source: the file of username and password,
    "" where they are of the environment. is_netrc: either of them may be empty.
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
        """Whether MLflow is shown anything at all."""
        return self.is_basic or self.has_token


def with_file(given: Credentials, home: Path) -> Credentials:
    """What the environment lacks of username and password, from ~/.mlflow/credentials if it is there.

    ValueError where the file is not what MLflow's client could read.
    """
    if given.is_basic:
        return given
    username, password = _of_file(home / ".mlflow" / "credentials")
    merged = given._replace(username=given.username or username, password=given.password or password)
    return merged._replace(source=_FILE) if merged != given else given


def with_netrc(given: Credentials, host: str, environment: Mapping[str, str], home: Path) -> Credentials:
    """Those of .netrc for this host, where there are no others. ValueError where it cannot be read."""
    if given.is_basic or given.has_token:
        return given
    named = environment.get("NETRC")
    places = [Path(named).expanduser()] if named else [home / ".netrc", home / "_netrc"]
    for place in places:
        if _exists(place):
            break
    else:
        if named:
            raise ValueError(f"NETRC: {named} is not there")
        return given
    try:
        found = netrc(str(place)).authenticators(host)
    except (NetrcParseError, OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{place}: {_reason(error)}") from error
    if found is None:
        return given
    login, account, password = found
    return Credentials(login or account or "", password or "", source=str(place), is_netrc=True)


def remarks(given: Credentials) -> Iterator[str]:
    """What is odd about credentials, as sentences for an operator."""
    if given.is_basic and given.has_token:
        yield f"{USERNAME} and _PASSWORD win over {TOKEN}, as with MLflow's client: unset what is not meant"
    if given.is_netrc:
        return
    if given.password and given.password != given.password.strip(" \"'"):
        yield f"{PASSWORD} begins or ends with a quote or a space, which is sent as part of it"
    if given.username and not given.password:
        yield f"{USERNAME} is set without {PASSWORD}: {_sent(given)}"
    if given.password and not given.username:
        yield f"{PASSWORD} is set without {USERNAME}: {_sent(given)}"


def _sent(given: Credentials) -> str:
    return "MLflow is sent the token" if given.has_token else "MLflow is sent no credentials"


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
