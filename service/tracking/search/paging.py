"""Where a page of runs starts: in the index after a run, or in MLflow at a token of its own. Pure."""

from __future__ import annotations

import base64
import json
from typing import Final

import msgspec

from service.errors import FieldError, InvalidRequest
from service.tracking.search.queries import Grouping, GroupPosition, Position, RunSearch
from service.tracking.search.tokens import (
    TokenError,
    position_of_groups,
    position_of_search,
    read_token,
    write_token,
)

_KIND: Final = "mlflow"
_PREFIX: Final = "m."  # other tokens have no dot
_LONGEST: Final = 512  # characters of a token of MLflow's
_FARTHEST: Final = 2**31  # rows that MLflow may be told to pass over


class MlflowPage(msgspec.Struct, frozen=True, gc=False):
    """A page that MLflow starts at this token of its own."""

    token: str


def token_of_mlflow(search: RunSearch, token: str) -> str:
    """The token of the page that MLflow starts at this token of its own."""
    return _PREFIX + write_token(_KIND, MlflowPage(token), _identity(search))


def start_of_page(search: RunSearch, token: str, location: str) -> Position | MlflowPage | None:
    """Where the page of a token starts, None for "". InvalidRequest where it is not one of this search."""
    if not token:
        return None
    try:
        if not token.startswith(_PREFIX):
            return position_of_search(search, token)
        page = read_token(_KIND, token.removeprefix(_PREFIX), MlflowPage, _identity(search))
    except TokenError as error:
        raise InvalidRequest([FieldError(location, str(error))]) from error
    if not _can_be_asked(page.token):
        raise InvalidRequest([FieldError(location, "MLflow makes no such page tokens")])
    return page


def start_of_groups(grouping: Grouping, token: str, location: str) -> GroupPosition | None:
    """The same of groups."""
    try:
        return position_of_groups(grouping, token) if token else None
    except TokenError as error:
        raise InvalidRequest([FieldError(location, str(error))]) from error


def _identity(search: RunSearch) -> tuple[object, ...]:
    return search.experiment_ids, search.filter, search.order


def _can_be_asked(token: str) -> bool:
    """Whether MLflow may be asked with it: it fails at JSON that is not an object with a number in it.

    It reads a token as SearchUtils.parse_start_offset_from_page_token does (mlflow/utils/search_utils.py);
    what is no JSON in base64 may be another server's.
    """
    if not token.isascii() or not token.isprintable() or not 0 < len(token) <= _LONGEST:
        return False
    try:
        parsed = json.loads(base64.b64decode(token))
    except ValueError:
        return True
    return isinstance(parsed, dict) and type(parsed.get("offset")) is int and 0 < parsed["offset"] < _FARTHEST
