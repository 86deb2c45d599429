"""The text of an answer that is a failure, for the log: short, on one line, without secrets. Pure."""

from __future__ import annotations

import base64
import binascii
import html
import re
from collections.abc import Mapping
from urllib.parse import quote

import msgspec
from yarl import URL

from service.errors import shorten

_LONGEST = 300  # characters of a text that is not ours
_SEARCHED = 8_192  # bytes of a page in which its title is looked for
_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)

Body = bytes | bytearray


class _ErrorReply(msgspec.Struct, gc=False):
    message: object = None  # as MLflow has it
    error: object = None  # as others do: GitLab,
    detail: object = None  # FastAPI, RFC 9457


_reply = msgspec.json.Decoder(_ErrorReply)


class Mask:
    """Replaces the service's own credentials in a text by `***`.

    headers: those that the service sends; their Authorization holds the secrets.
    """

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers

    def __call__(self, text: str) -> str:
        for secret in _secrets(self._headers):
            text = text.replace(secret, "***")
        return text


def is_page(headers: Mapping[str, str], body: Body) -> bool:
    """Whether an answer is a web page, by its type or by how it begins."""
    return "html" in headers.get("Content-Type", "").lower() or bytes(body[:64]).lstrip()[:1] == b"<"


def is_json_object(body: Body) -> bool:
    """Whether an answer is a JSON object, as MLflow and other programs send it."""
    return _read(body) is not None


def words(headers: Mapping[str, str], body: Body, mask: Mask) -> str:
    """The message of an error, the title of a page, or the beginning of a text; "" for an empty answer."""
    reply = _read(body)
    if reply is not None:
        messages = [text for text in (reply.message, reply.error, reply.detail) if isinstance(text, str)]
        return _quoted(messages[0], mask) if messages else ""
    text = bytes(body[:_SEARCHED]).decode("utf-8", "replace")
    if is_page(headers, body):
        title = _TITLE.search(text)
        return "a web page" + (f", {_quoted(html.unescape(title[1]), mask)}" if title else "")
    return _quoted(text, mask)


def destination(location: str, mask: Mask) -> str:
    """Where a redirect leads: scheme, host and path. Its query may hold secrets."""
    try:
        url = URL(location.strip())
        place = url.with_query(None).with_fragment(None).with_user(None) if url.host else URL(url.raw_path)
    except ValueError:
        return "an invalid address"
    return _plain(str(place), mask)


def _secrets(headers: Mapping[str, str]) -> list[str]:
    """The secrets of the Authorization header, in every encoding that a text may have, the longest first."""
    whole = headers.get("Authorization", "")
    scheme, _, credential = whole.partition(" ")
    secrets = {whole, credential, credential.rstrip("=")}
    if scheme == "Basic":
        try:
            pair = base64.b64decode(credential).decode()
        except (binascii.Error, UnicodeDecodeError):
            pair = ""
        secrets |= {pair, pair.partition(":")[2]}
    secrets |= {
        form(secret) for secret in secrets for form in (quote, _quoted_whole, html.escape, _as_in_json)
    }
    return sorted(secrets - {""}, key=len, reverse=True)


def _read(body: Body) -> _ErrorReply | None:
    try:
        return _reply.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _quoted(text: str, mask: Mask) -> str:
    line = " ".join(mask(text).split())
    return shorten(line, _LONGEST) if line else ""


def _plain(text: str, mask: Mask) -> str:
    return shorten(mask(text), _LONGEST)[1:-1]


def _quoted_whole(text: str) -> str:
    return quote(text, safe="")


def _as_in_json(text: str) -> str:
    return msgspec.json.encode(text).decode()[1:-1]
