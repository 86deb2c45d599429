"""How many connections of callers fit the limit of open files and sockets (descriptors) of this process.

Calls to MLflow need descriptors too, so some are reserved for them, and callers get only what is left.
"""

from __future__ import annotations

import resource
import sys
from typing import NamedTuple

SPARE = 64  # for listening sockets, the log, files, name look-ups, the issuer and the collector of traces
_ARRIVING = 1_024  # for connections above the limit, which are accepted only to be closed


class Descriptors(NamedTuple):
    """A plan for the descriptors of this process.

    limit: the soft limit to set. connections: how many connections of callers fit into it. warning: a
    sentence for the operator if that is fewer than wanted, else "".
    """

    limit: int
    connections: int
    warning: str


def planned(soft: int, hard: int, *, connections: int, upstream: int) -> Descriptors:
    """Return the plan for these limits; ValueError if not even one connection of a caller fits.

    soft, hard: the limits of descriptors of this process. connections: of callers, at most. upstream:
    connections to MLflow, at most.
    """
    reserved = upstream + SPARE
    limit = max(soft, min(hard, connections + reserved + _ARRIVING))
    available = limit - reserved
    if available >= connections:
        return Descriptors(limit, connections, "")
    reason = f"this process may open {limit} descriptors (ulimit -n) and reserves {reserved} of them"
    if available < 1:
        raise ValueError(f"TRACKING_MAX_CONNECTIONS: no connection is possible, because {reason}")
    warning = f"TRACKING_MAX_CONNECTIONS: limited to {available} instead of {connections}, because {reason}"
    return Descriptors(limit, available, warning)


def fitted(connections: int, upstream: int) -> Descriptors:
    """Raise the soft limit as far as needed and allowed, and return the plan.

    connections: of callers, at most. upstream: connections to MLflow, at most. ValueError as in `planned`.
    """
    current, maximum = resource.getrlimit(resource.RLIMIT_NOFILE)
    soft = _number(current)
    plan = planned(soft, _number(maximum), connections=connections, upstream=upstream)
    if plan.limit > soft:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (plan.limit, maximum))
        except (OSError, ValueError):  # some systems have a lower limit that getrlimit does not report
            return planned(soft, soft, connections=connections, upstream=upstream)
    return plan


def _number(limit: int) -> int:
    return sys.maxsize if limit == resource.RLIM_INFINITY else limit
