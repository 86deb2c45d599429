"""Requests into the models of the contract."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import Any, TypeVar, get_origin
from urllib.parse import parse_qsl

import msgspec
from aiohttp import hdrs, web
from pydantic import BaseModel, ValidationError

from service.errors import FieldError, InvalidRequest
from service.http.body import BodyReader
from service.http.errors import (
    BodyTimeout,
    BodyTooLarge,
    MalformedBody,
    UnsupportedMediaType,
)

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T", str, bytes)
R = TypeVar("R")

# What `json_body` and the parser of its bytes raise.
BODY_ERRORS = (MalformedBody, BodyTimeout, BodyTooLarge, UnsupportedMediaType, InvalidRequest)

_LONGEST = 2_048  # characters of a query or bytes of a body that are parsed once


def parse_query(model: type[M], query_string: str) -> M:
    """The parameters of a query. InvalidRequest.

    Where a name is repeated all values of a list count, and the first one of anything else.
    """
    parameters: dict[str, Any] = {}
    for name, value in parse_qsl(query_string, keep_blank_values=True):
        if name in _lists(model):
            parameters.setdefault(name, []).append(value)
        else:
            parameters.setdefault(name, value)
    return validated(model, parameters, "query")


def parse_json(model: type[M], body: bytes) -> M:
    """A JSON body. MalformedBody or InvalidRequest."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedBody("The body is not valid JSON.") from error
    return validated(model, value, "body")


def memoized(parse: Callable[[T], R]) -> Callable[[T], R]:
    """The parser, which parses a short text once: pages ask the same questions again and again."""
    recall = lru_cache(maxsize=1_024)(parse)

    def parsed(text: T) -> R:
        return recall(text) if len(text) <= _LONGEST else parse(text)

    return parsed


async def json_body(request: web.BaseRequest, read: BodyReader) -> bytes:
    """A request's body, which is JSON by its headers. UnsupportedMediaType, and what `read` raises."""
    if request.content_type != "application/json":
        raise UnsupportedMediaType("The body must be application/json.")
    if request.headers.get(hdrs.CONTENT_ENCODING, "identity") != "identity":
        raise UnsupportedMediaType("The body must not be compressed.")
    return await read(request)


@cache
def _lists(model: type[BaseModel]) -> frozenset[str]:
    """The names of a model's fields that are lists."""
    fields = model.model_fields.items()
    return frozenset(name for name, field in fields if get_origin(field.annotation) is list)


def validated(model: type[M], value: Any, where: str) -> M:
    """The value as a model. InvalidRequest with every fault; where: the place of the value, for them."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
        raise InvalidRequest([_field_error(problem, where) for problem in problems]) from None


def _field_error(problem: Mapping[str, Any], where: str) -> FieldError:
    location = ".".join([where, *(str(part) for part in problem["loc"])])
    return FieldError(location, problem["msg"].removeprefix("Value error, "))
