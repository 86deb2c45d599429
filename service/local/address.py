"""Parses MLFLOW_TRACKING_URI: the address of a server, or the location of a store. Pure.

Addresses of stores mean what MLflow (`local_file_uri_to_path`) and SQLAlchemy (`make_url`) read in them. What
is neither a server's address nor clearly a store is refused: a new, empty store would look as if all runs
were lost.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import unquote

from yarl import URL

_NEARLY_HTTP = re.compile(r"(?i)(h?t{1,3}ps?)(?:[:;]?[/\\]+|:(?!\d))(?P<rest>.*)")
_HOST_AND_PORT = re.compile(r"(?P<host>[\w.-]+|\[[\da-fA-F:.]+\]):\d{1,5}(?P<rest>[/?#].*)?", re.ASCII)
_HOST = re.compile(r"localhost|\d{1,3}(\.\d{1,3}){3}|[\w-]+(\.[\w-]+)*\.[A-Za-z]{2,}", re.ASCII)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_API = re.compile(r"/(ajax-)?api/\d\.\d(/.*)?$")
_DATABASE_FILE = re.compile(r".+\.(db|sqlite|sqlite3)", re.IGNORECASE)
_ODD_IN_A_HOST = set("${}<>|\"'`\\,;*()% ")

_LONGEST = 200  # of a suggestion, in characters

_FORMS = "must be http://…, https://…, sqlite:///… or a folder"
_OF_A_SERVER = "give the http:// or https:// address of an MLflow server"
_DATABRICKS = "for Databricks, give the workspace's address, https://…, and a token in MLFLOW_TRACKING_TOKEN"
_MEMORY = "a store in memory would be empty at each start"
_ONLY_SERVERS_READ = ("postgres", "mysql", "mariadb", "mssql", "oracle")
_KEEP_ARTIFACTS = {"s3", "s3a", "gs", "r2", "b2", "abfss", "wasb", "wasbs", "hdfs", "viewfs", "dbfs", "ftp",
                   "sftp", "mlflow-artifacts"}  # fmt: skip


class ServerAddress(NamedTuple):
    """The address of an MLflow server."""

    url: str


class DatabaseAddress(NamedTuple):
    """A SQLite file. paths: its possible paths, as written first. query: SQLAlchemy's, without `?`."""

    paths: tuple[str, ...]
    query: str = ""


class FolderAddress(NamedTuple):
    """A folder. paths: its possible paths, first the one as written. is_uri: whether that was file:…."""

    paths: tuple[str, ...]
    is_uri: bool = False


Address = ServerAddress | DatabaseAddress | FolderAddress


def parse(text: str, is_folder: Callable[[str], bool]) -> Address:
    """Return the address in a text. ValueError if there is none, or if it is ambiguous; it suggests others.

    is_folder: tells whether there is a folder of this name; a bare word is a store only if there is. The
    error repeats nothing of a text that may hold a password.
    """
    inner = text.strip().strip("\"'").strip()
    if inner != text:
        parse(inner, is_folder)
        raise ValueError(f"has quotes or spaces around it{_suggestion(inner)}")
    if not text.isprintable():
        raise ValueError("has a control character, such as the end of a line")
    if not text:
        raise ValueError("is blank")
    if text.startswith("\\\\") or re.match(r"[A-Za-z]:[\\/]", text):
        raise ValueError("is a Windows path, which is not supported")
    if re.match(r"(?i)https?://", text):
        return _server(text)
    if nearly := _NEARLY_HTTP.fullmatch(text):
        scheme = "https" if nearly[1].lower().endswith("s") else "http"
        raise ValueError(f"{_FORMS}{_suggested_server(scheme, nearly['rest'])}")
    if _HOST_AND_PORT.fullmatch(text):
        raise ValueError(f"{_FORMS}{_suggested_server('http', text)}")
    if _SCHEME.match(text) or text in {"databricks", "databricks-uc"}:
        return _with_scheme(text)
    return _path(text, is_folder)


def _server(text: str) -> ServerAddress:
    scheme, _, rest = text.partition("://")
    scheme = scheme.lower()
    authority, path = re.fullmatch(r"([^/?#]*)(.*)", rest).groups()  # type: ignore[union-attr]  # fits any text
    if "@" in authority:
        raise ValueError("must not contain a user and password; set MLFLOW_TRACKING_USERNAME and _PASSWORD")
    if re.match(r"(?i)https?:?//", rest):
        raise ValueError(f"has http:// twice{_suggestion(rest)}")
    host, colon, port = authority.rpartition(":") if not authority.endswith("]") else (authority, "", "")
    if colon and not port and host:
        raise ValueError(f"has no port after its colon{_suggestion(f'{scheme}://{host}:5000')}")
    if odd := sorted(_ODD_IN_A_HOST.intersection(authority)):
        raise ValueError(f"has {odd[0]!r} in its host: placeholders are not replaced here")
    if not authority.removesuffix(f":{port}"):
        raise ValueError("has no host")
    plain = _API.sub("", re.split(r"[?#]", path)[0])
    if plain != path:
        alone = f"{scheme}://{authority}{plain}".rstrip("/")
        raise ValueError(f"is the address of a page or an API of MLflow{_suggestion(alone)}")
    if " " in path:
        raise ValueError("has a space in it")
    try:
        url = URL(f"{scheme}://{rest}")
    except ValueError as error:  # from yarl, for example for a port that is not a number
        raise ValueError(f"is not an address: {error}") from None
    if not url.host:
        raise ValueError("has no host")
    return ServerAddress(f"{scheme}://{rest}")


def _with_scheme(text: str) -> Address:
    scheme, _, rest = text.partition(":")
    scheme = scheme.lower()
    dialect, _, driver = scheme.partition("+")
    if scheme == "file":
        return _file(rest)
    if dialect == "sqlite":
        return _sqlite(rest, driver)
    if dialect.startswith(_ONLY_SERVERS_READ):
        raise ValueError(
            "names a database: start `mlflow server --backend-store-uri …` over it and give that server's "
            "address, such as http://127.0.0.1:5000"
        )
    if scheme in {"databricks", "databricks-uc", "uc"}:
        raise ValueError(f"{_FORMS}; {_DATABRICKS}")
    if scheme == "arn":
        raise ValueError(f"{_FORMS}; requests are not signed for AWS, as SageMaker demands")
    if scheme in _KEEP_ARTIFACTS:
        raise ValueError(f"names a store of artifacts, which holds no runs; {_OF_A_SERVER}")
    raise ValueError(f"{_FORMS}; {_OF_A_SERVER}")


def _file(rest: str) -> FolderAddress:
    if "?" in rest or "#" in rest:
        raise ValueError("has a ? or # in it; in file:… they are written %3F and %23")
    if rest.startswith("//"):
        host, slash, path = rest[2:].partition("/")
        if host not in {"", "localhost", "127.0.0.1"}:  # MLflow would ignore the host and open another folder
            raise ValueError(f"has a host in it{_suggestion(f'file:{host}{slash}{path}')}")
        rest = slash + path
    if not rest.strip("/"):
        raise ValueError("has no path")
    path = unquote(rest)
    if _DATABASE_FILE.fullmatch(path):
        raise ValueError(f"names a file{_suggestion(f'sqlite:///{path}')}")
    return FolderAddress((path,), is_uri=True)


def _sqlite(rest: str, driver: str) -> DatabaseAddress:
    if driver not in {"", "pysqlite"}:
        raise ValueError("names another driver than Python's own; write sqlite:///…")
    path, _, query = rest.partition("?")
    if path.strip("/") in {"", ":memory:"}:
        raise ValueError(_MEMORY if not path.startswith("////") else "has no path")
    if not path.startswith("///"):
        suggestions = [f"sqlite:///{path.lstrip('/')}"]
        if re.match(r"/[^/]", path):
            suggestions.append(f"sqlite:///{path}")
        raise ValueError(f"needs three slashes before a path{_suggestion(*suggestions)}")
    path = path.removeprefix("///")
    if path.startswith("file:") or re.search(r"(^|&)(uri|mode|vfs)=", query):
        raise ValueError("is a URI of SQLite itself; write sqlite:////absolute/path/mlflow.db")
    if path.startswith("~"):
        raise ValueError("has a ~, which is not replaced here; write the full path")
    if path.endswith("/"):
        raise ValueError(f"names a folder{_suggestion(f'sqlite:///{path}mlflow.db')}")
    return DatabaseAddress(_possible_paths(path), query)


def _path(text: str, is_folder: Callable[[str], bool]) -> FolderAddress:
    first, slash, _ = text.partition("/")
    is_plain = text.startswith(("/", "./", "../", "~")) or text in {".", ".."}
    if text.startswith("//") and not is_folder(text):
        raise ValueError(f"{_FORMS}{_suggested_server('http', text)}")
    if is_plain or is_folder(text) or (slash and is_folder(first)):
        return FolderAddress(_possible_paths(text))
    if "@" in first:
        raise ValueError(f"{_FORMS}; {_OF_A_SERVER}")
    if slash and not _HOST.fullmatch(first):
        return FolderAddress(_possible_paths(text))
    if _DATABASE_FILE.fullmatch(text) and not slash:
        raise ValueError(f"{_FORMS}{_suggestion(f'sqlite:///{text}')}")
    if _HOST.fullmatch(first):
        raise ValueError(f"{_FORMS}{_suggestion(f'http://{text}', f'./{text} for a new folder')}")
    servers = [f"http://{text}:5000"] if re.fullmatch(r"[\w-]+", text, re.ASCII) else []
    raise ValueError(
        f"{_FORMS}, and there is no folder of this name{_suggestion(f'./{text} for a new folder', *servers)}"
    )


def _possible_paths(path: str) -> tuple[str, ...]:
    """Return the path as it is written, and as MLflow and SQLAlchemy from 2.1 read it: percent-decoded."""
    decoded = unquote(path)
    return (path,) if decoded == path else (path, decoded)


def _suggested_server(scheme: str, rest: str) -> str:
    """Return the suggestion of a server's address, without the parts of `rest` that do not belong to one."""
    authority, path = re.fullmatch(r"[/\\]*([^/?#\\]*)([^?#]*).*", rest).groups()  # type: ignore[union-attr]
    path = _API.sub("", path)
    return _suggestion(f"{scheme}://{authority}{path.rstrip('/')}") if authority else ""


def _suggestion(*addresses: str) -> str:
    text = ", or ".join(addresses)
    return "" if "@" in text or len(text) > _LONGEST else f"; did you mean {text}?"
