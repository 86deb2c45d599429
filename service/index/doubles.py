"""Times as the index keeps them: as doubles, which are exact up to 2^53. Pure."""

from __future__ import annotations

from typing import Final

import msgspec

from service.tracking.runs import Run

_EXACT: Final = 2**53
_LATEST: Final = 2**63 - 1_024  # the last double that is an int64


def with_doubles(run: Run) -> Run:
    """The run as a row has it: a time beyond 2^53, such as one in nanoseconds, is the nearest double."""
    start, end = _double(run.start_time), _double(run.end_time)
    if (start, end) == (run.start_time, run.end_time):
        return run
    return msgspec.structs.replace(run, start_time=start, end_time=end)


def _double(time: int | None) -> int | None:
    if time is None or -_EXACT <= time <= _EXACT:
        return time
    return min(int(float(time)), _LATEST)
