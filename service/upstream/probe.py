"""Single requests to an address, whatever answers there. Only `check` uses them."""

from __future__ import annotations

import asyncio
import ssl
from typing import NamedTuple

import aiohttp
from yarl import URL

from service.upstream import wire
from service.upstream.access import Access

API = "api/2.0/mlflow/experiments/search?max_results=1"
HEALTH = "health"
_READ = 65_536  # bytes of a body
_SECONDS = 3.0


class RawAnswer(NamedTuple):
    """An HTTP answer. code: MLflow's error code, "" where it has none. text: the first 64 kB of its body."""

    status: int
    content_type: str = ""
    location: str = ""
    challenge: str = ""
    code: str = ""
    text: str = ""


async def look(base: URL, path: str, access: Access, seconds: float = _SECONDS) -> RawAnswer | None:
    """The answer to a GET of a path below this address, with these credentials; None where none came."""
    timeout = aiohttp.ClientTimeout(total=seconds)
    connector = aiohttp.TCPConnector(ssl=access.ssl_context or True)
    try:
        async with (
            aiohttp.ClientSession(
                timeout=timeout, connector=connector, proxy=access.proxy, cookie_jar=aiohttp.DummyCookieJar()
            ) as session,
            session.get(
                URL(f"{str(base).rstrip('/')}/{path}"), headers=access.shown(), allow_redirects=False
            ) as response,
        ):
            body = await response.content.read(_READ)
            return RawAnswer(
                response.status,
                response.content_type,
                response.headers.get("Location", ""),
                response.headers.get("WWW-Authenticate", ""),
                wire.read_error_code(body),
                body.decode("utf-8", "replace"),
            )
    except (aiohttp.ClientError, OSError, ValueError):
        return None


async def speaks_tls(url: URL, seconds: float = _SECONDS) -> bool:
    """Whether a server at an http:// address speaks TLS. Nothing is sent, so nothing is verified."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        async with asyncio.timeout(seconds):
            _, writer = await asyncio.open_connection(url.host, url.port, ssl=context)
    except (OSError, ValueError):
        return False
    writer.close()
    return True
