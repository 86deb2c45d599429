"""How many replicas use the store: each says in a sorted set that it is there."""

from __future__ import annotations

from typing import Final

# KEYS: the set. ARGV: this replica's name, the ms that its word counts for. What the store answers shows too
# that scripts run there and that writes are taken: its time in s and us, and the number of replicas.
BEAT: Final = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], now + ARGV[2], '+inf')
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {t[1], t[2], redis.call('ZCARD', KEYS[1])}
"""

# KEYS: the set. ARGV: this replica's name.
LEAVE: Final = "return redis.call('ZREM', KEYS[1], ARGV[1])"


class ReplicaCount:
    """How many replicas there are. Pure.

    More of them count at once. Fewer count only once it has been so for some seconds: after a restart of the
    store, or a pause, not all of them have come back yet.
    """

    def __init__(self, settle: float) -> None:
        self._settle = settle
        self._fewer_since: float | None = None
        self.number = 1

    def seen(self, number: int, now: float) -> None:
        """The store knows of so many."""
        if number >= self.number:
            self.number, self._fewer_since = number, None
        elif self._fewer_since is None:
            self._fewer_since = now
        elif now - self._fewer_since >= self._settle:
            self.number, self._fewer_since = number, None

    def interrupted(self) -> None:
        """The store cannot be asked for a while; what it said last holds."""
        self._fewer_since = None
