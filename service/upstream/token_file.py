"""A bearer token in a file that is read again when it changes, as Kubernetes writes short-lived ones."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path

log = logging.getLogger("service.upstream")

_INTERVAL = 1.0  # seconds between two reads of the file
_LARGEST = 65_536  # bytes of the file


class TokenFile:
    """A token file, and the header with its token for MLflow.

    The file is read again within a second of a change, and at once when MLflow refuses the token. If it has
    vanished or holds no token, the last token stays in use, and the log says so once. version: another number
    for another token. clock: seconds, monotonic. ValueError or OSError where it holds no token at the start.
    """

    def __init__(self, file: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._file = file
        self._clock = clock
        self._token = read_token(file)
        self.version = 0
        self._logged = ""  # the last error, so that the log has it once
        self._next_read = clock() + _INTERVAL

    def header(self) -> Mapping[str, str]:
        """The header with the token as it is now."""
        if self._clock() >= self._next_read:
            self.renew()
        return {"Authorization": f"Bearer {self._token}"}

    def renew(self) -> None:
        """Read the file now."""
        self._next_read = self._clock() + _INTERVAL
        try:
            token = read_token(self._file)
        except (OSError, ValueError) as error:
            if self._logged != str(error):
                log.error("the last token for MLflow stays in use: %s", error)  # noqa: TRY400 - the reason is enough
            self._logged = str(error)
            return
        self._logged = ""
        if token != self._token:
            self._token = token
            self.version += 1
            log.info("there is a new token for MLflow in %s", self._file)


def read_token(file: Path) -> str:
    """The token in a file, without the space around it; ValueError or OSError, whose text never holds it."""
    with file.open("rb") as opened:
        content = opened.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise ValueError(f"{file}: larger than {_LARGEST} bytes")
    token = content.decode("utf-8-sig", "replace").strip()
    if not token:
        raise ValueError(f"{file}: is empty")
    if not token.isascii() or not token.isprintable() or " " in token:
        raise ValueError(f"{file}: is not one token: it has spaces, several lines or other characters")
    return token
