"""Runs, and what they are made of, as a graph."""

from service.tracking.lineage.graph import Graph, graph_of
from service.tracking.lineage.questions import LoggedModel, ModelVersion
from service.tracking.recorded import Dataset, Recorded
from tests.tracking.lineage.runs import COMMIT, WHOLE, lineage_run, without


def edges(graph: Graph) -> set[tuple[str, str, str, str]]:
    """From, to, relation and evidence of each edge."""
    return {(one.source, one.target, str(one.relation), str(one.evidence)) for one in graph.edges}


def test_from_the_dataset_to_the_backtest() -> None:
    """Dataset, features, training, model version, signal, backtest: the way of the data, by tags."""
    runs = [lineage_run("t", "training", without("signal_version")), lineage_run("b", "backtest")]
    found = edges(graph_of(runs))
    for source, target, relation in [
        ("dataset_version:d1", "feature_version:f1", "leads_to"),
        ("dataset_version:d1", "run:t", "used_by"),
        ("feature_version:f1", "run:t", "used_by"),
        ("run:t", "model_version:v1", "made"),
        ("model_version:v1", "signal_version:g1", "leads_to"),
        ("model_version:v1", "run:b", "used_by"),
        ("signal_version:g1", "run:b", "used_by"),
        (f"code:{COMMIT}", "run:b", "used_by"),
    ]:
        assert (source, target, relation, "tag") in found
    assert ("run:b", "model_version:v1", "made", "tag") not in found


def test_what_mlflow_has_recorded() -> None:
    """Datasets and models used, and models made, are edges with the evidence `recorded`."""
    recorded = Recorded((Dataset("prices", "abc", "s3", "s3://b", "training"),), ("m-1",), ("m-2",))
    graph = graph_of([lineage_run("r", tags={}, recorded=recorded)])
    assert {
        ("dataset:prices#abc", "run:r", "used_by", "recorded"),
        ("logged_model:m-1", "run:r", "used_by", "recorded"),
        ("run:r", "logged_model:m-2", "made", "recorded"),
    } == edges(graph)
    details = next(one.details for one in graph.nodes if one.id == "dataset:prices#abc")
    assert {"digest": "abc", "source_type": "s3", "source": "s3://b", "context": "training"} == dict(details)


def test_parents_and_children() -> None:
    """A parent that is drawn has an edge to its children; one that is not drawn has none."""
    child = {"mlflow.parentRunId": "p"}
    drawn = graph_of([lineage_run("p", tags={}), lineage_run("c", tags=child)])
    assert {("run:p", "run:c", "parent_of", "recorded")} == edges(drawn)
    assert set() == edges(graph_of([lineage_run("c", tags=child)]))


def test_the_registry() -> None:
    """A model version has edges from its run and its logged model, and that one from its own run."""
    version = ModelVersion("forecast", "3", run_id="r", model_id="m-1", aliases=("champion",))
    model = LoggedModel("m-1", source_run_id="r", name="net", status="LOGGED_MODEL_READY")
    graph = graph_of([lineage_run("r", tags={})], [version], [model])
    assert {
        ("run:r", "logged_model:m-1", "made", "recorded"),
        ("run:r", "registered_model:forecast/3", "registered_as", "recorded"),
        ("logged_model:m-1", "registered_model:forecast/3", "registered_as", "recorded"),
    } == edges(graph)
    assert ["r", "net", "forecast/3"] == [node.name for node in graph.nodes]


def test_a_commit_that_is_cut_short_is_one_node() -> None:
    """Two runs that name a commit in full and cut short come from one node."""
    runs = [lineage_run("a"), lineage_run("b", tags={**WHOLE, "git_commit": COMMIT[:8]})]
    assert [f"code:{COMMIT}"] == [node.id for node in graph_of(runs).nodes if node.kind == "code"]


def test_runs_that_share_something_share_its_node() -> None:
    """A node is there once, whatever many runs lead to it, and so is an edge."""
    graph = graph_of([lineage_run(f"r{at}") for at in range(50)])
    assert 50 + 5 == len(graph.nodes)
    assert 50 * 5 + 2 == len(graph.edges)


def test_above_the_bounds() -> None:
    """The first runs are drawn, what is left out is counted, and no edge leads to what is not there."""
    runs = [lineage_run(f"r{at}", tags={"dataset_version": f"d{at}"}) for at in range(10)]
    graph = graph_of(runs, most_nodes=12)
    assert [f"run:r{at}" for at in range(10)] == [node.id for node in graph.nodes[:10]]
    assert (12, 8) == (len(graph.nodes), graph.left_out)
    ids = {node.id for node in graph.nodes}
    assert all({edge.source, edge.target} <= ids for edge in graph.edges)
    assert (3, 7) == (len(graph_of(runs, most_edges=3).edges), graph_of(runs, most_edges=3).left_out)
