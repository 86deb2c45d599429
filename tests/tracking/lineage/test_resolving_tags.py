"""References by tags: from the index where it has the runs, else from MLflow; and by recorded datasets."""

import pytest
from msgspec.structs import replace

from service.answer import Origin
from service.errors import InvalidRequest, LineageNotFound, UpstreamError
from service.tracking.lineage.questions import UNSUPPORTED, SearchRunsOfDataset
from service.tracking.lineage.resolved import Resolved
from service.tracking.lineage.resolving import MOST_RUNS, resolve
from service.tracking.questions import GetExperiment, ListExperiments, SearchRuns
from service.tracking.recorded import Dataset, Recorded
from service.tracking.runs import Experiment
from service.tracking.search.searches import AnewSearches
from tests.api.searching import HeldIndex
from tests.tracking.lineage.registry import RegistryInMemory, asked_of, made_by, run_id_of

COMMIT = "3f9a1c2d4e5f60718293a4b5c6d7e8f901234567"
DIGEST = Recorded((Dataset("prices", "d1ge57"),))


def told(resolved: Resolved) -> list[tuple[str, str, str]]:
    """The id of each run, the evidence for it and what says so."""
    return [(maker.run.run_id, str(maker.evidence), maker.by) for maker in resolved.makers]


@pytest.mark.parametrize(
    ("ref", "tag"),
    [
        ("dataset:v1", "dataset_version"),
        ("feature:v1", "feature_version"),
        ("signal:v1", "signal_version"),
        ("model:v1", "model_version"),
        ("git:v1", "git_commit"),
        ("git:v1", "mlflow.source.git.commit"),
    ],
)
@pytest.mark.parametrize("is_indexed", [True, False])
async def test_runs_that_bear_a_tag(ref: str, tag: str, is_indexed: bool) -> None:
    """The runs with the tag come newest first, the same from the index and from MLflow."""
    runs = [made_by(1, tags={tag: "v1"}), made_by(2, tags={tag: "v2"}), made_by(3, tags={tag: "v1"})]
    mlflow = RegistryInMemory(runs)
    resolved = (await resolve(asked_of(mlflow, HeldIndex(runs) if is_indexed else None), ref)).value
    assert [(run_id_of(3), "tag", f"tags.{tag}"), (run_id_of(1), "tag", f"tags.{tag}")] == told(resolved)
    assert (("0",), True) == (resolved.experiment_ids, resolved.is_complete)
    assert is_indexed == (not any(isinstance(call, SearchRuns) for call in mlflow.calls))


async def test_the_index_needs_no_search_of_mlflow() -> None:
    """From the index, MLflow is asked for the default experiment only, and the answer is as old as that."""
    runs = [made_by(1, tags={"git_commit": COMMIT})]
    mlflow, index = RegistryInMemory(runs), HeldIndex(runs)
    answer = await resolve(asked_of(mlflow, index), f"git:{COMMIT}")
    assert [GetExperiment("Default")] == mlflow.calls
    assert (index.age, Origin.HIT) == (round(answer.age, 6), answer.origin)


async def test_a_caller_who_wants_no_memory() -> None:
    """Where MLflow's own word is wanted, the index looks for new runs before it is searched."""
    index = HeldIndex([made_by(1, tags={"git_commit": COMMIT})])
    answer = await resolve(asked_of(RegistryInMemory(), index, AnewSearches), f"git:{COMMIT}")
    assert ([run_id_of(1)], 1) == ([run.run_id for run in answer.value.runs], index.refreshes)


async def test_a_short_commit() -> None:
    """The beginning of a commit is derived evidence, and all the commits that begin so are answered."""
    tags = [COMMIT, COMMIT[:7], "3f9a1c2fffffffffffffffffffffffffffffffff", "b04e7d8"]
    runs = [made_by(n, tags={"git_commit": tag}) for n, tag in enumerate(tags)]
    resolved = (await resolve(asked_of(RegistryInMemory(runs)), f"git:{COMMIT[:7]}")).value
    assert [(2, "derived"), (1, "tag"), (0, "derived")] == [
        (int(run_id, 16), evidence) for run_id, evidence, _ in told(resolved)
    ]


async def test_a_run_with_both_commits_is_one() -> None:
    """Two tags of one run are one maker, by the stronger evidence."""
    run = made_by(1, tags={"git_commit": COMMIT[:7], "mlflow.source.git.commit": COMMIT})
    resolved = (await resolve(asked_of(RegistryInMemory([run])), f"git:{COMMIT}")).value
    assert [(run_id_of(1), "tag", "tags.mlflow.source.git.commit")] == told(resolved)


def look_alike(character: str) -> str:
    """Another character, which the pattern of an odd one stands for as well."""
    return "x" if character.isascii() else character


@pytest.mark.parametrize(
    "value",
    ["it's", 'say "hi"', "both ' and \"", "end\\", "50%", "a and b", "x' OR tags.y = 'z", "é🎲!", "a`b", " "],
)
async def test_hostile_values_are_only_values(value: str) -> None:
    """A value with quotes and words of the grammar finds the run that bears it, and no look-alike."""
    runs = [
        made_by(1, tags={"signal_version": value}),
        made_by(2, tags={"signal_version": f"{value}_"}),
        made_by(3, tags={"signal_version": "".join(map(look_alike, value))}),
    ]
    for index in (HeldIndex(runs), None):
        resolved = (await resolve(asked_of(RegistryInMemory(runs), index), f"signal:{value}")).value
        assert [run_id_of(1)] == [run.run_id for run in resolved.runs]


async def test_a_dataset_by_its_digest() -> None:
    """A dataset is found by its tag and by the digest that runs have recorded: both are answered."""
    runs = [made_by(1, recorded=DIGEST), made_by(2, tags={"dataset_version": "d1ge57"}), made_by(3)]
    runs.append(made_by(4, recorded=DIGEST, tags={"dataset_version": "d1ge57"}))
    resolved = (await resolve(asked_of(RegistryInMemory(runs), HeldIndex(runs)), "dataset:d1ge57")).value
    assert [
        (run_id_of(4), "recorded", "dataset.digest"),
        (run_id_of(2), "tag", "tags.dataset_version"),
        (run_id_of(1), "recorded", "dataset.digest"),
    ] == told(resolved)


async def test_a_server_that_knows_no_datasets() -> None:
    """The tag is enough, and it is said that digests were not looked for."""
    mlflow = RegistryInMemory([made_by(1, tags={"dataset_version": "v1"})])
    mlflow.lacks[SearchRunsOfDataset] = UNSUPPORTED
    resolved = (await resolve(asked_of(mlflow), "dataset:v1")).value
    outcomes = {attempt.what.partition(" '")[0]: str(attempt.outcome) for attempt in resolved.tried}
    assert {"tags.dataset_version": "found", "dataset digest": "unsupported"} == outcomes


async def test_a_value_too_long_for_a_digest_is_none() -> None:
    """MLflow keeps digests of 36 characters at most: a longer value is not looked for among them."""
    mlflow = RegistryInMemory([made_by(1, tags={"dataset_version": "v" * 37})])
    await resolve(asked_of(mlflow), f"dataset:{'v' * 37}")
    assert not any(isinstance(call, SearchRunsOfDataset) for call in mlflow.calls)


async def test_other_experiments_are_looked_in_where_the_default_one_has_none() -> None:
    """A commit that no run of the default experiment bears is looked for in all others, in three rounds."""
    mlflow = RegistryInMemory([made_by(1, experiment_id="7", tags={"git_commit": COMMIT}), made_by(2)])
    mlflow.experiments.append(Experiment("7", "other", "s3://bucket/7", "active"))
    resolved = (await resolve(asked_of(mlflow, HeldIndex(mlflow.runs.values())), f"git:{COMMIT}")).value
    assert ([run_id_of(1)], ("0", "7")) == ([run.run_id for run in resolved.runs], resolved.experiment_ids)
    assert [GetExperiment("Default"), ListExperiments()] == mlflow.calls[:2]
    assert {("7",)} == {call.experiment_ids for call in mlflow.calls if isinstance(call, SearchRuns)}


async def test_experiments_that_are_named_are_looked_in_alone() -> None:
    """A caller who names experiments has no others looked in."""
    mlflow = RegistryInMemory([made_by(1, tags={"git_commit": COMMIT})])
    with pytest.raises(LineageNotFound) as caught:
        await resolve(asked_of(mlflow), f"git:{COMMIT}", ("7",))
    assert 2 == len(caught.value.tried)
    assert {("7",)} == {call.experiment_ids for call in mlflow.calls if isinstance(call, SearchRuns)}


async def test_nothing_bears_the_tag() -> None:
    """The error names each tag and each experiment that was looked in."""
    mlflow = RegistryInMemory([made_by(1)])
    mlflow.experiments.append(Experiment("7", "other", "s3://bucket/7", "active"))
    with pytest.raises(LineageNotFound) as caught:
        await resolve(asked_of(mlflow), "signal:v9")
    expected = [(f"tags.signal_version 'v9' in experiment {one}", "missing") for one in "07"]
    assert expected == list(caught.value.tried)


async def test_more_runs_than_are_answered() -> None:
    """Of a tag that many runs bear the newest are answered, and it is said that there are more."""
    runs = [made_by(n, tags={"feature_version": "v3"}) for n in range(MOST_RUNS + 1)]
    for index in (HeldIndex(runs), None):
        resolved = (await resolve(asked_of(RegistryInMemory(runs), index), "feature:v3")).value
        assert (MOST_RUNS, False) == (len(resolved.runs), resolved.is_complete)
        assert run_id_of(MOST_RUNS) == resolved.runs[0].run_id


@pytest.mark.parametrize(("alike", "is_found"), [(MOST_RUNS, True), (5 * MOST_RUNS, False)])
async def test_many_look_alikes(alike: int, is_found: bool) -> None:
    """Runs that only look alike are read past, a thousand of them, and then it is said how many were read."""
    runs = [made_by(n + 1, tags={"signal_version": "it_s"}) for n in range(alike)]
    mlflow = RegistryInMemory([made_by(0, tags={"signal_version": "it's"}), *runs])
    if is_found:
        resolved = (await resolve(asked_of(mlflow), "signal:it's")).value
        assert [run_id_of(0)] == [run.run_id for run in resolved.runs]
    else:
        with pytest.raises(LineageNotFound, match="among the newest 1,000 like it"):
            await resolve(asked_of(mlflow), "signal:it's")


async def test_deleted_runs_are_not_found_by_tags() -> None:
    """A tag is looked for among the runs that are active."""
    mlflow = RegistryInMemory([made_by(1, tags={"git_commit": COMMIT}, is_deleted=True)])
    with pytest.raises(LineageNotFound):
        await resolve(asked_of(mlflow), f"git:{COMMIT}")


async def test_a_search_that_fails_is_an_error() -> None:
    """Where MLflow fails at one of several searches, there is no answer of the others alone."""
    mlflow = RegistryInMemory([made_by(1, tags={"dataset_version": "v1"})])
    mlflow.fails[SearchRunsOfDataset] = UpstreamError("down")
    with pytest.raises(UpstreamError):
        await resolve(asked_of(mlflow), "dataset:v1")


async def test_an_index_that_is_still_reading_is_not_asked() -> None:
    """While the index does not hold every run, MLflow is asked in its place."""
    run = made_by(1, tags={"git_commit": COMMIT})
    index = HeldIndex([replace(run, tags={})], complete=())
    index.followed = {"0"}
    resolved = (await resolve(asked_of(RegistryInMemory([run]), index), f"git:{COMMIT}")).value
    assert ([run_id_of(1)], 0) == ([one.run_id for one in resolved.runs], index.searches)


async def test_what_is_no_reference_asks_nothing() -> None:
    """A text that names nothing is refused before anybody is asked."""
    mlflow = RegistryInMemory()
    with pytest.raises(InvalidRequest):
        await resolve(asked_of(mlflow), "hello world")
    assert [] == mlflow.calls
