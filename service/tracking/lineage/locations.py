"""Artifact URIs: where they point, which runs and logged models they may be of, and what holds what. Pure.

One place has several spellings, and all of them are read as the same: `s3a://` as `s3://`, a path as
`file:///`, `/dbfs/` as `dbfs:/`, Azure's `wasbs://` and `abfss://` as its `https://`, and the addresses of S3
and Google by HTTP as `s3://` and `gs://`. MLflow puts the artifacts of a run below
`<root>/<run id>/artifacts`, and those of a logged model below `<root>/models/<model id>/artifacts`; a root
may be any folder.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final, NamedTuple
from urllib.parse import unquote, urlsplit

from service.tracking.runs import is_run_id

_MOST_CANDIDATES: Final = 4  # ids of a URI that are looked for
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]+:(?=/)")
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_RUN_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)
_MODEL_ID = re.compile(r"m-[0-9a-f]{32}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_S3_HOST = re.compile(r"(?:(.+)\.)?s3[.\-](?:[a-z0-9\-.]+\.)?amazonaws\.com(?:\.cn)?")
_GOOGLE_HOST = re.compile(r"(?:(.+)\.)?storage\.googleapis\.com|storage\.cloud\.google\.com")
_AZURE_HOST = re.compile(r"([a-z0-9\-]+)\.(?:blob|dfs)\.core\.[a-z.]+")

_S3: Final = frozenset({"s3", "s3a", "s3n"})
_AZURE: Final = frozenset({"wasb", "wasbs", "abfs", "abfss"})
_ANY_PLACE: Final = frozenset({"mlflow-artifacts", "dbfs", "hdfs", "viewfs"})
_HTTP: Final = frozenset({"http", "https"})
_PROXY = ("mlflow-artifacts", "artifacts")  # below which MLflow serves artifacts by HTTP
_RELATIVE: Final = "relative"
_FOLDER: Final = "artifacts"


class Location(NamedTuple):
    """A path in a store, such as ("s3", "bucket", ("a", "b")). place: "" where there is none."""

    store: str
    place: str
    path: tuple[str, ...]


class Candidates(NamedTuple):
    """The ids of runs and of logged models that a URI may be of, the most likely first."""

    run_ids: tuple[str, ...]
    model_ids: tuple[str, ...]


def is_location(text: str) -> bool:
    """Whether a text is a URI with a scheme, or a path."""
    return bool(_SCHEME.match(text) or _DRIVE.match(text)) or "/" in text


def candidates_in(uri: str) -> Candidates:
    """The ids in a URI; ValueError, with what to do, for a URI that no artifact has."""
    path = _location(uri).path
    if ".." in path:
        raise ValueError("an artifact URI has no '..' in its path; write the path without it")
    if any(map(_CONTROL.search, path)):
        raise ValueError("an artifact URI has no control characters, not even encoded ones")
    likely = [one for one, after in pairwise(path) if after == _FOLDER][::-1]
    ids = dict.fromkeys([*likely, *reversed(path)])
    models = [one for one in ids if _MODEL_ID.fullmatch(one)][:_MOST_CANDIDATES]
    runs = [one for one in ids if _RUN_ID.fullmatch(one)]
    runs = runs or [one for one in dict.fromkeys(likely) if is_run_id(one) and one not in models]
    return Candidates(tuple(runs[: _MOST_CANDIDATES - len(models)]), tuple(models))


def holds(root: str, uri: str, owner: str) -> bool:
    """Whether a URI is below a root, or is the folder of the owner in which that root is.

    root: the artifact URI of a run or logged model, as MLflow has it. owner: its id, a part of the root.
    """
    try:
        outer = _location(root)
    except ValueError:
        return False
    return bool(root) and any(_is_within(outer, inner, owner) for inner in _readings(uri))


def _is_within(outer: Location, inner: Location, owner: str) -> bool:
    if _RELATIVE in (outer.store, inner.store):
        return {outer.store, inner.store} <= {_RELATIVE, "file"} and _is_aligned(outer, inner, owner)
    if outer.store != inner.store:
        return False
    is_same_place = outer.place == inner.place
    if outer.store in _ANY_PLACE:  # a URI without a host means the server's own
        is_same_place = is_same_place or not (outer.place and inner.place)
    return is_same_place and _is_below(outer.path, inner.path, owner)


def _is_below(outer: tuple[str, ...], inner: tuple[str, ...], owner: str) -> bool:
    return inner[: len(outer)] == outer or (owner in inner and outer[: len(inner)] == inner)


def _is_aligned(outer: Location, inner: Location, owner: str) -> bool:
    """The same, of paths of which one begins nowhere: what it lacks at its beginning may be anything."""
    if owner not in outer.path or owner not in inner.path:
        return False
    outer_start, inner_start = outer.path.index(owner), inner.path.index(owner)
    shorter = outer if outer_start < inner_start else inner
    if outer_start != inner_start and shorter.store != _RELATIVE:
        return False
    known = min(outer_start, inner_start)
    return _is_below(outer.path[outer_start - known :], inner.path[inner_start - known :], owner)


def _readings(uri: str) -> Iterator[Location]:
    """Where a URI may point: an address of HTTP may be of MinIO, with the bucket first in its path."""
    location = _location(uri)
    yield location
    if location.store in _HTTP and location.path:
        yield Location("s3", location.path[0], location.path[1:])


def _location(uri: str) -> Location:
    """Where a URI points. Its path is decoded, and has no empty parts."""
    if _DRIVE.match(uri):
        return Location("file", "", _parts(uri.replace("\\", "/"), is_encoded=False))
    scheme = _SCHEME.match(uri)
    if scheme is None:
        return _of_path(uri)
    if scheme[0][:-1].lower() not in _HTTP:  # elsewhere ? and # are characters of a name
        uri = uri.replace("?", "%3F").replace("#", "%23")
    try:
        split = urlsplit(uri)
    except ValueError as error:
        raise ValueError("this artifact URI cannot be read: its host is not one") from error
    store, host, path = split.scheme.lower(), split.netloc, _parts(split.path)
    if store in _HTTP:
        return _of_http(store, host.lower(), path)
    if store in _AZURE:
        container, _, account = host.partition("@")
        return Location("azure", f"{container}@{account.lower().partition('.')[0]}", path)
    return Location("s3" if store in _S3 else store, "" if store == "file" else host, path)


def _of_path(text: str) -> Location:
    path = _parts(text, is_encoded=False)
    if not text.startswith("/"):
        return Location(_RELATIVE, "", path)
    if path[:1] == ("dbfs",):
        return Location("dbfs", "", path[1:])
    return Location("file", "", path)


def _of_http(store: str, host: str, path: tuple[str, ...]) -> Location:
    for start in range(len(path) - 1):
        if path[start : start + 2] == _PROXY:
            return Location("mlflow-artifacts", "", path[start + 2 :])
    if found := _S3_HOST.fullmatch(host):
        return _of_bucket("s3", found[1], path)
    if found := _GOOGLE_HOST.fullmatch(host):
        return _of_bucket("gs", found[1], path)
    if (found := _AZURE_HOST.fullmatch(host)) and path:
        return Location("azure", f"{path[0]}@{found[1]}", path[1:])
    return Location(store, host, path)


def _of_bucket(store: str, bucket: str | None, path: tuple[str, ...]) -> Location:
    return Location(store, bucket, path) if bucket else Location(store, *_first_of(path))


def _first_of(path: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    return (path[0] if path else ""), path[1:]


def _parts(path: str, *, is_encoded: bool = True) -> tuple[str, ...]:
    text = unquote(path) if is_encoded else path
    return tuple([part for part in text.split("/") if part not in ("", ".")])
