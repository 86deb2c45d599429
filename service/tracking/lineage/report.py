"""All that is known of where something comes from, made of what was found. Pure."""

from __future__ import annotations

import msgspec

from service.tracking.lineage.completeness import Completeness, completeness_of
from service.tracking.lineage.contradictions import MOST as MOST_CONTRADICTIONS
from service.tracking.lineage.contradictions import Contradiction, contradictions_in
from service.tracking.lineage.graph import Graph, graph_of
from service.tracking.lineage.resolved import Resolved
from service.tracking.lineage.session import Session, session_of
from service.tracking.lineage.surroundings import LineageWarning, Surroundings

GRAPH_CUT = "graph_cut"
CONTRADICTIONS_CUT = "contradictions_cut"


class Lineage(msgspec.Struct, frozen=True, gc=False):
    """Where something comes from. completeness: of each run that made it. warnings: on what was left out."""

    resolved: Resolved
    session: Session
    graph: Graph
    completeness: tuple[Completeness, ...]
    contradictions: tuple[Contradiction, ...]
    warnings: tuple[LineageWarning, ...]


def lineage_of(resolved: Resolved, around: Surroundings) -> Lineage:
    """The lineage of what a reference names."""
    session = session_of(around.run, around.runs)
    shown = (around.run, *resolved.runs, *session.runs)
    graph = graph_of(shown, around.versions, around.models)
    contradictions = contradictions_in([*around.of_dataset, *shown])
    warnings = [*around.warnings]
    if graph.left_out:
        text = f"The graph has {len(graph.nodes)} nodes and {len(graph.edges)} edges; more are left out."
        warnings.append(LineageWarning(GRAPH_CUT, text))
    if len(contradictions) > MOST_CONTRADICTIONS:
        text = f"The first {MOST_CONTRADICTIONS} of {len(contradictions)} contradictions are shown."
        warnings.append(LineageWarning(CONTRADICTIONS_CUT, text))
    return Lineage(
        resolved,
        session,
        graph,
        tuple(map(completeness_of, resolved.runs)),
        contradictions[:MOST_CONTRADICTIONS],
        tuple(warnings),
    )
