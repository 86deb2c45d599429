"""Finds the runs around one that made something, and what the model registry says of them.

From the index where it has all runs of the experiment, and in one round of questions to MLflow otherwise,
which can be asked for some of them only. What could not be looked for is said.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import msgspec

from service.answer import Answer, combine
from service.checkpoint import checkpoint
from service.errors import IndexNotReady, IndexTooLarge, InvalidRequest
from service.tracking.asked import Asked
from service.tracking.lineage.questions import (
    UNSUPPORTED,
    LoggedModel,
    ModelVersion,
    ModelVersions,
    NotServed,
    SearchModelVersions,
)
from service.tracking.lineage.resolved import Resolved
from service.tracking.lineage.session import filter_of, parent_of, plain_filters_of
from service.tracking.lineage.traits import TAG_OF, Trait
from service.tracking.runs import Run
from service.tracking.search.expressions import Comparison, Expression, Operator
from service.tracking.search.fields import Field, FieldKind
from service.tracking.search.queries import RunSearch, Selection
from service.tracking.search.searches import FoundRuns

MOST_ROUNDS: Final = 3  # of questions to MLflow, with those that found the run
MOST_RUNS: Final = 200  # of a session, and of a dataset's version
MOST_VERSIONED: Final = 100  # runs whose model versions are asked for

# What could not be looked for. Stable, for programs.
RUNS_CUT: Final = "runs_cut"
SESSION_CUT: Final = "session_cut"
SESSION_PARTIAL: Final = "session_partial"
SESSION_NOT_READ: Final = "session_not_read"
DATASET_CUT: Final = "dataset_cut"
DATASET_NOT_READ: Final = "dataset_not_read"
VERSIONS_NOT_READ: Final = "versions_not_read"
VERSIONS_CUT: Final = "versions_cut"

_DATASET_TAG: Final = TAG_OF[Trait.DATASET]
_OF_DATASETS: Final = Selection(frozenset(), frozenset(), frozenset({_DATASET_TAG}))
_UNSAID: Final = (InvalidRequest, IndexNotReady, IndexTooLarge)  # what MLflow's grammar cannot say


class LineageWarning(msgspec.Struct, frozen=True, gc=False):
    """What was left out of an answer. code: one of those above. text: a sentence, with what to do."""

    code: str
    text: str


class Surroundings(msgspec.Struct, frozen=True, gc=False):
    """What was found around a run.

    run: of the session. runs: those that may be of its session, full ones. of_dataset: runs of the same
    version of the dataset, which may have no metrics, params and tags but that one. of: the objects that all
    this is made of: others as soon as anything is another. versions: one may stand there twice.
    """

    run: Run
    runs: tuple[Run, ...]
    of_dataset: tuple[Run, ...]
    versions: tuple[ModelVersion, ...]
    models: tuple[LoggedModel, ...]
    warnings: tuple[LineageWarning, ...]
    of: tuple[object, ...]


async def surroundings_of(
    asked: Asked, resolved: Answer[Resolved], experiment_ids: tuple[str, ...] = ()
) -> Answer[Surroundings]:
    """What is around the newest of the runs that made something, deleted ones last.

    experiment_ids: where to look besides the run's own experiment. UpstreamFailure where MLflow fails.
    """
    return await _Search(asked, resolved).around(experiment_ids)


def run_of_session(resolved: Resolved) -> Run:
    """The run whose session is looked at: the newest one that has not been deleted, if there is one."""
    return next((run for run in resolved.runs if not run.is_deleted), resolved.runs[0])


def rounds_of(resolved: Resolved, experiment_ids: tuple[str, ...]) -> int:
    """How many rounds of questions a reference has taken that was not remembered."""
    if not resolved.experiment_ids:
        return 1 + (resolved.model_version is not None) + (resolved.logged_model is not None)
    was_widened = not experiment_ids and len(resolved.experiment_ids) > 1
    return MOST_ROUNDS if was_widened else MOST_ROUNDS - 1


class _Search:
    """One search around a run: what was found, what was not looked for, and the answers it is made of."""

    def __init__(self, asked: Asked, resolved: Answer[Resolved]) -> None:
        self._asked = asked
        self._resolved = resolved
        self._run = run_of_session(resolved.value)
        self._answers: list[Answer[Any]] = [resolved]
        self._warnings: list[LineageWarning] = []
        self._of: list[object] = [*resolved.value.runs]
        self._runs: dict[str, Run] = {run.run_id: run for run in resolved.value.runs}
        self._of_dataset: tuple[Run, ...] = ()
        self._versions: list[ModelVersion] = []
        if not resolved.value.is_complete:
            self._warn(RUNS_CUT, "More runs made it than are shown: these are the newest.")

    async def around(self, experiment_ids: tuple[str, ...]) -> Answer[Surroundings]:
        """All of it."""
        searches, resolved = self._asked.searches, self._resolved.value
        own = (self._run.experiment_id,) if self._run.experiment_id else ()
        ids = await searches.experiment_ids(tuple(dict.fromkeys((*own, *experiment_ids))))
        state = await searches.state(ids.value)
        spent = rounds_of(resolved, experiment_ids) if self._resolved.waited else 0
        may_ask = spent < MOST_ROUNDS
        if state is not None:
            self._take(state)
            self._of += state.value
            await self._ask_the_index(ids.value)
            if may_ask:
                await asyncio.gather(self._ask_for_parent(), self._ask_for_versions())
        elif may_ask and ids.value:
            await asyncio.gather(
                self._ask_mlflow(ids.value), self._ask_for_parent(), self._ask_for_versions()
            )
        else:
            self._warn(
                SESSION_NOT_READ,
                f"Finding the run took {spent} rounds of questions to the tracking server, so its session "
                "was not looked for. Ask again: what was found is remembered.",
            )
        if not may_ask:
            self._warn(
                VERSIONS_NOT_READ,
                "Model versions were not asked for. Ask again: what was found is remembered.",
            )
        model = resolved.logged_model
        version = resolved.model_version
        versions = [*(() if version is None else (version,)), *self._versions]
        found = Surroundings(
            self._run,
            tuple(self._runs.values()),
            self._of_dataset,
            tuple({(one.name, one.version): one for one in versions}.values()),
            () if model is None else (model,),
            tuple(self._warnings),
            (*self._of, version, model),
        )
        return combine(found, self._answers)

    async def _ask_the_index(self, experiment_ids: tuple[str, ...]) -> None:
        found = await self._search(experiment_ids, filter_of(self._run))
        self._runs |= {run.run_id: run for run in found.runs if run.run_id not in self._runs}
        if found.total is not None and found.total > len(found.runs):
            self._warn(
                SESSION_CUT,
                f"{found.total} runs may be of the session: the {len(found.runs)} newest were looked at.",
            )
        await checkpoint()
        if same_version := _of_same_dataset(self._run):
            found = await self._search(experiment_ids, same_version, _OF_DATASETS)
            self._take_dataset(found)
            await checkpoint()

    async def _ask_mlflow(self, experiment_ids: tuple[str, ...]) -> None:
        filters = plain_filters_of(self._run)
        same_version = _of_same_dataset(self._run)
        asked = [*filters, *([same_version] if same_version else [])]
        pages = await asyncio.gather(*(self._search_mlflow(experiment_ids, one) for one in asked))
        if same_version is not None:
            page = pages.pop()
            if page is None:
                self._warn(DATASET_NOT_READ, "The tracking server cannot be asked for runs of this dataset.")
            else:
                self._take_dataset(page)
        for found in pages:
            if found is not None:
                self._of.append(found.runs)
                self._runs |= {run.run_id: run for run in found.runs if run.run_id not in self._runs}
                if found.next_page_token is not None:
                    self._warn(SESSION_CUT, f"Only the newest {MOST_RUNS} runs of a kind were looked at.")
        self._warn(
            SESSION_PARTIAL,
            "No index holds all runs of this experiment, so the tracking server was asked: for relatives of "
            "the run, and for runs with the same strategy and commit, or in place of what it lacks, the "
            "same dataset, features, model or signal. Runs of the session that lack one of them are missing.",
        )

    async def _search_mlflow(
        self, experiment_ids: tuple[str, ...], expression: Expression
    ) -> FoundRuns | None:
        """A page of runs; None where MLflow's grammar cannot say the filter."""
        try:
            return await self._search(experiment_ids, expression)
        except _UNSAID:
            return None

    async def _search(
        self,
        experiment_ids: tuple[str, ...],
        expression: Expression,
        selection: Selection = Selection(),  # noqa: B008 - it is frozen
    ) -> FoundRuns:
        search = RunSearch(experiment_ids, expression, page_size=MOST_RUNS, selection=selection)
        answer = await self._asked.searches.search(search, "", "query")
        self._take(answer)
        return answer.value

    async def _ask_for_parent(self) -> None:
        parent = parent_of(self._run)
        if not parent or parent in self._runs:
            return
        answer = await self._asked.queries.run(parent)
        self._take(answer)
        self._of.append(answer.value)
        if answer.value is not None:
            self._runs[parent] = answer.value

    async def _ask_for_versions(self) -> None:
        run_ids = tuple(self._runs)
        answer: Answer[ModelVersions | NotServed] = await self._asked.queries.answer(
            SearchModelVersions(run_ids[:MOST_VERSIONED])
        )
        self._take(answer)
        self._of.append(answer.value)
        found = answer.value
        if isinstance(found, NotServed):
            why = (
                "has no model registry"
                if found.reason == UNSUPPORTED
                else "does not let this service read it"
            )
            self._warn(VERSIONS_NOT_READ, f"No model versions are shown: the tracking server {why}.")
            return
        self._versions += found.versions
        if len(run_ids) > MOST_VERSIONED:
            self._warn(
                VERSIONS_CUT, f"Model versions of {MOST_VERSIONED} of {len(run_ids)} runs were looked for."
            )
        if not found.is_complete:
            self._warn(VERSIONS_CUT, "The runs have more model versions than are read.")

    def _take_dataset(self, found: FoundRuns) -> None:
        self._of_dataset = found.runs
        if found.next_page_token is not None:
            of = "" if found.total is None else f" of {found.total}"
            self._warn(
                DATASET_CUT,
                f"The newest {len(found.runs)}{of} runs of this dataset version were looked at for others.",
            )

    def _take(self, answer: Answer[Any]) -> None:
        self._answers.append(answer.after(self._resolved))

    def _warn(self, code: str, text: str) -> None:
        warning = LineageWarning(code, text)
        if warning not in self._warnings:
            self._warnings.append(warning)


def _of_same_dataset(run: Run) -> Expression | None:
    """A filter for the runs of the same version of a dataset; None where the run names none."""
    version = run.tags.get(_DATASET_TAG)
    return Comparison(Field(FieldKind.TAG, _DATASET_TAG), Operator.EQ, version) if version else None
