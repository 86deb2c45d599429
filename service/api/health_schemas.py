"""The bodies of the health checks, as pydantic models."""

from __future__ import annotations

from typing import Literal

from pydantic import RootModel

from service.api.schemas import AnswerBody


class Liveness(AnswerBody):
    """The process answers."""

    status: Literal["alive"]


class ReplicaStatus(RootModel[Literal["ready", "draining"]]):
    """Whether the replica takes requests, or is about to stop."""


class UpstreamStatus(RootModel[Literal["unknown", "ok", "failing"]]):
    """Whether MLflow answers. A question that fails by itself does not make it failing."""


class BreakerState(RootModel[Literal["closed", "open", "half_open"]]):
    """The state of the circuit breaker. While it is open, MLflow is not called."""


class ExperimentStatus(RootModel[Literal["unknown", "ok", "missing", "deleted", "forbidden"]]):
    """What the last look at the default experiment found."""


class IndexCondition(RootModel[Literal["off", "reading", "complete", "too_large", "failing"]]):
    """How far the index is: switched off, reading every run for the first time, complete, given up because
    there are more runs than it may hold, or unable to ask MLflow."""


class Readiness(AnswerBody):
    """Whether this replica takes requests, and what is known of MLflow without calling it."""

    status: ReplicaStatus
    upstream: UpstreamStatus
    breaker: BreakerState
    experiment: ExperimentStatus
    index: IndexCondition
