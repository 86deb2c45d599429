"""Notes what became of the default experiment whenever it is looked for, and says so when that changes."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import TypeVar, cast

from service.answer import Answer
from service.errors import UpstreamForbidden, UpstreamRefused
from service.tracking.questions import GetExperiment, GetRun, ListRuns, Question
from service.tracking.runs import Experiment
from service.tracking.source import Source
from service.upstream.client import MlflowClient
from service.upstream.experiment_state import ExperimentState, State, state_of

log = logging.getLogger("service.upstream")

T = TypeVar("T")


def advice(name: str, state: State) -> str:
    """What is wrong with the experiment, and what to do about it; "" where nothing is."""
    if state == "missing":
        return f"the experiment {name!r} does not exist: set MLFLOW_EXPERIMENT_NAME to one that does"
    if state == "deleted":
        return (
            f"the experiment {name!r} is deleted, so no runs are listed: restore it (mlflow experiments "
            "restore), or set MLFLOW_EXPERIMENT_NAME to another"
        )
    if state == "forbidden":
        return f"MLflow forbids the experiment {name!r}: let the service's user read it"
    return ""


class WatchedExperiment(Source):
    """A source over MLflow that keeps the state of one experiment.

    state: where it is kept. clock: seconds, monotonic. to_be_created: that it is missing is no news, for it
    is about to be created. identifier: MLFLOW_EXPERIMENT_ID, which should be its id; "" where that is unset.
    """

    def __init__(
        self,
        client: MlflowClient,
        name: str,
        state: ExperimentState,
        clock: Callable[[], float] = time.monotonic,
        *,
        to_be_created: bool = False,
        identifier: str = "",
    ) -> None:
        self._client = client
        self._name = name
        self._state = state
        self._clock = clock
        self._to_be_created = to_be_created
        self._identifier = identifier

    async def answer(self, question: Question[T]) -> Answer[T]:
        """As the client; the state is as of now.

        MLflow may forbid the runs of an experiment that it shows.
        """
        is_look = question == GetExperiment(self._name)
        try:
            answer = await self._client.answer(question)
        except UpstreamForbidden:
            if is_look or isinstance(question, ListRuns):
                self._note("forbidden")
            raise
        if is_look:
            experiment = cast("Experiment | None", answer.value)
            self._note(state_of(experiment))
            self._compare(experiment)
        return answer

    async def answer_many(self, questions: Sequence[Question[T]]) -> list[Answer[T]]:
        """As the client, which asks for several runs together; all else is asked one by one."""
        if all(isinstance(question, GetRun) for question in questions):
            return await self._client.answer_many(questions)
        return await super().answer_many(questions)

    async def create_experiment(self, name: str) -> bool:
        """As the client; then it is looked for again, or is known to be missing for good."""
        try:
            is_new = await self._client.create_experiment(name)
        except UpstreamRefused:
            self._to_be_created = False
            raise
        await self.answer(GetExperiment(name))
        return is_new

    def _note(self, state: State) -> None:
        before = self._state.state
        self._state.note(state, self._clock())
        if state == "missing" and self._to_be_created:
            return
        self._to_be_created = False
        if state == before or (state == "ok" and before == "unknown"):
            return
        if said := advice(self._name, state):
            log.warning("%s", said)
        else:
            log.info("the experiment %r is there", self._name)

    def _compare(self, found: Experiment | None) -> None:
        wanted, self._identifier = self._identifier, ""  # said once
        if found is not None and wanted not in {"", found.experiment_id}:
            log.warning("%s", contradiction(found, wanted))
        elif found is None:
            self._identifier = wanted


def contradiction(found: Experiment, identifier: str) -> str:
    """What to say where MLFLOW_EXPERIMENT_ID means another experiment than the name."""
    return (
        f"MLFLOW_EXPERIMENT_ID is {identifier}, and the experiment {found.name!r} is {found.experiment_id}: "
        "its name counts, so unset the id"
    )
