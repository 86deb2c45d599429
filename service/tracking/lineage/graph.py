"""What runs were made of and what was made of them, as nodes and edges. Pure.

An edge leads the way of the data: dataset, features, training, model version, signal, walk-forward, CPCV and
backtest. What MLflow has recorded and what tags say are nodes of their own, for nobody has checked that they
are the same. A training makes the model and the signal that its tags name; any other run uses what they name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

import msgspec

from service.tracking.lineage.questions import LoggedModel, ModelVersion
from service.tracking.lineage.resolved import Evidence
from service.tracking.lineage.session import parent_of
from service.tracking.lineage.traits import PARENT_TAG, Tagged, Trait, commit_of, is_same, traits_of
from service.tracking.recorded import Dataset
from service.tracking.runs import Run

MOST_NODES: Final = 500
MOST_EDGES: Final = 2_000

_TRAINING: Final = "training"
_LONGEST_SOURCE: Final = 1_000  # characters of a dataset's source that are shown


class NodeKind(StrEnum):
    """What a node stands for."""

    CODE = "code"
    DATASET = "dataset"
    FEATURES = "features"
    RUN = "run"
    MODEL = "model"
    SIGNAL = "signal"


class Relation(StrEnum):
    """How what an edge leads to is related to what it comes from."""

    USED_BY = "used_by"
    MADE = "made"
    REGISTERED_AS = "registered_as"
    PARENT_OF = "parent_of"
    LEADS_TO = "leads_to"  # named together by runs, in this order of the work


# Nodes of tags: which trait they are of, of what kind, and how their ids begin.
_TAGGED: Final = (
    (Trait.DATASET, NodeKind.DATASET, "dataset_version"),
    (Trait.FEATURES, NodeKind.FEATURES, "feature_version"),
    (Trait.MODEL, NodeKind.MODEL, "model_version"),
    (Trait.SIGNAL, NodeKind.SIGNAL, "signal_version"),
)
_MADE_BY_TRAINING: Final = (NodeKind.MODEL, NodeKind.SIGNAL)
_LEADING: Final = ((Trait.DATASET, Trait.FEATURES), (Trait.MODEL, Trait.SIGNAL))


class Node(msgspec.Struct, frozen=True, gc=False):
    """A node. id: its kind and name, such as `run:<run id>`. details: what else is known, by name."""

    id: str
    kind: NodeKind
    name: str
    details: Mapping[str, str] = {}


class Edge(msgspec.Struct, frozen=True, gc=False):
    """An edge from one node's id to another's. by: what says so, such as `tags.dataset_version`."""

    source: str
    target: str
    relation: Relation
    evidence: Evidence
    by: str


class Graph(msgspec.Struct, frozen=True, gc=False):
    """Nodes and edges, those of the first runs first. left_out: nodes and edges above the bounds."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    left_out: int = 0


def graph_of(
    runs: Iterable[Run],
    versions: Iterable[ModelVersion] = (),
    models: Iterable[LoggedModel] = (),
    most_nodes: int = MOST_NODES,
    most_edges: int = MOST_EDGES,
) -> Graph:
    """The graph of some runs, the most important first, and of what MLflow's registry knows of models."""
    drawing = _Drawing(most_nodes, most_edges)
    for run in runs:
        drawing.run(run)
    for run in drawing.runs.values():
        drawing.traits(run)
        drawing.recorded(run)
        drawing.parent(run)
    for model in models:
        drawing.model(model)
    for version in versions:
        drawing.version(version)
    return Graph(tuple(drawing.nodes.values()), tuple(drawing.edges.values()), drawing.left_out)


class _Drawing:
    """A graph that is being made."""

    def __init__(self, most_nodes: int, most_edges: int) -> None:
        self._most_nodes = most_nodes
        self._most_edges = most_edges
        self._commits: list[str] = []
        self.runs: dict[str, Run] = {}
        self.nodes: dict[str, Node] = {}
        self.edges: dict[tuple[str, str, Relation], Edge] = {}
        self.left_out = 0

    def run(self, run: Run) -> None:
        """Draw a run alone."""
        details = {"run_type": run.run_type, "status": run.status}
        if self._node(Node(_of_run(run.run_id), NodeKind.RUN, run.run_name, details)):
            self.runs[run.run_id] = run

    def traits(self, run: Run) -> None:
        """Draw what a run names in its tags."""
        traits, own = traits_of(run), _of_run(run.run_id)
        if commit := traits.get(Trait.COMMIT):
            code = self._code(commit.value)
            self._by_tag(code, own, Relation.USED_BY, commit)
        drawn: dict[Trait, tuple[str, str]] = {}
        for trait, kind, prefix in _TAGGED:
            if (one := traits.get(trait)) and self._node(
                node := Node(f"{prefix}:{one.value}", kind, one.value)
            ):
                drawn[trait] = node.id, one.tag
                if run.run_type == _TRAINING and kind in _MADE_BY_TRAINING:
                    self._by_tag(own, node.id, Relation.MADE, one)
                else:
                    self._by_tag(node.id, own, Relation.USED_BY, one)
        for first, second in _LEADING:
            if first in drawn and second in drawn:
                (source, tag), (target, other) = drawn[first], drawn[second]
                by = f"tags.{tag} and tags.{other} of one run"
                self._edge(Edge(source, target, Relation.LEADS_TO, Evidence.TAG, by))

    def recorded(self, run: Run) -> None:
        """Draw the inputs and outputs that MLflow has recorded of a run."""
        if run.recorded is None:
            return
        own = _of_run(run.run_id)
        for dataset in run.recorded.datasets:
            node = _of_dataset(dataset)
            if self._node(node):
                self._on_record(node.id, own, Relation.USED_BY, "inputs.dataset_inputs")
        for model_id in run.recorded.model_inputs:
            if self._node(_of_logged(model_id)):
                self._on_record(_logged(model_id), own, Relation.USED_BY, "inputs.model_inputs")
        for model_id in run.recorded.model_outputs:
            if self._node(_of_logged(model_id)):
                self._on_record(own, _logged(model_id), Relation.MADE, "outputs.model_outputs")

    def parent(self, run: Run) -> None:
        """Draw the edge from the parent of a run, where the parent is drawn."""
        parent = parent_of(run)
        if parent in self.runs:
            by = f"tags.{PARENT_TAG}"
            self._on_record(_of_run(parent), _of_run(run.run_id), Relation.PARENT_OF, by)

    def model(self, model: LoggedModel) -> None:
        """Draw a logged model, and the run that made it, where that is drawn."""
        details = {"status": model.status, "model_type": model.model_type, "model_id": model.model_id}
        node = Node(_logged(model.model_id), NodeKind.MODEL, model.name or model.model_id, details)
        if self._node(node, is_better=True) and model.source_run_id in self.runs:
            self._on_record(
                _of_run(model.source_run_id), node.id, Relation.MADE, "logged_model.source_run_id"
            )

    def version(self, version: ModelVersion) -> None:
        """Draw a model version, and what it was registered from, as far as that is drawn."""
        name = f"{version.name}/{version.version}"
        details = {"status": version.status, "aliases": ", ".join(version.aliases)}
        node = Node(f"registered_model:{name}", NodeKind.MODEL, name, details)
        if not self._node(node):
            return
        if version.model_id and self._node(_of_logged(version.model_id)):
            by = "model_version.model_id"
            self._on_record(_logged(version.model_id), node.id, Relation.REGISTERED_AS, by)
        if version.run_id in self.runs:
            by = "model_version.run_id"
            self._on_record(_of_run(version.run_id), node.id, Relation.REGISTERED_AS, by)

    def _code(self, commit: str) -> str:
        """The node of a commit, which may stand in tags in full and cut short."""
        known = next((one for one in self._commits if is_same(Trait.COMMIT, one, commit)), None)
        if known is None:
            known = commit_of(commit)
            if self._node(Node(f"code:{known}", NodeKind.CODE, known)):
                self._commits.append(known)
        return f"code:{known}"

    def _node(self, node: Node, *, is_better: bool = False) -> bool:
        """Draw a node; whether it is there then."""
        if node.id in self.nodes:
            if is_better:
                self.nodes[node.id] = node
            return True
        if len(self.nodes) >= self._most_nodes:
            self.left_out += 1
            return False
        self.nodes[node.id] = node
        return True

    def _by_tag(self, source: str, target: str, relation: Relation, one: Tagged) -> None:
        self._edge(Edge(source, target, relation, Evidence.TAG, f"tags.{one.tag}"))

    def _on_record(self, source: str, target: str, relation: Relation, by: str) -> None:
        self._edge(Edge(source, target, relation, Evidence.RECORDED, by))

    def _edge(self, edge: Edge) -> None:
        """Draw an edge between nodes that are there; the first one between them stays."""
        key = edge.source, edge.target, edge.relation
        if key in self.edges or edge.source not in self.nodes or edge.target not in self.nodes:
            return
        if len(self.edges) >= self._most_edges:
            self.left_out += 1
            return
        self.edges[key] = edge


def _of_run(run_id: str) -> str:
    return f"run:{run_id}"


def _logged(model_id: str) -> str:
    return f"logged_model:{model_id}"


def _of_logged(model_id: str) -> Node:
    return Node(_logged(model_id), NodeKind.MODEL, model_id, {"model_id": model_id})


def _of_dataset(dataset: Dataset) -> Node:
    details = {
        "digest": dataset.digest,
        "source_type": dataset.source_type,
        "source": dataset.source[:_LONGEST_SOURCE],
        "context": dataset.context,
    }
    return Node(f"dataset:{dataset.name}#{dataset.digest}", NodeKind.DATASET, dataset.name, details)
