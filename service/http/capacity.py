"""How many requests a replica handles at once, and whether it is about to stop."""

from __future__ import annotations


class Capacity:
    """What a replica handles now, and whether it is about to stop.

    limit: requests handled at once; health checks are answered above it. active: those handled now.
    draining: callers and load balancers are told to go elsewhere.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.active = 0
        self.draining = False

    def drain(self) -> None:
        """From now on, callers and load balancers are told to go elsewhere."""
        self.draining = True
