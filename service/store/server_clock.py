"""The clock of another machine, as far as one can tell without asking each time. Pure."""

from __future__ import annotations

from typing import Final

_LASTS: Final = 60.0  # seconds
_DRIFT: Final = 0.01  # seconds by which two clocks drift apart meanwhile, at most


class ServerClock:
    """How far a server's clock is ahead of ours, in seconds.

    The server read its clock at some moment between the question and its answer, so the quicker the answer,
    the better the look. A worse look than the last one counts only once that is old, or where both cannot be
    true: then the clock was set, or it is another server's.
    """

    def __init__(self) -> None:
        self.ahead = 0.0
        self._spread: float | None = None
        self._looked = 0.0

    def looked(self, asked: float, answered: float, time: float) -> None:
        """The server said this time, asked and answered at these moments of our own clock."""
        spread = (answered - asked) / 2
        ahead = time - (asked + spread)
        if (
            self._spread is None
            or spread <= self._spread
            or answered - self._looked >= _LASTS
            or abs(ahead - self.ahead) > spread + self._spread + _DRIFT
        ):
            self._spread, self._looked, self.ahead = spread, answered, ahead

    def forget(self) -> None:
        """The next look counts: the server may have been replaced by another one."""
        self._spread = None
