"""Whether and when a call that failed is made again. Pure, but for the counting."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_EARNED = 0.1  # of a retry, by each first attempt
_FLOOR = 10.0  # retries that a quiet service may make, so that a single failure is retried, too
_RESERVE = 5.0  # of them, for questions that MLflow has answered before
_MOST_KNOWN = 4_096
_FIRST_PAUSE = 0.1  # seconds
_LONGEST_PAUSE = 1.0
_LONGEST_RETRY_AFTER = 60


class RetryBudget:
    """Retries are a tenth of the traffic at most, so that an outage is never multiplied.

    A question that was never answered, and may be one that always fails, leaves a part of the budget to the
    others. question: a number that is the same for the same question.
    """

    def __init__(self) -> None:
        self.tokens = _FLOOR
        self._known: dict[int, None] = {}

    def earn(self) -> None:
        """A first attempt is made."""
        self.tokens = min(self.tokens + _EARNED, _FLOOR)

    def answered(self, question: int) -> None:
        """MLflow has answered this question."""
        self._known.pop(question, None)
        self._known[question] = None
        if len(self._known) > _MOST_KNOWN:
            del self._known[next(iter(self._known))]

    def spend(self, question: int) -> bool:
        """Take a retry from the budget; False where nothing is left."""
        if self.tokens < 1 + (0 if question in self._known else _RESERVE):
            return False
        self.tokens -= 1
        return True


def pause_before(attempt: int, jitter: Callable[[], float] = random.random) -> float:
    """Seconds to wait before this attempt (the second is 2): exponential, with full jitter.

    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """
    return jitter() * min(_FIRST_PAUSE * float(2 ** (attempt - 2)), _LONGEST_PAUSE)


def retry_after(text: str, now: datetime | None = None) -> int:
    """Seconds that a Retry-After header asks for (RFC 9110, 10.2.3), at most a minute; 0 if none."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return min(int(text[:9]), _LONGEST_RETRY_AFTER)
    try:
        then = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return 0
    if then.tzinfo is None:
        then = then.replace(tzinfo=UTC)
    seconds = (then - (now or datetime.now(UTC))).total_seconds()
    return max(0, min(round(seconds), _LONGEST_RETRY_AFTER))
