"""Files that never change while the service runs, as the responses that browsers get."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from functools import cached_property

from aiohttp import hdrs, web

from service.http.negotiation import listed
from service.http.representations import accepts_gzip

IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATED = "no-cache"


class Asset:
    """A text that browsers load: gzipped where they take that, and not sent again where they have it.

    etag: strong, without its quotes. cache_control: IMMUTABLE where its address names its content.
    """

    def __init__(
        self,
        body: bytes,
        content_type: str,
        etag: str,
        cache_control: str = IMMUTABLE,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._body = body
        self._content_type = content_type
        self._etag = etag
        self._headers = {"Cache-Control": cache_control, "Vary": "Accept-Encoding", **(headers or {})}

    async def send(self, request: web.BaseRequest, _path: Mapping[str, str]) -> web.Response:
        """The response to a request for it."""
        is_gzipped = accepts_gzip(listed(request.headers, hdrs.ACCEPT_ENCODING) or "")
        etag = f'"{self._etag}-gzip"' if is_gzipped else f'"{self._etag}"'
        headers = {**self._headers, "ETag": etag}
        known = listed(request.headers, hdrs.IF_NONE_MATCH) or ""
        if etag in {tag.strip().removeprefix("W/") for tag in known.split(",")}:
            return web.Response(status=304, headers=headers)
        if is_gzipped:
            headers["Content-Encoding"] = "gzip"
        return web.Response(
            body=self._gzipped if is_gzipped else self._body,
            content_type=self._content_type,
            charset="utf-8",
            headers=headers,
        )

    @cached_property
    def _gzipped(self) -> bytes:
        return gzip.compress(self._body, 9, mtime=0)
