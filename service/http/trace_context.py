"""A caller's place in a trace, as W3C's Trace Context writes it: https://www.w3.org/TR/trace-context/"""

from __future__ import annotations

import re
from collections.abc import Mapping

from multidict import CIMultiDictProxy, istr

TRACEPARENT = istr("traceparent")
_TRACESTATE = istr("tracestate")
_IDS = r"(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
# Versions to come may add to it.
_PARENT = re.compile(rf"00-{_IDS}|(?!00|ff)[0-9a-f]{{2}}-{_IDS}(?:-[!-~]{{0,256}})?")
_MEMBER = re.compile(r"[a-z0-9][a-z0-9_\-*/@]{0,255}=[ -+\--<>-~]{0,255}[!-+\--<>-~]")
_LONGEST_STATE = 512  # characters


def place_in_trace(headers: CIMultiDictProxy[str]) -> Mapping[str, str] | None:
    """The headers that pass a caller's place on as it is; None where it has none.

    A traceparent that is malformed or doubled counts as none. A malformed tracestate is left out.
    """
    parents = headers.getall(TRACEPARENT, ())
    if len(parents) != 1 or not _PARENT.fullmatch(parents[0]):
        return None
    state = ",".join(headers.getall(_TRACESTATE, ()))
    if _is_state(state):
        return {TRACEPARENT: parents[0], _TRACESTATE: state}
    return {TRACEPARENT: parents[0]}


def _is_state(text: str) -> bool:
    members = [member.strip(" \t") for member in text.split(",")]
    given = [member for member in members if member]
    return bool(given) and len(text) <= _LONGEST_STATE and all(map(_MEMBER.fullmatch, given))
