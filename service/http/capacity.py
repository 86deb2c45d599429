"""How many requests a replica handles at once, and whether it is about to stop."""

from __future__ import annotations


class Capacity:
    """most: requests handled at once, health checks not counted. draining: this replica is about to stop."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.active = 0
        self.draining = False

    def drain(self) -> None:
        """From now on, callers and load balancers are told to go elsewhere."""
        self.draining = True
