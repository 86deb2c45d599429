"""What an ill MLflow, or the network before it, does: each with the answer that callers get."""

import asyncio
import base64
import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import NamedTuple
from urllib.parse import quote

from aiohttp import web

from tests.fakes.faults import Hook
from tests.resilience import proxy

WORDS = "s3cret-words-of-mlflow"
TOKEN = "s3cret-of-ours"  # noqa: S105 - it opens nothing
_LOOK = 0.02  # seconds
LARGEST = 200_000  # bytes of an answer that the service is told to read

BAD, AUTH = (502, "upstream_error"), (502, "upstream_auth")
SLOW, BUSY = (504, "upstream_timeout"), (503, "upstream_unavailable")
LARGE = (502, "upstream_too_large")


class Fault(NamedTuple):
    """on_wire, hook: what breaks, the connection or the reply. answer: status and code that callers get."""

    answer: tuple[int, str]
    on_wire: proxy.Behaviour = proxy.forward
    hook: Hook | None = None


def replying(
    status: int = 200,
    body: str | bytes = WORDS,
    content_type: str = "application/json",
    **headers: str,
) -> Hook:
    """Answer everything with one reply; headers are named in snake_case."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}

    async def hook(_: web.Request) -> web.Response:
        data = body.encode() if isinstance(body, str) else body
        return web.Response(
            status=status,
            body=data,
            headers={"Content-Type": content_type, "X-Secret": WORDS, **given},
        )

    return hook


async def hang(request: web.Request) -> None:
    """Answer nothing until the caller has gone."""
    while request.transport is not None:
        await asyncio.sleep(_LOOK)


async def flood(request: web.Request) -> web.StreamResponse:
    """Answer without an end."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    with suppress(ConnectionError):  # that is how it ends
        while True:
            await response.write(b'{"runs": [' + b" " * 65_536)
    return response


def repeating(status: int, place: str) -> Hook:
    """Answer with the credential that came with the request, in a message, a page, a text or an address."""

    async def hook(request: web.Request) -> web.Response:
        shown = request.headers.get("Authorization", "nothing").replace("Basic ", "").replace("Bearer ", "")
        with suppress(ValueError):
            shown += " " + base64.b64decode(shown, validate=True).decode()
        message = json.dumps({"error_code": "BAD_REQUEST", "message": f"no: {shown}"})
        body, content_type, location = {
            "message": (message, "application/json", None),
            "page": (_page(f"no: {shown}"), HTML, None),
            "text": (f"no: {shown}", "text/plain", None),
            "address": ("", "text/plain", f"https://{quote(shown)}@sso/{quote(shown)}?{quote(shown)}"),
        }[place]
        headers = {"Content-Type": content_type, **({"Location": location} if location else {})}
        return web.Response(status=status, body=body.encode(), headers=headers)

    return hook


def of_mlflow(code: str) -> str:
    return json.dumps({"error_code": code, "message": WORDS})


def _page(title: str) -> str:
    return f"<!doctype html><title>{title}</title><h1>{WORDS}</h1>"


def _soon() -> str:
    return format_datetime(datetime.now(UTC) + timedelta(minutes=1), usegmt=True)


def _retry_afters() -> Mapping[str, str]:
    return {"seconds": "30", "0": "0", "a date": _soon(), "rubbish": "soon, I hope"}


HTML = "text/html; charset=utf-8"
ON_WIRE = {
    "accepts and never speaks": Fault(SLOW, proxy.never_speak),
    "half open": Fault(SLOW, proxy.half_open),
    "half closed": Fault(BAD, proxy.half_closed),
    "resets at once": Fault(BAD, proxy.reset_at_once),
    "resets before the reply": Fault(BAD, proxy.reset_before),
    "resets inside the body": Fault(BAD, proxy.reset_inside),
    "truncates the body": Fault(BAD, proxy.truncate),
    "truncates the head": Fault(BAD, proxy.truncate_head),
    "drips": Fault(SLOW, proxy.drip),
    "speaks another protocol": Fault(BAD, proxy.babble),
}
IN_REPLIES = {
    "silence": Fault(SLOW, hook=hang),
    "HTML": Fault(BAD, hook=replying(200, _page("Sign in"), HTML)),
    "HTML that says it is JSON": Fault(BAD, hook=replying(200, _page("Sign in"))),
    "an empty body": Fault(BAD, hook=replying(200, b"")),
    "no content": Fault(BAD, hook=replying(204, b"")),
    "accepted": Fault(BAD, hook=replying(202, "{}")),
    "half of the JSON": Fault(BAD, hook=replying(200, '{"run": {"info": {"run_id": "' + WORDS)),
    "an array": Fault(BAD, hook=replying(200, "[]")),
    "another object": Fault(BAD, hook=replying(200, json.dumps({"detail": WORDS}))),
    "fields of the wrong type": Fault(
        BAD, hook=replying(200, '{"runs": {}, "run": [], "experiments": "x", "experiment": 7}')
    ),
    "nulls": Fault(
        BAD, hook=replying(200, '{"runs": null, "experiments": null, "run": null, "experiment": null}')
    ),
    "a bare NaN for a run": Fault(
        BAD, hook=replying(200, '{"run": NaN, "runs": NaN, "experiment": NaN, "experiments": NaN}')
    ),
    "gzip that is none": Fault(BAD, hook=replying(200, WORDS, Content_Encoding="gzip")),
    "an unknown encoding": Fault(BAD, hook=replying(200, "{}", Content_Encoding="br")),
    "Latin-1": Fault(BAD, hook=replying(200, f'{{"é": "{WORDS}"}}'.encode("latin-1"))),
    "half of UTF-16": Fault(BAD, hook=replying(200, '{"runs": []}'.encode("utf-16")[:-3])),
    "oversized": Fault(LARGE, hook=replying(200, json.dumps({"x": "y" * (LARGEST + 1)}))),
    "without an end": Fault(LARGE, hook=flood),
    **{
        f"a redirect {status}": Fault(BAD, hook=replying(status, b"", Location="/s3cret-elsewhere"))
        for status in (301, 302, 303, 307, 308)
    },
    "repeats in its message": Fault(BAD, hook=repeating(400, "message")),
    "repeats in a failure": Fault(BAD, hook=repeating(500, "message")),
    "repeats on a page": Fault(BAD, hook=repeating(200, "page")),
    "repeats in a text": Fault(AUTH, hook=repeating(401, "text")),
    "repeats in an address": Fault(BAD, hook=repeating(302, "address")),
    "400": Fault(BAD, hook=replying(400, of_mlflow("BAD_REQUEST"))),
    "401": Fault(AUTH, hook=replying(401, WORDS, "text/plain", WWW_Authenticate='Basic realm="s3cret"')),
    "403": Fault(AUTH, hook=replying(403, of_mlflow("PERMISSION_DENIED"))),
    "404 in HTML": Fault(BAD, hook=replying(404, _page("Not Found"), HTML)),
    "429": Fault(BUSY, hook=replying(429, of_mlflow("REQUEST_LIMIT_EXCEEDED"))),
    **{
        f"429 with Retry-After {kind}": Fault(BUSY, hook=replying(429, Retry_After=value))
        for kind, value in _retry_afters().items()
    },
    **{
        f"{status}": Fault(BAD, hook=replying(status, _page(f"{status}"), HTML)) for status in range(500, 505)
    },
    **{
        f"{status} with Retry-After {kind}": Fault(
            BAD, hook=replying(status, of_mlflow("TEMPORARILY_UNAVAILABLE"), Retry_After=value)
        )
        for status in (500, 503)
        for kind, value in _retry_afters().items()
    },
}
FAULTS = {**ON_WIRE, **IN_REPLIES}
