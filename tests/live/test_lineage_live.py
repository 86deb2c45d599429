"""References to what a real MLflow and its registry hold, resolved to the runs that made it."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from service.answer import Answer
from service.errors import LineageNotFound
from service.tracking.asked import Asked
from service.tracking.lineage.questions import ModelVersions, SearchModelVersions
from service.tracking.lineage.resolved import Resolved
from service.tracking.lineage.resolving import resolve
from service.upstream.client import MlflowClient
from service.upstream.transport import Limits, MlflowTransport
from tests.api.serving import API as BASE
from tests.api.serving import serving
from tests.live.logbook import API, Logbook, unique
from tests.tracking.lineage.registry import asked_of

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

NO_MEMORY = {"Cache-Control": "no-cache"}
MOST_CALLS = 3  # of one reference to a model: each is a round
COMMIT = "3f9a1c2d4e5f60718293a4b5c6d7e8f901234567"
# Where an experiment keeps its artifacts, and how people write that place.
STORES = {
    "s3://bucket/research": "https://bucket.s3.eu-west-1.amazonaws.com/research",
    "s3://minio-bucket": "http://minio:9000/minio-bucket",
    "wasbs://research@quant.blob.core.windows.net/x": "https://quant.blob.core.windows.net/research/x",
    "abfss://research@quant.dfs.core.windows.net/x": "abfss://research@quant.dfs.core.windows.net//x",
    "gs://bucket/a b": "https://storage.googleapis.com/bucket/a%20b",
    "dbfs:/databricks/mlflow": "/dbfs/databricks/mlflow",
    "hdfs://node:8020/mlflow": "hdfs:/mlflow",
    "https://files.example.com/mlflow": "https://FILES.example.com/mlflow",
    "file:///srv/ml runs": "/srv/ml runs",
    "mlflow-artifacts:/research": "http://mlflow:5000/api/2.0/mlflow-artifacts/artifacts/research",
}


class Study:
    """An experiment of a real MLflow, with a registry, and what the service resolves references through.

    database: of the server.
    """

    def __init__(self, mlflow: Logbook, transport: MlflowTransport, experiment: str, database: Path) -> None:
        self.mlflow = mlflow
        self.experiment = experiment
        self.client = MlflowClient(transport)
        self._asked: Asked = asked_of(self.client, experiment=experiment)
        self._transport = transport
        self._database = database
        self.experiment_id = ""

    async def resolve(self, ref: str) -> Answer[Resolved]:
        """What a reference is resolved to."""
        return await resolve(self._asked, ref)

    async def made(self, ref: str) -> list[tuple[str, str]]:
        """The ids of the runs that made it, each with what says so."""
        return [(maker.run.run_id, maker.by) for maker in (await self.resolve(ref)).value.makers]

    async def tried(self, ref: str) -> list[str]:
        """What came of each attempt to find what is not found."""
        with pytest.raises(LineageNotFound) as caught:
            await self.resolve(ref)
        return [str(outcome) for _, outcome in caught.value.tried]

    def calls(self) -> int:
        """How often MLflow has been asked."""
        return sum(self._transport.layers.counting.outcomes.values())

    async def run(self, experiment_id: str = "", **tags: str) -> str:
        """Log a run."""
        return await self.mlflow.create_run(experiment_id or self.experiment_id, tags=tags, start_time=1)

    async def logged_model(self, run_id: str) -> str:
        """Log a model of a run."""
        created = await self.mlflow.write(
            "logged-models", experiment_id=self.experiment_id, name="model", source_run_id=run_id
        )
        return str(created["model"]["info"]["model_id"])

    async def registered(self, name: str) -> str:
        """Register a model of this name, with something behind it that no other has."""
        name = unique(name)
        await self.mlflow.write("registered-models/create", name=name)
        return name

    async def version(self, name: str, **fields: str) -> str:
        """Register a version of a model."""
        created = await self.mlflow.write("model-versions/create", name=name, **fields)
        return str(created["model_version"]["version"])

    async def let_stand(self, alias: str, name: str, version: str) -> None:
        """Let an alias stand for a version."""
        await self.mlflow.write("registered-models/alias", name=name, alias=alias, version=version)

    def forget_run(self, name: str) -> None:
        """Leave the versions of a model without a run id, as the pages of older MLflows registered them."""
        with closing(sqlite3.connect(self._database, timeout=30)) as database, database:
            database.execute("UPDATE model_versions SET run_id = NULL WHERE name = ?", (name,))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def study(real_mlflow: str, mlflow_directory: Path) -> AsyncIterator[Study]:
    """An empty experiment."""
    async with (
        aiohttp.ClientSession(real_mlflow) as session,
        MlflowTransport(real_mlflow, Limits()) as transport,
    ):
        made = Study(Logbook(session), transport, unique("lineage"), mlflow_directory / "mlflow.db")
        made.experiment_id = await made.mlflow.create_experiment(made.experiment)
        yield made


async def test_a_run(study: Study) -> None:
    """A run is found by its id and by `runs:/`; a deleted one is said to be deleted."""
    run_id = await study.run()
    assert [(run_id, "run_id")] == await study.made(run_id)
    await study.mlflow.delete_run(run_id)
    resolved = (await study.resolve(f"runs:/{run_id}/model")).value
    assert [(run_id, True)] == [(run.run_id, run.is_deleted) for run in resolved.runs]


@pytest.mark.parametrize("name", ["forecast", "the team's model é", "a@b", 'say "hi"; --'])
async def test_a_model_version_and_its_aliases(study: Study, name: str) -> None:
    """A version leads to its run in two calls, an alias to that of the version that it stands for now."""
    first, second = await study.run(), await study.run()
    name = await study.registered(name)
    for run_id in (first, second):
        model_id = await study.logged_model(run_id)
        await study.version(name, source=f"models:/{model_id}", model_id=model_id, run_id=run_id)
    before = study.calls()
    assert [(first, "model_version.run_id")] == await study.made(f"models:/{name}/1")
    assert 2 == study.calls() - before
    for version, run_id in (("1", first), ("2", second)):
        await study.let_stand("champion", name, version)
        assert [(run_id, "model_version.run_id")] == await study.made(f"models:/{name}@champion")
    assert [(second, "model_version.run_id")] == await study.made(f"models:/{name}/latest")
    found = (await study.client.answer(SearchModelVersions((first, second)))).value
    assert isinstance(found, ModelVersions)
    assert {(first, "1"), (second, "2")} == {(one.run_id, one.version) for one in found.versions}


async def test_an_alias_over_http(study: Study) -> None:
    """A caller who wants no memory gets the run of the version that the alias stands for now."""
    runs = [await study.run(), await study.run()]
    name = await study.registered("champions league")
    for run_id in runs:
        await study.version(name, source=f"runs:/{run_id}/model", run_id=run_id)
    async with serving(study.mlflow.url, mlflow_experiment_name=study.experiment) as api:
        for version, run_id in enumerate(runs, start=1):
            await study.let_stand("champion", name, str(version))
            response = await api.get(
                f"{BASE}/lineage", params={"ref": f"models:/{name}@champion"}, headers=NO_MEMORY
            )
            body = await response.json()
            assert [(run_id, "recorded")] == [(one["run_id"], one["evidence"]) for one in body["runs"]]
            assert str(version) == body["model_version"]["version"]


async def test_a_version_without_a_run_id(study: Study) -> None:
    """A version that records no run is followed through its logged model, in three calls."""
    run_id = await study.run()
    model_id = await study.logged_model(run_id)
    name = await study.registered("forgetful")
    await study.version(name, source=f"models:/{model_id}", model_id=model_id)
    study.forget_run(name)
    before = study.calls()
    assert [(run_id, "logged_model.source_run_id")] == await study.made(f"models:/{name}/1")
    assert MOST_CALLS == study.calls() - before


async def test_a_logged_model(study: Study) -> None:
    """A logged model leads to its run, by its id, by where it is kept, and once it is deleted."""
    run_id = await study.run()
    model_id = await study.logged_model(run_id)
    expected = [(run_id, "logged_model.source_run_id")]
    root = f"mlflow-artifacts:/{study.experiment_id}/models/{model_id}/artifacts"
    for ref in (model_id, f"models:/{model_id}", f"{root}/MLmodel"):
        assert expected == await study.made(ref)
    assert 200 == (await study.mlflow.ask("DELETE", f"{API}logged-models/{model_id}")).status
    assert expected == await study.made(f"models:/{model_id}")


@pytest.mark.parametrize("root", STORES)
async def test_an_artifact_of_each_store(study: Study, root: str) -> None:
    """An artifact leads to the run whose own root holds it, and one of another place to none."""
    created = await study.mlflow.write("experiments/create", name=unique("store"), artifact_location=root)
    run_id = await study.run(str(created["experiment_id"]))
    path = f"{run_id}/artifacts/model/MLmodel"
    for place in (root, STORES[root]):
        assert [(run_id, "artifact_uri")] == await study.made(f"{place}/{path}")
    assert ["elsewhere"] == await study.tried(f"s3://another-bucket/research/{path}")
    assert ["elsewhere"] == await study.tried(f"{root}/elsewhere/{path}")


async def test_a_version_of_a_source_without_a_run_id(study: Study) -> None:
    """A version that knows only where its files are leads to the run whose root holds them."""
    created = await study.mlflow.write("experiments/create", name=unique("s3"), artifact_location="s3://b/x")
    run_id = await study.run(str(created["experiment_id"]))
    name = await study.registered("from-s3")
    await study.version(name, source=f"s3://b/x/{run_id}/artifacts/model")
    assert [(run_id, "model_version.source")] == await study.made(f"models:/{name}/1")


async def test_tags_and_datasets(study: Study) -> None:
    """Runs are found by each tag, a commit also by its beginning, and a dataset also by its digest."""
    value = f"""both ' and "{unique("é")}\\"""
    tags = {"signal_version": value, "feature_version": value, "model_version": value}
    run_id = await study.run(git_commit=COMMIT, dataset_version=value, **tags)
    cased = await study.mlflow.create_run(
        study.experiment_id, tags={"mlflow.source.git.commit": COMMIT[:7].upper()}, start_time=2
    )
    await study.mlflow.write(
        "runs/log-inputs",
        run_id=cased,
        datasets=[{"dataset": {"name": "d", "digest": "d1 'ge57", "source_type": "local", "source": "x"}}],
    )
    for kind in ("signal", "feature", "model", "dataset"):
        assert run_id in [one for one, _ in await study.made(f"{kind}:{value}")]
    for commit in (COMMIT, COMMIT[:7], COMMIT[:12].upper()):
        by = [(cased, "tags.mlflow.source.git.commit"), (run_id, "tags.git_commit")]
        assert by == await study.made(f"git:{commit}")
    assert [(cased, "dataset.digest")] == await study.made("dataset:d1 'ge57")


async def test_another_experiment(study: Study) -> None:
    """A tag that no run of the default experiment bears is looked for in all others."""
    value = unique("v")
    run_id = await study.run(await study.mlflow.create_experiment(unique("other")), signal_version=value)
    assert [(run_id, "tags.signal_version")] == await study.made(f"signal:{value}")


@pytest.mark.parametrize(
    ("ref", "outcomes"),
    [
        ("f" * 32, ["missing"]),
        ("models:/nothing/1", ["missing"]),
        ("models:/nothing/99999999999999999999", ["missing"]),
        ("models:/a/b:c/1", ["missing"]),
        ("models:/nothing@champion", ["missing"]),
        (f"models:/m-{'f' * 32}", ["missing"]),
        ("signal:nobody's", ["missing", "missing"]),
        ("dataset:nobody", ["missing", "missing", "missing", "missing"]),
        (f"git:{'0' * 40}", ["missing", "missing", "missing", "missing"]),
    ],
)
async def test_nothing_is_found(study: Study, ref: str, outcomes: list[str]) -> None:
    """What does not exist is told as missing, however odd its name, and never as a failure."""
    assert outcomes == await study.tried(ref)


async def test_an_alias_that_stands_for_nothing(study: Study) -> None:
    """An alias that was never given is missing, which MLflow tells as a bad value."""
    name = await study.registered("bare")
    assert ["missing"] == await study.tried(f"models:/{name}@champion")
