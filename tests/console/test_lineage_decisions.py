"""What the page of lineage decides: what a text refers to, which runs are one node, and where it lies."""

from typing import Any, Final

import pytest

from tests.console.modules import evaluated
from tests.console.watched import Watched

pytestmark = pytest.mark.console

RUN = "4f2a9c0d7b1e4a6f8c3d5e7f9a0b1c2d"


@pytest.mark.parametrize(
    ("text", "ref", "is_guess"),
    [
        (RUN, RUN, True),
        ("3f9a1c2", "git:3f9a1c2", True),
        ("b" * 40, f"git:{'b' * 40}", True),
        ("prices-2026.02", "dataset:prices-2026.02", True),
        ("momentum/3", "models:/momentum/3", True),
        ("momentum@champion", "models:/momentum@champion", True),
        ("  'models:/m@champion' ", "models:/m@champion", False),
        ("git:3f9a1c2", "git:3f9a1c2", False),
        ("feature:v3", "feature:v3", False),
        ("s3://bucket/1/run/artifacts/model", "s3://bucket/1/run/artifacts/model", False),
        ("dbfs:/a/b", "dbfs:/a/b", False),
        ("/data/1/run/artifacts", "/data/1/run/artifacts", False),
        ("1/run/artifacts/model.pkl", "1/run/artifacts/model.pkl", False),
        ("m-ba1bb9a9b9514f8589a208d23f842d67", "m-ba1bb9a9b9514f8589a208d23f842d67", False),
    ],
)
async def test_a_text_is_read_as_a_reference(
    module_page: Watched, text: str, ref: str, is_guess: bool
) -> None:
    """What says what it is stays as it is; plain texts get a prefix, which is said to be a guess."""
    read = await evaluated(module_page, "lineage/guess.js", "m.refOf(values[0])", text)
    assert (ref, is_guess) == (read["ref"], bool(read["guess"]))
    assert ref not in read["others"]


@pytest.mark.parametrize(
    ("node", "ref"),
    [
        ({"id": f"run:{RUN}", "kind": "run", "name": "training"}, RUN),
        ({"id": "code:3f9a1c2", "kind": "code", "name": "3f9a1c2"}, "git:3f9a1c2"),
        ({"id": "dataset_version:v1", "kind": "dataset", "name": "v1"}, "dataset:v1"),
        ({"id": "dataset:p#d1", "kind": "dataset", "name": "p", "details": {"digest": "d1"}}, "dataset:d1"),
        ({"id": "feature_version:f", "kind": "features", "name": "f"}, "feature:f"),
        ({"id": "registered_model:m/1", "kind": "model", "name": "m/1"}, "models:/m/1"),
        ({"id": "logged_model:m-1", "kind": "model", "name": "forecast"}, "models:/m-1"),
    ],
)
async def test_a_node_leads_to_its_own_lineage(module_page: Watched, node: dict[str, Any], ref: str) -> None:
    """Each kind of node has the reference by which the API finds it."""
    node = {"details": {}} | node
    assert ref == await evaluated(module_page, "lineage/guess.js", "m.refOfNode(values[0])", node)


def run(number: int, run_type: str, status: str = "FINISHED") -> dict[str, Any]:
    """A node of a run."""
    details = {"run_type": run_type, "status": status}
    return {"id": f"run:{run_type}{number}", "kind": "run", "name": run_type, "details": details}


def edge(source: str, target: str, relation: str = "used_by", evidence: str = "tag") -> dict[str, str]:
    """An edge."""
    return {"source": source, "target": target, "relation": relation, "evidence": evidence, "by": "tags.x"}


DATA: Final[dict[str, Any]] = {"id": "dataset_version:v1", "kind": "dataset", "name": "v1", "details": {}}
MODEL: Final[dict[str, Any]] = {"id": "model_version:v1", "kind": "model", "name": "v1", "details": {}}
GROUP = "m.grouped(values[0], values[1], new Set(values[2]))"


async def test_runs_that_are_alike_stand_together(module_page: Watched) -> None:
    """38 runs with the same neighbours are one node with one line; what was asked for stays on its own."""
    runs = [run(number, "walk_forward") for number in range(38)]
    edges = [edge("dataset_version:v1", one["id"]) for one in runs]
    graph = await evaluated(
        module_page, "lineage/grouping.js", GROUP, [DATA, *runs], edges, ["run:walk_forward7"]
    )
    assert ["v1", "37 × walk_forward", "walk_forward"] == [node["name"] for node in graph["nodes"]]
    assert [37, 1] == [line["count"] for line in graph["lines"]]
    asked = [node["id"] for node in graph["nodes"] if node["isAsked"]]
    assert ["run:walk_forward7"] == asked


async def test_runs_that_differ_in_what_they_used_stay_apart(module_page: Watched) -> None:
    """Another neighbour, another status, or fewer than three: such runs are nodes of their own."""
    runs = [run(0, "backtest"), run(1, "backtest"), run(2, "backtest"), run(3, "backtest", "FAILED")]
    edges = [edge("dataset_version:v1", one["id"]) for one in runs[1:]]
    graph = await evaluated(module_page, "lineage/grouping.js", GROUP, [DATA, *runs], edges, [])
    assert 5 == len(graph["nodes"])


async def test_hundreds_of_different_runs_stay_readable(module_page: Watched) -> None:
    """Where runs of a type differ in many ways, all of them are one node."""
    data = [{**DATA, "id": f"dataset_version:{number}"} for number in range(5)]
    runs = [run(number, "backtest") for number in range(300)]
    edges = [
        edge(data[bit]["id"], one["id"])
        for number, one in enumerate(runs)
        for bit in range(5)
        if number % 32 >> bit & 1
    ]
    graph = await evaluated(module_page, "lineage/grouping.js", GROUP, [*data, *runs], edges, [])
    assert 6 == len(graph["nodes"])
    assert "300 × backtest" == graph["nodes"][-1]["name"]


async def test_layers_go_the_way_of_the_data(module_page: Watched) -> None:
    """Data, training, model and tests stand in columns from the left, older runs above, none over another."""
    nodes = [run(1, "backtest"), run(0, "backtest"), run(0, "walk_forward"), MODEL, run(0, "training"), DATA]
    lines = [edge("dataset_version:v1", "run:training0"), edge("run:walk_forward0", "run:backtest0")]
    times = [["run:backtest0", 1], ["run:backtest1", 2]]
    script = """(() => {
      const nodes = values[0].map((node) => ({ ...node, type: node.details.run_type ?? "",
        nodes: [node] }));
      const layers = m.layersOf(nodes, new Map(values[2]));
      return { titles: layers.map((layer) => layer.title), ...m.laidOut(layers, values[1]) };
    })()"""
    placed = await evaluated(module_page, "lineage/layout.js", script, nodes, lines, times)
    assert ["Data and code", "Training", "Models", "Tests"] == placed["titles"]
    order = [box["node"]["id"] for box in placed["boxes"]]
    assert ["run:walk_forward0", "run:backtest0", "run:backtest1"] == order[-3:]
    places = [(box["x"], box["y"]) for box in placed["boxes"]]
    assert len(set(places)) == len(places)
    assert all(x + 172 <= placed["width"] and y + 46 <= placed["height"] for x, y in places)
    assert 2 == len(placed["paths"])


async def test_runs_that_lack_the_same_are_said_together(module_page: Watched) -> None:
    """Equal gaps are one line, and uncommitted code comes first."""
    whole: dict[str, Any] = {
        "missing": [],
        "stand_ins": {},
        "has_uncommitted_changes": None,
        "uncommitted_by": None,
        "datasets": 1,
        "seeds": ["seed"],
    }
    gaps = [
        {"run_id": "a", **whole},
        {"run_id": "b", **whole, "datasets": 2},
        {"run_id": "c", **whole, "has_uncommitted_changes": True},
        {"run_id": "d", **whole, "missing": ["dataset_version"]},
    ]
    found = await evaluated(module_page, "lineage/findings.js", "m.gapsOf(values[0])", gaps)
    assert [["c"], ["d"], ["a", "b"]] == [one["ids"] for one in found]


async def test_hundreds_of_commits_are_one_node(module_page: Watched) -> None:
    """Many nodes of one sort become one, and then runs that differ in nothing else become one, too."""
    commits: list[dict[str, Any]] = [
        {"id": f"code:{number}", "kind": "code", "name": str(number), "details": {}} for number in range(200)
    ]
    runs = [run(number, "training") for number in range(200)]
    edges = [edge(code["id"], one["id"]) for code, one in zip(commits, runs, strict=True)]
    graph = await evaluated(module_page, "lineage/grouping.js", GROUP, [*commits, *runs], edges, [])
    assert ["200 × commit", "200 × training"] == [node["name"] for node in graph["nodes"]]
    assert [200] == [line["count"] for line in graph["lines"]]
