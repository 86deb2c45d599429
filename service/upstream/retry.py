"""The layer that makes another attempt where that may help, and the budget that bounds it."""

from __future__ import annotations

import logging
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from msgspec.structs import replace

from service.errors import UpstreamAuth, UpstreamError, UpstreamUnavailable
from service.upstream.access import Access
from service.upstream.call import Call, Transport
from service.upstream.failures import NOT_RETRIED

T = TypeVar("T")

log = logging.getLogger("service.upstream")

_EARNED = 0.1  # of a retry, by each first attempt
_FLOOR = 10.0  # retries that a quiet service may make, so that a single failure is retried, too
_RESERVE = 5.0  # of them, for questions that MLflow has answered before
_MAX_KNOWN = 4_096
_FIRST_PAUSE = 0.1  # seconds
_LONGEST_PAUSE = 1.0
_LONGEST_WAIT = 1  # seconds that a caller waits where MLflow says that it gets too many requests


class RetryBudget:
    """A retry budget: retries are at most a tenth of the traffic, so that they never multiply an outage.

    A question that was never answered may be one that always fails. It leaves a part of the budget to the
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
        if len(self._known) > _MAX_KNOWN:
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


class Retrying:
    """Makes up to `attempts` attempts at a call, inside its deadline and the retry budget.

    A call is not retried where it would fail again, nor after a time-out: more requests do not help an MLflow
    that is too slow. access: says whether there are other credentials than those that MLflow has refused.
    clock, sleep: in seconds.
    """

    def __init__(
        self,
        inner: Transport,
        attempts: int,
        access: Access,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[object]],
    ) -> None:
        self._inner = inner
        self._attempts = attempts
        self._access = access
        self._clock = clock
        self._sleep = sleep
        self.budget = RetryBudget()
        self.retries = 0

    async def send(self, call: Call[T]) -> T:
        """The answer to the first attempt that succeeds, or the failure of the last."""
        self.budget.earn()
        while True:
            version = self._access.version  # others may read a new token while this call is on its way
            try:
                value = await self._inner.send(call)
            except UpstreamAuth:
                if call.attempt == self._attempts or not self._access.renew(version):
                    raise
                pause = None  # the credentials are new
            except (UpstreamError, UpstreamUnavailable) as error:
                pause = self._pause_after(call, error)
                if pause is None:
                    raise
                log.info("the next attempt is in %.2f s: %s", pause, error.cause)
            else:
                self.budget.answered(call.question)
                return value
            if pause is not None:
                self.retries += 1
                await self._sleep(pause)
            call = replace(call, attempt=call.attempt + 1)

    def _pause_after(self, call: Call[T], error: UpstreamError | UpstreamUnavailable) -> float | None:
        """Seconds until the next attempt; None where there is none. It is paid for from the budget."""
        if isinstance(error, NOT_RETRIED):
            return None
        if isinstance(error, UpstreamUnavailable) and error.retry_after > _LONGEST_WAIT:
            return None
        pause = max(pause_before(call.attempt + 1), error.retry_after)
        is_last = call.attempt == self._attempts or self._clock() + pause >= call.until
        return None if is_last or not self.budget.spend(call.question) else pause
