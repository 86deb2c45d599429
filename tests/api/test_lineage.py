"""GET /lineage, over an index and over MLflow alone."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from service.api import lineage_schemas as schemas
from tests.api.searching import HeldIndex, searching
from tests.api.serving import API, Client, answered, refused
from tests.fakes.mlflow import FakeMlflow
from tests.tracking.lineage.runs import COMMIT, WHOLE, without

LINEAGE = f"{API}/lineage"


def ask_of(digest: str) -> dict[str, Any]:
    """The inputs of a run as MLflow answers them."""
    return {
        "dataset_inputs": [
            {"dataset": {"name": "prices", "digest": digest, "source_type": "s3", "source": "s3://b"}}
        ]
    }


@pytest.fixture
def fake_session(fake: FakeMlflow) -> dict[str, str]:
    """A training, a walk-forward with a child, two backtests that contradict, and a run of another commit."""
    ids = {
        "training": fake.add_run(tags={"run_type": "training", **without("signal_version")}),
        "walk_forward": fake.add_run(tags={"run_type": "walk_forward", **WHOLE}),
    }
    params, metrics = {"lookback": "20", "seed": "1"}, {"sharpe": 1.0}
    backtest = {"run_type": "backtest", **WHOLE}
    ids["child"] = fake.add_run(tags={"mlflow.parentRunId": ids["walk_forward"]})
    ids["backtest"] = fake.add_run(tags=backtest, params=params, metrics=metrics)
    ids["again"] = fake.add_run(tags=backtest, params=params, metrics={"sharpe": 1.5})
    ids["other"] = fake.add_run(tags={**backtest, "git_commit": "b" * 40})
    fake.store.runs[ids["training"]].inputs = ask_of("d1")
    fake.store.runs[ids["other"]].inputs = ask_of("d2")
    return ids


@pytest.fixture
async def indexed(fake: FakeMlflow, fake_session: dict[str, str]) -> AsyncIterator[Client]:
    """The service over an index that has read all these runs."""
    index = HeldIndex()
    async with searching(None, fake) as reader:
        for run_id in fake_session.values():
            run = (await reader.service.queries.run(run_id)).value
            assert run is not None
            index.put(run)
    fake.calls.clear()
    async with searching(index, fake) as client:
        yield client


async def lineage(api: Client, ref: str, **query: str) -> dict[str, Any]:
    return await answered(await api.get(LINEAGE, params={"ref": ref, **query}), schemas.Lineage)


def shown(answer: Mapping[str, Any]) -> dict[str, list[str]]:
    """The ids of the session's runs by type."""
    return {one["run_type"]: [run["run_id"] for run in one["runs"]] for one in answer["session"]["run_types"]}


async def test_the_session_of_a_run(indexed: Client, fake: FakeMlflow, fake_session: dict[str, str]) -> None:
    """From the index: runs by type and in time order, each with what it shares; MLflow is not searched."""
    ids = fake_session
    answer = await lineage(indexed, ids["backtest"])
    assert {
        "training": [ids["training"]],
        "walk_forward": [ids["walk_forward"]],
        "backtest": [ids["backtest"], ids["again"]],
    } == shown(answer)
    training = answer["session"]["run_types"][0]["runs"][0]
    assert ["strategy", "commit", "dataset", "features", "model"] == training["shares"]
    assert COMMIT == answer["session"]["traits"]["commit"]
    assert [(ids["backtest"], "recorded", "run_id", False)] == [
        (one["run_id"], one["evidence"], one["by"], one["deleted"]) for one in answer["runs"]
    ]
    assert 0 == fake.count("runs/search")


async def test_the_graph(indexed: Client, fake_session: dict[str, str]) -> None:
    """From the dataset over the training and its model to the backtest, with the evidence of each edge."""
    answer = await lineage(indexed, fake_session["backtest"])
    edges = {(one["source"], one["target"]): (one["relation"], one["evidence"]) for one in answer["edges"]}
    training, backtest = (f"run:{fake_session[name]}" for name in ("training", "backtest"))
    assert ("used_by", "recorded") == edges["dataset:prices#d1", training]
    assert ("used_by", "tag") == edges["feature_version:f1", training]
    assert ("made", "tag") == edges[training, "model_version:v1"]
    assert ("used_by", "tag") == edges["signal_version:g1", backtest]
    ids = {node["id"] for node in answer["nodes"]}
    assert all({one["source"], one["target"]} <= ids for one in answer["edges"])


async def test_contradictions(indexed: Client, fake_session: dict[str, str]) -> None:
    """Two digests of one dataset version, also of a run of another commit, and one metric with two values."""
    ids = fake_session
    answer = await lineage(indexed, ids["backtest"])
    dataset, results = answer["contradictions"]
    assert ("dataset_digest", {"d1", "d2"}) == (
        dataset["kind"],
        {one["value"] for one in dataset["variants"]},
    )
    assert ("results", "sharpe", 0.5) == (results["kind"], results["what"], results["absolute"])
    assert [[ids["backtest"]], [ids["again"]]] == [one["run_ids"] for one in results["variants"]]


async def test_completeness(indexed: Client, fake_session: dict[str, str]) -> None:
    """What the run says and what it lacks."""
    [one] = (await lineage(indexed, fake_session["training"]))["completeness"]
    assert (["signal_version"], 1, None) == (one["missing"], one["datasets"], one["has_uncommitted_changes"])


async def test_parents_and_children(indexed: Client, fake_session: dict[str, str]) -> None:
    """A child that bears no tag is of the session of its parent, and the other way round."""
    ids = fake_session
    answer = await lineage(indexed, ids["walk_forward"])
    assert [ids["child"]] == shown(answer)["unknown"]
    assert "child" == answer["session"]["run_types"][-1]["runs"][0]["relation"]
    assert {ids["walk_forward"], ids["child"]} == {
        run for runs in shown(await lineage(indexed, ids["child"])).values() for run in runs
    }


async def test_a_commit_names_several_runs(indexed: Client, fake_session: dict[str, str]) -> None:
    """All runs of a commit are answered, newest first, with the tag as the evidence."""
    answer = await lineage(indexed, f"git:{COMMIT[:8]}")
    assert [fake_session[name] for name in ("again", "backtest", "walk_forward", "training")] == [
        run["run_id"] for run in answer["runs"]
    ]
    assert {"tags.git_commit"} == {run["by"] for run in answer["runs"]}
    assert fake_session["again"] == answer["session"]["run_id"]
    assert 4 == len(answer["completeness"])


@pytest.fixture
async def bare(fake: FakeMlflow, fake_session: dict[str, str]) -> AsyncIterator[Client]:
    """The service without an index."""
    assert fake_session
    async with searching(None, fake) as client:
        yield client


async def test_without_an_index(bare: Client, fake: FakeMlflow, fake_session: dict[str, str]) -> None:
    """MLflow is asked with AND, and the answer says that it may lack runs."""
    ids = fake_session
    answer = await lineage(bare, ids["backtest"])
    assert [ids["backtest"], ids["again"]] == shown(answer)["backtest"]
    assert [ids["training"]] == shown(answer)["training"]
    assert {"dataset_digest", "results"} == {one["kind"] for one in answer["contradictions"]}
    assert "session_partial" in {one["code"] for one in answer["warnings"]}
    assert all(" OR " not in call.json["filter"] for call in fake.calls if call.endpoint == "runs/search")


async def test_the_parent_is_asked_for(bare: Client, fake_session: dict[str, str]) -> None:
    """Without an index the parent of a run is read by its id."""
    ids = fake_session
    answer = await lineage(bare, ids["child"])
    assert [ids["walk_forward"]] == shown(answer)["walk_forward"]


async def test_rounds_of_questions(bare: Client, fake: FakeMlflow, fake_session: dict[str, str]) -> None:
    """A run costs two rounds: the run, then all around it at once; a second request costs none."""
    fake.calls.clear()
    fake.latency = 0.05  # so that calls of one round are under way together
    await lineage(bare, fake_session["child"])
    first, *around = [call.endpoint for call in fake.calls]
    assert "runs/get" == first
    assert ["model-versions/search", "runs/get", "runs/search", "runs/search"] == sorted(around[:4])
    assert 4 == fake.max_in_flight
    before = len(fake.calls)
    await lineage(bare, fake_session["child"])
    assert before == len(fake.calls)


async def test_a_deleted_run(bare: Client, fake: FakeMlflow) -> None:
    """A run that was deleted is answered, and marked."""
    run_id = fake.add_run(tags=WHOLE, lifecycle_stage="deleted")
    [run] = (await lineage(bare, run_id))["runs"]
    assert run["deleted"]


async def test_a_run_of_no_session(bare: Client, fake: FakeMlflow) -> None:
    """A run that bears no lineage tag is alone, and lacks them all."""
    run_id = fake.add_run()
    answer = await lineage(bare, run_id)
    assert {"unknown": [run_id]} == shown(answer)
    assert 7 == len(answer["completeness"][0]["missing"])


async def test_nothing_is_found(bare: Client) -> None:
    """What no run made is a 404 that says what was tried."""
    body = await refused(await bare.get(LINEAGE, params={"ref": "signal:none"}), 404, "lineage_not_found")
    assert "signal:none" == body["ref"]
    assert {"missing"} == {one["outcome"] for one in body["tried"]}


@pytest.mark.parametrize(
    ("query", "location"),
    [
        ({}, "query.ref"),
        ({"ref": ""}, "query.ref"),
        ({"ref": "x" * 2_049}, "query.ref"),
        ({"ref": "git:"}, "query.ref"),
        ({"ref": "r", "experiment_id": "x"}, "query.experiment_id"),
    ],
)
async def test_a_request_that_cannot_be_read(bare: Client, query: dict[str, str], location: str) -> None:
    """No reference, an empty one, one that is too long or of no kind, and experiments that cannot be."""
    body = await refused(await bare.get(LINEAGE, params=query), 422, "invalid_request")
    assert [location] == [one["location"] for one in body["errors"]]


async def test_mlflow_is_down(bare: Client, fake: FakeMlflow, fake_session: dict[str, str]) -> None:
    """A failure is an error, and never a lineage that is not found."""
    await fake.stop()
    await refused(await bare.get(LINEAGE, params={"ref": fake_session["backtest"]}), 502, "upstream_error")
    await refused(await bare.get(LINEAGE, params={"ref": "git:abcdef1"}), 502, "upstream_error")


async def test_not_modified(indexed: Client, fake_session: dict[str, str]) -> None:
    """The same again is a 304 for whoever has it."""
    query = {"ref": fake_session["backtest"]}
    etag = (await indexed.get(LINEAGE, params=query)).headers["ETag"]
    response = await indexed.get(LINEAGE, params=query, headers={"If-None-Match": etag})
    assert (304, b"") == (response.status, await response.read())


async def test_anew(bare: Client, fake: FakeMlflow, fake_session: dict[str, str]) -> None:
    """Cache-Control: no-cache asks MLflow whatever is remembered."""
    query = {"ref": fake_session["backtest"]}
    await bare.get(LINEAGE, params=query)
    before = len(fake.calls)
    await bare.get(LINEAGE, params=query, headers={"Cache-Control": "no-cache"})
    assert before < len(fake.calls)
