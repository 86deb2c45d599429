"""How many connections fit into the files and sockets (descriptors) that this process may have open.

Where there are none left, MLflow cannot be asked, either: so callers get what is left over, and not all.
"""

from __future__ import annotations

import resource
import sys
from typing import NamedTuple

SPARE = 64  # what is listened on, the log, files of keys and pages, the issuer, the collector, names
_ARRIVING = 1_024  # connections that are taken only to be closed again, where there are too many


class Descriptors(NamedTuple):
    """limit: what the soft limit has to be. connections: of callers, that fit. warning: "" where all do."""

    limit: int
    connections: int
    warning: str


def planned(soft: int, hard: int, *, connections: int, upstream: int) -> Descriptors:
    """What to do within these limits. ValueError where not even one caller fits beside what MLflow needs."""
    beside = upstream + SPARE
    limit = max(soft, min(hard, connections + beside + _ARRIVING))
    fitting = limit - beside
    if fitting >= connections:
        return Descriptors(limit, connections, "")
    allowed = f"this process may have {limit} descriptors open (ulimit -n), and keeps {beside} for the rest"
    if fitting < 1:
        raise ValueError(f"TRACKING_MAX_CONNECTIONS: none fits, for {allowed}")
    fits = f"TRACKING_MAX_CONNECTIONS: {fitting} fit and not {connections}, for {allowed}"
    return Descriptors(limit, fitting, fits)


def fitted(connections: int, upstream: int) -> Descriptors:
    """Raise the soft limit to what is needed, where the hard one lets it. ValueError as in `planned`.

    connections: of callers, at most. upstream: connections to MLflow, at most.
    """
    given, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    soft = _number(given)
    plan = planned(soft, _number(most), connections=connections, upstream=upstream)
    if plan.limit > soft:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (plan.limit, most))
        except (OSError, ValueError):  # some systems have a lower limit that they do not tell
            return planned(soft, soft, connections=connections, upstream=upstream)
    return plan


def _number(limit: int) -> int:
    return sys.maxsize if limit == resource.RLIM_INFINITY else limit
