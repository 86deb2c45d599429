"""What is the same for every service that a test builds, worked out once a process.

It is most of the time that it takes to build a service, and a thousand tests build one each.
"""

import pickle
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from service.api.openapi import openapi_json
from service.http.route import Route
from service.settings.load import config_dir
from service.tracking.directions import Directions, load_directions


@contextmanager
def worked_out_once() -> Iterator[None]:
    """The document of the same operations, the same rules of metrics, and the same TOML are remembered.

    None of them changes afterwards: the document is bytes, and of TOML each reader gets a copy.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tomllib, "loads", _loads(tomllib.loads))
        patch.setattr("service.app.load_directions", _directions(load_directions))
        patch.setattr("service.api.resources.openapi_json", _document(openapi_json))
        yield


def _loads(loads: Any) -> Any:
    @cache
    def pickled(text: str) -> bytes:
        return pickle.dumps(loads(text))

    return lambda text: pickle.loads(pickled(text))  # noqa: S301 - what stands two lines above


def _directions(load: Callable[[Path], Directions]) -> Any:
    remembered, shipped = cache(load), config_dir() / "metrics.toml"
    return lambda path: remembered(path) if path == shipped else load(path)


def _document(make: Any) -> Any:
    known: list[tuple[Any, bytes]] = []  # operations can be compared, but have no hash

    def document(routes: Sequence[Route], auth: str) -> bytes:
        of_each = [(one.method, one.path, one.access, one.always_answered, one.operation) for one in routes]
        key = (auth, of_each)
        for other, content in known:
            if key == other:
                return content
        known.append((key, make(routes, auth)))
        return known[-1][1]

    return document
