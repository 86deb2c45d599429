"""Whether the store is asked: a breaker of its own. Pure."""

from __future__ import annotations

from typing import Final

_MOST_SLOW: Final = 3  # replies in a row that did not come in time


class Attachment:
    """Whether a store is asked, as far as its failures say.

    One failure of the server itself detaches; so do three replies in a row that did not come in time. Of
    commands that wait at the same time only one counts, since one pause of the server, or of our own event
    loop, delays all of them. What was begun before the last change does not count.
    """

    def __init__(self) -> None:
        self.is_attached = False
        self._since = 0.0
        self._slow = 0
        self._last_slow = 0.0

    def attach(self, now: float) -> None:
        """A probe has shown that the store is of use."""
        self.is_attached = True
        self._since = now
        self._slow = 0

    def detach(self, began: float) -> None:
        """A command that was begun then has shown that the store is of no use."""
        if began >= self._since:
            self.is_attached = False

    def answered(self) -> None:
        """A reply came in time."""
        self._slow = 0

    def slow(self, began: float, now: float) -> None:
        """A reply to a command that was begun then has not come in time."""
        if began < max(self._since, self._last_slow):
            return
        self._slow += 1
        self._last_slow = now
        if self._slow >= _MOST_SLOW:
            self.is_attached = False
