"""The service with authentication, asked byte by byte, and everything that it logs meanwhile.

Whatever is attempted, no credential may appear in what the service says: that is checked at the end.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http.client import parse_headers
from io import BytesIO
from typing import Any, NamedTuple

from multidict import CIMultiDict

from service.api import schemas
from service.app import build
from service.http.access_record import AccessRecord
from service.telemetry.logs import as_json, as_text, logging_to
from tests.api.serving import API, Client, make_settings

RUNS = f"{API}/runs"
PATIENCE = 30.0  # seconds, for an answer that takes milliseconds
_CREDENTIAL = re.compile(r"(?im)^(?:authorization|proxy-authorization|x-api-key|cookie)\s*:(.*)$")
_PART = re.compile(r"[^\s.,:=]{16,}")
_TELLTALE = 20  # characters of a part


class Answer(NamedTuple):
    """An answer on a connection: its status, headers and body."""

    status: int
    headers: CIMultiDict[str]
    body: bytes

    @property
    def json(self) -> Any:
        """Return the body, parsed."""
        return json.loads(self.body)


class Attempts:
    """Attempts at the service. api: its client. good: the header line of an accepted credential."""

    def __init__(self, api: Client, good: str) -> None:
        self.api = api
        self.good = good
        self.answered: list[AccessRecord] = []
        self._came_back = b""
        self._credentials = _parts(good)

    async def __call__(self, *lines: str, target: str = RUNS, method: str = "GET") -> Answer:
        """Return the answer to a request with these header lines, sent as they are; surrogates are bytes."""
        host = () if any(line.lower().startswith("host") for line in lines) else ("Host: service",)
        head = [f"{method} {target} HTTP/1.1", *host, *lines, "Connection: close", "", ""]
        self._credentials |= _parts("\n".join(head))
        return await self.raw("\r\n".join(head).encode("utf-8", "surrogateescape"))

    async def raw(self, sent: bytes) -> Answer:
        """Return the answer to these bytes."""
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection(self.api.host, self.api.port)
            writer.write(sent)
            came_back = await reader.read()
            writer.close()
            await writer.wait_closed()
        self._came_back += came_back
        first_line, _, rest = came_back.partition(b"\r\n")
        head = BytesIO(rest)
        headers = CIMultiDict(parse_headers(head).items())
        return Answer(int(first_line.split()[1]), headers, head.read())

    def check_silence(self, log: bytes) -> None:
        """Check that no part of a credential that was sent appears in the log or in an answer."""
        said = b"".join([log, *map(as_text, self.answered), self._came_back]).decode("latin-1")
        assert self._credentials
        assert [] == [one for one in self._credentials if one in said]


def _parts(text: str) -> set[str]:
    """Return the beginnings of the credentials in header lines, where they are long enough to recognise."""
    given = "\n".join(_CREDENTIAL.findall(text))
    return {part[:_TELLTALE] for part in _PART.findall(given)}


@asynccontextmanager
async def attempting(mlflow_url: str, good: str, auth: dict[str, Any]) -> AsyncIterator[Attempts]:
    """Serve this MLflow with a log of everything.

    At the end, no credential may appear in the log, in /readyz or in /metrics.
    """
    answered: list[AccessRecord] = []
    written = BytesIO()
    with logging_to(written, "debug", as_json) as log:
        app = build(make_settings(auth=auth), mlflow_url, [log.write, answered.append])
        async with Client(app) as api:
            attempts = Attempts(api, good)
            attempts.answered = answered
            yield attempts
            assert 200 == (await attempts(target="/readyz")).status
            assert 200 == (await attempts(good, target="/metrics")).status
    assert answered[-1].request_id.encode() in written.getvalue()
    attempts.check_silence(written.getvalue())


def check_let_in(answer: Answer) -> None:
    """Check that the caller was accepted and got the list of runs."""
    assert 200 == answer.status, answer.body
    schemas.RunList.model_validate(answer.json, strict=True)


def check_refused(answer: Answer) -> None:
    """Check that the caller was refused, with a challenge and nothing else."""
    assert (401, "application/problem+json") == (answer.status, answer.headers["Content-Type"]), answer.body
    of_all = {name for name, field in schemas.Problem.model_fields.items() if field.is_required()}
    assert of_all == answer.json.keys()
    assert "unauthenticated" == answer.json["code"]
    assert "no-store" == answer.headers["Cache-Control"]
    assert answer.headers["WWW-Authenticate"] in {
        'Bearer realm="experiment-tracking"',
        'Bearer realm="experiment-tracking", error="invalid_token"',
    }
