"""How a call to MLflow can fail, and what each failure says about MLflow's health. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from service import errors
from service.upstream.breaker import Signal

_NOT_MLFLOW = "What answers in the tracking server's place is not MLflow's API; its operator must see to it."
_QUESTION_FAILED = "The tracking server failed at this question."
_NOT_UNDERSTOOD = "The tracking server's answer cannot be understood."


class Missing(errors.UpstreamRefused):
    """MLflow says that the requested thing does not exist."""


class AlreadyExists(errors.UpstreamRefused):
    """MLflow says that the thing to be created exists."""


class Invalid(errors.UpstreamRefused):
    """MLflow does not allow a value of the question."""


class UnknownEndpoint(errors.UpstreamRefused):
    """The server says that it has no such endpoint."""


class Forbidden(errors.UpstreamAuth):
    """MLflow forbids this call. Whether it refuses the account altogether, the client finds out."""


class NotMlflow(errors.UpstreamError):
    """What answered is not MLflow's API: a redirect, a web page, the words of a proxy."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause, detail=_NOT_MLFLOW)


class NoEndpoint(NotMlflow):
    """What answered has no such page: an MLflow that lacks the endpoint, or no MLflow at all."""


class QuestionFailed(errors.UpstreamError):
    """MLflow itself says that it failed at this question: it would fail again."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause, detail=_QUESTION_FAILED)


class WrongShape(errors.UpstreamError):
    """The answer is valid JSON, but not what MLflow's API answers: it would be the same again."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause, detail=_NOT_UNDERSTOOD)


class Unreachable(errors.UpstreamError):
    """There is no connection to MLflow."""


class NoSlot(errors.UpstreamNotAsked):
    """No slot of the concurrency limit came free in time."""


class NoResources(errors.UpstreamNotAsked):
    """This service lacks something of its own to ask with: a file descriptor, a port, memory."""


# The first class that fits decides. What is not here is a FAILURE. "" stands for the error's own code.
_CLASSES: Sequence[tuple[type[errors.UpstreamFailure], Signal, str]] = (
    (NoSlot, Signal.IGNORED, "gate_full"),
    (NoResources, Signal.IGNORED, "own_lack"),
    (errors.UpstreamNotAsked, Signal.IGNORED, "breaker_open"),
    (errors.UpstreamRefused, Signal.SUCCESS, "refused"),
    (Forbidden, Signal.UNEXPECTED, "forbidden"),
    (errors.UpstreamAuth, Signal.UNEXPECTED, ""),
    (NotMlflow, Signal.UNEXPECTED, ""),
    (errors.UpstreamUnavailable, Signal.IGNORED, ""),
    (errors.UpstreamTooLarge, Signal.IGNORED, ""),
    (WrongShape, Signal.IGNORED, ""),
    (QuestionFailed, Signal.FAILURE, "failed_question"),
    (Unreachable, Signal.UNREACHABLE, ""),
)
# Failures that another attempt does not help. A time-out is one of them: it asks less of a slow MLflow.
NOT_RETRIED = (
    errors.UpstreamRefused,
    errors.UpstreamTooLarge,
    errors.UpstreamTimeout,
    errors.UpstreamNotAsked,
    NotMlflow,
    QuestionFailed,
    WrongShape,
)


def classify(error: errors.UpstreamFailure) -> tuple[Signal, str]:
    """What a failure says about MLflow's health, and the outcome that the metrics count it as."""
    for kind, signal, outcome in _CLASSES:
        if isinstance(error, kind):
            return signal, outcome or error.code
    return Signal.FAILURE, error.code


def classify_probe(error: errors.UpstreamFailure) -> Signal:
    """What a failure of the health probe says: here any answer shows that something is there."""
    signal, _ = classify(error)
    if isinstance(error, errors.UpstreamNotAsked):
        return Signal.IGNORED
    return Signal.UNEXPECTED if signal is Signal.IGNORED else signal
