"""MLflow's REST API 2.0 as a source: which endpoint answers which question."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, TypeVar, cast

from service.answer import Answer
from service.errors import UpstreamForbidden, UpstreamRefused, UpstreamTooLarge
from service.tracking.history import GetHistory
from service.tracking.questions import (
    GetExperiment,
    GetRun,
    ListExperiments,
    ListRuns,
    Question,
    RunPage,
    SearchRuns,
)
from service.tracking.runs import Experiment, Run, is_run_id
from service.tracking.source import Source
from service.upstream import deleted_runs, filters, forms, wire
from service.upstream.account import Account
from service.upstream.failures import AlreadyExists, Forbidden, Missing
from service.upstream.forms import Form
from service.upstream.histories import Histories
from service.upstream.listing import Listing, oldest_first
from service.upstream.names import Names
from service.upstream.pages import Pages, note
from service.upstream.registry import Registry
from service.upstream.transport import MlflowTransport

_PAGE = 1000
_SEVERAL = 2
_AT_ONCE = 16  # runs that one caller asks for by themselves, so that others find a free slot
_WIDE = 100  # runs that show in which order they come
_BY_IDS = Form(frozenset({"run_id IN"}), {})
_ONE_BY_ONE = Form(frozenset(), {})

T = TypeVar("T")


class MlflowClient(Source):
    """A source over MLflow, and over other servers of its API. clock: seconds, monotonic.

    Every call raises UpstreamFailure where MLflow fails. All that is answered is checked against what was
    asked, and put in order here: some servers ignore parts of a question.
    """

    def __init__(self, transport: MlflowTransport, clock: Callable[[], float] = time.monotonic) -> None:
        self._call = transport.call
        self._within_deadline = transport.within_deadline
        self._clock = clock
        names = Names()
        self._read_run = partial(wire.read_run, names=names)
        self._read_runs = partial(wire.read_runs, names=names)
        self._pages = Pages(transport, clock)
        self._account = Account(self._look, clock)
        self._experiments: dict[str, str] = {}  # their names by their ids, for messages
        self._listed: str | None = None  # the experiment that was listed last: most runs asked for are of it
        self._ways: dict[type[Question[Any]], Callable[[Any], Awaitable[object]]] = {
            **Registry(transport, self._account, self._look, self._read_runs, clock).ways,
            GetRun: self._run,
            ListRuns: self._runs,
            SearchRuns: self._search,
            **deleted_runs.ways(self._pages.page, self._read_runs, self._within_deadline, self._forbidden),
            GetExperiment: self._experiment,
            ListExperiments: self._every_experiment,
            GetHistory: Histories(
                transport.call, self._account.make_sure_it_is_served, self._pages.portions, clock
            ).history,
        }

    async def answer(self, question: Question[T]) -> Answer[T]:
        return Answer(cast("T", await self._ask(question)))

    async def answer_many(self, questions: Sequence[Question[T]]) -> list[Answer[T]]:
        """The runs of the experiment that was listed last by one search, and all others asked for at once.

        One search for ten runs takes MLflow a third of the time, and a quarter of the work, of ten runs/get;
        from two runs on it is the cheaper way (`make bench` has the table).
        """
        run_ids = [question.run_id for question in questions if isinstance(question, GetRun)]
        found = await self._search_by_id(list(filter(is_run_id, run_ids)))

        async def one(question: Question[T]) -> Answer[T]:
            if isinstance(question, GetRun) and question.run_id in found:
                return Answer(cast("T", found[question.run_id]))
            return await self.answer(question)

        answers: list[Answer[T]] = []
        for start in range(0, len(questions), _AT_ONCE):
            answers += await asyncio.gather(*map(one, questions[start : start + _AT_ONCE]))
        return answers

    async def _ask(self, question: Question[Any]) -> object:
        """The value that answers a question: each kind has a function of its own."""
        ask = self._ways.get(type(question))
        if ask is None:
            raise TypeError(f"nothing says how to ask MLflow for {question}")
        return await ask(question)

    async def _run(self, question: GetRun) -> Run | None:
        """https://mlflow.org/docs/latest/api_reference/rest-api.html#get-run"""
        run_id = question.run_id
        if not is_run_id(run_id):
            return None
        try:
            run = await self._call("GET", "runs/get", self._read_run, params={"run_id": run_id})
        except Missing:
            return None
        except Forbidden as error:
            # Of a run that may not be read and of one that does not exist MLflow's basic-auth says the same.
            await self._account.make_sure_it_is_served(error)
            return None
        return run if run.run_id == run_id else None  # MariaDB finds ids whatever their case

    async def _search_by_id(self, run_ids: Sequence[str]) -> dict[str, Run]:
        """Those of the runs that one search finds: none where that is not worth it, or not known where."""
        if self._listed is None or len(run_ids) < _SEVERAL:
            return {}
        if self._pages.refusals.among([_BY_IDS, _ONE_BY_ONE]) == [_ONE_BY_ONE]:
            return {}
        body = {
            "experiment_ids": [self._listed],
            "filter": filters.by_ids(run_ids),
            "run_view_type": "ALL",  # a deleted run is answered, too
            "max_results": len(run_ids),
        }
        try:
            page = await self._call("POST", "runs/search", self._read_runs, json=body)
        except UpstreamTooLarge:
            return {}  # one by one they may be read
        except Forbidden as error:
            await self._account.make_sure_it_is_served(error)
            return {}
        except UpstreamRefused:
            self._pages.refusals.note(_BY_IDS, _ONE_BY_ONE)
            return {}
        return {run.run_id: run for run in page.found if run.run_id in run_ids}

    async def _runs(self, question: ListRuns) -> tuple[Run, ...]:
        """https://mlflow.org/docs/latest/api_reference/rest-api.html#search-runs"""
        self._listed = question.experiment_id
        if not all(map(filters.can_be_a_tag, question.tags.values())):
            return ()
        listing = Listing(question)
        page_of = partial(self._pages.page, "runs/search", self._read_runs, question.experiment_id)

        # The run at the place that the list continues from comes again: it is left out here.
        fewest = question.limit + (question.after is not None)

        def number_for(form: Form) -> int:
            return fewest if form.is_full else max(fewest, _WIDE)

        try:
            async with self._within_deadline():
                form, page = await self._pages.first(
                    forms.of_runs(question), lambda form: page_of(form.body, number_for(form))
                )
                wanted = number_for(form)
                listing.add(page.found)
                while page.token and not listing.is_complete:
                    if not (form.is_full and listing.is_ordered and listing.is_exact):
                        wanted = min(wanted * 4, _PAGE)
                    page = await page_of(form.body | {"page_token": page.token}, wanted)
                    listing.add(page.found)
        except Forbidden as error:
            raise await self._forbidden(question.experiment_id, error) from error
        return listing.newest()

    async def _search(self, question: SearchRuns) -> RunPage:
        """The same endpoint: one page as MLflow gives it. One that is too large or too slow is an error."""
        began = self._clock()
        try:
            page = await self._call("POST", "runs/search", self._read_runs, json=forms.of_search(question))
        except Forbidden as error:
            raise await self._forbidden(", ".join(question.experiment_ids), error) from error
        self._pages.tell_of_unreadable("runs/search", page)
        return RunPage(tuple(page.found), page.token, len(page.unreadable), self._clock() - began)

    async def _experiment(self, question: GetExperiment) -> Experiment | None:
        """https://mlflow.org/docs/latest/api_reference/rest-api.html#get-experiment-by-name"""
        params = {"experiment_name": question.name}
        try:
            experiment = await self._call(
                "GET", "experiments/get-by-name", wire.read_experiment, params=params
            )
        except Missing:
            return None
        except Forbidden as error:
            raise await self._forbidden(question.name, error) from error
        note(self._experiments, experiment.experiment_id, experiment.name)
        return experiment

    async def _every_experiment(self, _: ListExperiments) -> tuple[Experiment, ...]:
        """https://mlflow.org/docs/latest/api_reference/rest-api.html#search-experiments"""
        page_of = partial(self._pages.page, "experiments/search", wire.read_experiments, None)
        ways = forms.of_experiments()
        async with self._within_deadline():
            form, page = await self._pages.first(ways, lambda form: page_of(form.body, _PAGE))
            found = page.found
            while page.token:
                page = await page_of(form.body | {"page_token": page.token}, _PAGE)
                found += page.found
        return oldest_first(found)

    async def create_experiment(self, name: str) -> bool:
        """Create an experiment; False where it exists, be it that another replica was quicker.

        https://mlflow.org/docs/latest/api_reference/rest-api.html#create-experiment
        """
        try:
            await self._call("POST", "experiments/create", wire.read_nothing, json={"name": name})
        except AlreadyExists:
            return False
        return True

    async def _look(self) -> None:
        await self._call("POST", "experiments/search", wire.read_nothing, json={"max_results": 1})

    async def _forbidden(self, experiment: str, error: Forbidden) -> UpstreamForbidden:
        """What a 403 about an experiment (its name or id) is; UpstreamAuth if it is about the account."""
        await self._account.make_sure_it_is_served(error)
        return UpstreamForbidden(self._experiments.get(experiment, experiment), error.cause)
