"""Finds the runs that made what a reference names, in at most three rounds of questions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, TypeVar

from service.answer import Answer, combine
from service.errors import LineageNotFound, shorten
from service.tracking.asked import Asked
from service.tracking.lineage.locations import holds
from service.tracking.lineage.questions import (
    UNSUPPORTED,
    GetLoggedModel,
    GetModelByAlias,
    GetModelVersion,
    LoggedModel,
    ModelVersion,
    NotServed,
    SearchRunsOfDataset,
)
from service.tracking.lineage.refs import (
    AliasTarget,
    ModelTarget,
    RefKind,
    RunTarget,
    TagTarget,
    Target,
    VersionTarget,
    read_ref,
    targets_of_source,
)
from service.tracking.lineage.resolved import Attempt, Evidence, Maker, Outcome, Resolved
from service.tracking.lineage.tag_search import bears, comparisons_of
from service.tracking.questions import ListExperiments, Question
from service.tracking.runs import Run
from service.tracking.search.expressions import Comparison
from service.tracking.search.queries import RunSearch

MOST_RUNS: Final = 200  # that one tag is answered with
_MOST_ROUNDS: Final = 3
_MOST_PAGES: Final = 5
_LONGEST_DIGEST: Final = 36  # characters (mlflow/utils/validation.py)
_BY_RUN_ID: Final = "run_id"
_BY_ARTIFACT: Final = "artifact_uri"
_BY_DIGEST: Final = "dataset.digest"

_STRENGTH: Final = (Evidence.RECORDED, Evidence.TAG, Evidence.DERIVED)

T = TypeVar("T")
Step = tuple[Target, str, Evidence]  # what to look for, what named it (see Maker.by), and how that is known


async def resolve(asked: Asked, ref: str, experiment_ids: tuple[str, ...] = ()) -> Answer[Resolved]:
    """The runs that made what a reference names, deleted ones among them where the reference names a run.

    experiment_ids: where tags are looked for; () for the default experiment and, where no run of it bears
    the tag, all others. InvalidRequest for a reference that cannot be read, LineageNotFound where nothing is
    found, with what was tried, UpstreamFailure where MLflow fails.
    """
    read = read_ref(ref)
    trail = _Trail(asked)
    searched: tuple[str, ...] = ()
    match read.targets:
        case (TagTarget() as target,):
            searched = await trail.search(target, experiment_ids)
        case targets:
            by = _BY_ARTIFACT if read.kind is RefKind.ARTIFACT else _BY_RUN_ID
            await trail.follow([(target, by, Evidence.RECORDED) for target in targets])
            if not targets:
                trail.note(f"a run id or a logged model's id in {shorten(ref)}", Outcome.MISSING)
    if not trail.makers:
        raise LineageNotFound(ref, [(attempt.what, attempt.outcome) for attempt in trail.tried])
    makers = sorted(trail.makers.values(), key=lambda maker: maker.run.place.rank)
    resolved = Resolved(
        ref,
        read.kind,
        tuple(makers[:MOST_RUNS]),
        trail.version,
        trail.model,
        tuple(trail.tried),
        searched,
        trail.is_complete and len(makers) <= MOST_RUNS,
    )
    return combine(resolved, trail.answers)


class _Trail:
    """One search for runs: what was found, what was tried, and all the answers that it is made of."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._before: Answer[None] = Answer(None)  # what could only be asked once this was there
        self._round: list[Answer[Any]] = []
        self.answers: list[Answer[Any]] = []
        self.makers: dict[str, Maker] = {}
        self.tried: list[Attempt] = []
        self.version: ModelVersion | None = None
        self.model: LoggedModel | None = None
        self.is_complete = True

    def note(self, what: str, outcome: Outcome) -> None:
        """Note one attempt."""
        self.tried.append(Attempt(what, outcome))

    async def follow(self, steps: Sequence[Step]) -> None:
        """Look for all at once, then for what that leads to, and so on."""
        for _ in range(_MOST_ROUNDS):
            if not steps:
                break
            following = await asyncio.gather(*(self._step(*step) for step in steps))
            self._end_round()
            steps = list(dict.fromkeys(step for each in following for step in each))

    async def search(self, target: TagTarget, experiment_ids: tuple[str, ...]) -> tuple[str, ...]:
        """Look for the runs that bear a tag; the ids of the experiments that were looked in."""
        searches = self._asked.searches
        answer = await searches.experiment_ids(experiment_ids)
        self._round.append(answer)
        self._end_round()
        first = answer.value
        if first:
            await self._search_in(first, target)
        if self.makers or experiment_ids:
            return first
        every = await self._ask(ListExperiments())
        self._end_round()
        others = tuple([one.experiment_id for one in every if one.experiment_id not in first])
        if others:
            await self._search_in(others, target)
        return first + others

    async def _search_in(self, experiment_ids: tuple[str, ...], target: TagTarget) -> None:
        state = await self._asked.searches.state(experiment_ids)  # whoever wants no memory waits for a look
        if state is not None:
            self._round.append(state)
        ways = [self._by_tag(experiment_ids, target, *pair) for pair in comparisons_of(target)]
        if target.kind is RefKind.DATASET and len(target.value) <= _LONGEST_DIGEST:
            ways.append(self._by_digest(experiment_ids, target.value))
        await asyncio.gather(*ways)
        self._end_round()

    async def _by_tag(
        self, experiment_ids: tuple[str, ...], target: TagTarget, tag: str, comparison: Comparison
    ) -> None:
        search, by = RunSearch(experiment_ids, comparison, page_size=MOST_RUNS), f"tags.{tag}"
        runs: list[Run] = []
        token: str | None = ""
        for _ in range(_MOST_PAGES):  # only of runs that look alike there are several to be read
            answer = await self._asked.searches.search(search, token or "", "query")
            self._round.append(answer)
            token = answer.value.next_page_token
            runs = [run for run in answer.value.runs if bears(run, tag, target)]
            if runs or token is None:
                break
        for run in runs:
            is_exact = run.tags[tag] == target.value
            self._add(run, Evidence.TAG if is_exact else Evidence.DERIVED, by)
        self.is_complete = self.is_complete and token is None
        among = "" if runs or token is None else f" (among the newest {_MOST_PAGES * MOST_RUNS:,} like it)"
        self.note(f"{by} {shorten(target.value)} in {_named(experiment_ids)}{among}", _outcome(runs))

    async def _by_digest(self, experiment_ids: tuple[str, ...], digest: str) -> None:
        what = f"dataset digest {shorten(digest)} in {_named(experiment_ids)}"
        found = await self._ask(SearchRunsOfDataset(experiment_ids, digest, MOST_RUNS))
        if isinstance(found, NotServed):
            self.note(what, _refusal(found))
            return
        for run in found.runs:
            self._add(run, Evidence.RECORDED, _BY_DIGEST)
        self.is_complete = self.is_complete and found.is_complete
        self.note(what, _outcome(found.runs))

    async def _step(self, target: Target, by: str, evidence: Evidence) -> Iterable[Step]:
        match target:
            case RunTarget():
                await self._run(target, by, evidence)
            case VersionTarget(name, version):
                what = f"model version {shorten(f'{name}/{version}')}"
                return await self._version(GetModelVersion(name, version), what)
            case AliasTarget(name, alias):
                what = f"model alias {shorten(f'{name}@{alias}')}"
                return await self._version(GetModelByAlias(name, alias), what)
            case ModelTarget():
                return await self._model(target, evidence)
        return ()

    async def _run(self, target: RunTarget, by: str, evidence: Evidence) -> None:
        what = f"run {shorten(target.run_id)}"
        answer = await self._asked.queries.run(target.run_id)
        self._round.append(answer)
        run = answer.value
        if run is None:
            self.note(what, Outcome.MISSING)
        elif target.uri and not holds(run.artifact_uri, target.uri, run.run_id):
            self.note(what, Outcome.ELSEWHERE)
        else:
            self._add(run, Evidence.DERIVED if target.uri else evidence, by)
            self.note(what, Outcome.FOUND)

    async def _version(self, question: GetModelVersion | GetModelByAlias, what: str) -> Iterable[Step]:
        version = self._noted(what, await self._ask(question), lambda _: True)
        if version is None:
            return ()
        self.version = self.version or version
        if version.run_id:
            return [(RunTarget(version.run_id), "model_version.run_id", Evidence.RECORDED)]
        self.note(f"the run of model version {shorten(f'{version.name}/{version.version}')}", Outcome.NO_RUN)
        if version.model_id:
            return [(ModelTarget(version.model_id), "model_version.model_id", Evidence.RECORDED)]
        targets = targets_of_source(version.source)
        return [(target, "model_version.source", Evidence.RECORDED) for target in targets]

    async def _model(self, target: ModelTarget, evidence: Evidence) -> Iterable[Step]:
        what = f"logged model {shorten(target.model_id)}"

        def is_there(model: LoggedModel) -> bool:
            return not target.uri or holds(model.artifact_uri, target.uri, model.model_id)

        model = self._noted(what, await self._ask(GetLoggedModel(target.model_id)), is_there)
        if model is None:
            return ()
        self.model = self.model or model
        if model.source_run_id:
            evidence = Evidence.DERIVED if target.uri else evidence
            return [(RunTarget(model.source_run_id), "logged_model.source_run_id", evidence)]
        self.note(f"the run of {what}", Outcome.NO_RUN)
        return ()

    def _noted(self, what: str, found: T | NotServed | None, is_there: Callable[[T], bool]) -> T | None:
        """What was found, once it is noted how it went; None where that leads no further."""
        if isinstance(found, NotServed):
            self.note(what, _refusal(found))
            return None
        if found is None:
            self.note(what, Outcome.MISSING)
            return None
        outcome = Outcome.FOUND if is_there(found) else Outcome.ELSEWHERE
        self.note(what, outcome)
        return found if outcome is Outcome.FOUND else None

    def _add(self, run: Run, evidence: Evidence, by: str) -> None:
        """Take a run, by the strongest evidence that there is for it."""
        known = self.makers.get(run.run_id)
        if known is None or _STRENGTH.index(evidence) < _STRENGTH.index(known.evidence):
            self.makers[run.run_id] = Maker(run, evidence, by)

    async def _ask(self, question: Question[T]) -> T:
        answer = await self._asked.queries.answer(question)
        self._round.append(answer)
        return answer.value

    def _end_round(self) -> None:
        """What is asked from now on could only be asked because of what was answered so far."""
        if self._round:
            coming = [answer.after(self._before) for answer in self._round]
            self.answers += coming
            self._before = combine(None, coming)
            self._round = []


def _outcome(runs: Sequence[Run]) -> Outcome:
    return Outcome.FOUND if runs else Outcome.MISSING


def _refusal(refusal: NotServed) -> Outcome:
    return Outcome.UNSUPPORTED if refusal.reason == UNSUPPORTED else Outcome.FORBIDDEN


def _named(experiment_ids: tuple[str, ...]) -> str:
    few = 3
    if len(experiment_ids) > few:
        return f"{len(experiment_ids)} experiments"
    return f"experiment{'s' * (len(experiment_ids) > 1)} {', '.join(experiment_ids)}"
