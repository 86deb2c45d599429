"""What libraries work out from the same input for every service that a test builds: once a process.

It is half of the time that it takes to build a service, and a thousand tests build one each.
"""

import pickle
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import pytest
from pydantic.json_schema import GenerateJsonSchema


@contextmanager
def worked_out_once() -> Iterator[None]:
    """JSON Schemas of the same classes, and the same TOML, are read back from memory; each time as a copy."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tomllib, "loads", _loads(tomllib.loads))
        patch.setattr(GenerateJsonSchema, "generate_definitions", _definitions())
        yield


def _loads(loads: Any) -> Any:
    @cache
    def pickled(text: str) -> bytes:
        return pickle.dumps(loads(text))

    return lambda text: pickle.loads(pickled(text))  # noqa: S301 - what stands four lines above


def _definitions() -> Any:
    original, known = GenerateJsonSchema.generate_definitions, dict[Any, bytes]()

    def generated(self: GenerateJsonSchema, inputs: Sequence[Any]) -> Any:
        key = (type(self), self.ref_template, self.by_alias, tuple(each[:2] for each in inputs))
        if key not in known:
            known[key] = pickle.dumps(original(self, inputs))
        return pickle.loads(known[key])  # noqa: S301 - what stands two lines above

    return generated
