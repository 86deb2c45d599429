"""The header that leads from one page of an answer to the next."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl, urlencode

from aiohttp import hdrs, web
from pydantic import BaseModel

MOST_BYTES: Final = 4_096  # of a header that many proxies pass on

_IN_BODY: Final = "page_token"


def link_line(
    request: web.BaseRequest, parameters: type[BaseModel], token: str | None, name: str = _IN_BODY
) -> str:
    """The header that links to the next page of a GET (RFC 8288), with its CRLF; "" where there is none.

    token: what stands for the next page, in the parameter of this name. The link repeats the parameters that
    the route has and no others: whoever asks the same gets the same header, and is not to read what somebody
    else wrote beside them. It is relative to the request's address, which a proxy in front may have made
    longer. A page_token stands in the body, too: a header that many would refuse is left out beside it.
    """
    if token is None or request.method == hdrs.METH_POST:
        return ""
    repeated = parameters.model_fields.keys() - {name}
    asked = parse_qsl(request.rel_url.raw_query_string, keep_blank_values=True)
    following = [pair for pair in asked if pair[0] in repeated]
    line = f'Link: <?{urlencode([*following, (name, token)])}>; rel="next"\r\n'
    return "" if name == _IN_BODY and len(line) > MOST_BYTES else line
