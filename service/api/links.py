"""The header that leads from one page of an answer to the next."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from urllib.parse import urlencode

from aiohttp import hdrs, web
from pydantic import BaseModel

from service.api.search_parsing import parameters_of

MOST_BYTES: Final = 4_096  # of a header that many proxies pass on

_IN_BODY: Final = "page_token"


def link_line(
    request: web.BaseRequest,
    parameters: Iterable[tuple[str, object]],
    token: str | None,
    name: str = _IN_BODY,
) -> str:
    """The header that links to the next page of a GET (RFC 8288), with its CRLF; "" where there is none.

    parameters: those of this page, as they were read: whoever asks the same gets the same header, and is not
    to read what somebody else wrote beside them. token: what stands for the next page, in the parameter of
    this name. The link is relative to the request's address, which a proxy in front may have made longer. A
    page_token stands in the body, too: a header that many would refuse is left out beside it.
    """
    if token is None or request.method == hdrs.METH_POST:
        return ""
    line = f'Link: <?{urlencode([*parameters, (name, token)])}>; rel="next"\r\n'
    return "" if name == _IN_BODY and len(line) > MOST_BYTES else line


def searched(request: web.BaseRequest, model: type[BaseModel]) -> list[tuple[str, object]]:
    """The parameters of a search's page: those that the route has, each once."""
    given = parameters_of(request.rel_url.raw_query_string).items()
    return [(name, value) for name, value in given if name in model.model_fields and name != _IN_BODY]
