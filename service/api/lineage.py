"""Lineage: which session made an artefact, and what it was made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web
from msgspec.structs import asdict

from service.api import lineage_examples as examples
from service.api import lineage_schemas as schemas
from service.api.answering import BASE, UPSTREAM_ERRORS, Answering
from service.api.parsing import memoized
from service.api.schemas import RunDetail, projection
from service.api.search_parsing import lineage_of_query
from service.errors import InvalidRequest, LineageNotFound
from service.http.route import Content, Operation, Route, Tag
from service.tracking.lineage.report import Lineage, lineage_of
from service.tracking.lineage.resolved import Maker
from service.tracking.lineage.resolving import resolve
from service.tracking.lineage.session import Member, Session
from service.tracking.lineage.surroundings import surroundings_of

TAG: Final = Tag("lineage", "Where something comes from: the runs, the data and the code behind it.")

_detail = projection(RunDetail)
_node = projection(schemas.LineageNode)
_edge = projection(schemas.LineageEdge)
_completeness = projection(schemas.LineageCompleteness)
_contradiction = projection(schemas.Contradiction)
_variant = projection(schemas.ContradictionVariant)
_version = projection(schemas.RegisteredVersion)
_model = projection(schemas.LineageModel)
_attempt = projection(schemas.LineageAttempt)
_warning = projection(schemas.LineageRemark)


class LineageRoutes:
    """The handler of lineage, and the route that leads to it."""

    def __init__(self, answering: Answering) -> None:
        self._asked = answering.asked
        self._respond = answering.respond
        self._holds = answering.holds
        self._parse_query = memoized(lineage_of_query)

    def routes(self) -> list[Route]:
        """The route."""
        return [
            Route(
                method="GET",
                path=f"{BASE}/lineage",
                handler=self.get_lineage,
                operation=Operation(
                    id="getLineage",
                    tag=TAG,
                    summary="The runs that made something, their session, and what all of it was made of",
                    query=schemas.LineageParameters,
                    answers={200: Content(schemas.Lineage, examples.LINEAGE)},
                    errors=(InvalidRequest, LineageNotFound, *UPSTREAM_ERRORS),
                    cached=True,
                ),
            )
        ]

    async def get_lineage(self, request: web.BaseRequest, _path: Mapping[str, str]) -> web.StreamResponse:
        """The lineage of what the query names."""
        query = self._parse_query(request.rel_url.raw_query_string)
        asked = self._asked(request)
        resolved = await resolve(asked, query.ref, query.experiment_ids)
        around = await surroundings_of(asked, resolved, query.experiment_ids)
        key, of = ("lineage", query), around.value.of
        if self._holds(key, of):
            return await self._respond(request, around, key, of, dict)
        body = await asked.workers.run(lambda: _body(lineage_of(resolved.value, around.value)))
        return await self._respond(request, around, key, of, lambda: body)


def _body(lineage: Lineage) -> Mapping[str, Any]:
    resolved, version, model = lineage.resolved, lineage.resolved.model_version, lineage.resolved.logged_model
    return {
        "ref": resolved.ref,
        "kind": resolved.kind,
        "runs": list(map(_maker, resolved.makers)),
        "session": _session(lineage.session),
        "nodes": list(map(_node, lineage.graph.nodes)),
        "edges": list(map(_edge, lineage.graph.edges)),
        "completeness": list(map(_completeness, lineage.completeness)),
        "contradictions": [
            {**asdict(_contradiction(one)), "variants": list(map(_variant, one.variants))}
            for one in lineage.contradictions
        ],
        "model_version": None if version is None else _version(version),
        "logged_model": None if model is None else _model(model),
        "tried": list(map(_attempt, resolved.tried)),
        "warnings": list(map(_warning, lineage.warnings)),
    }


def _maker(maker: Maker) -> Mapping[str, Any]:
    run = maker.run
    return {
        **asdict(_detail(run)),
        "experiment_id": run.experiment_id,
        "deleted": run.is_deleted,
        "evidence": maker.evidence,
        "by": maker.by,
    }


def _session(session: Session) -> Mapping[str, Any]:
    return {
        "run_id": session.of.run_id,
        "traits": {trait: one.value for trait, one in session.traits.items()},
        "runs": len(session.runs),
        "run_types": [
            {"run_type": run_type, "runs": list(map(_member, members))}
            for run_type, members in session.by_type
        ],
    }


def _member(member: Member) -> Mapping[str, Any]:
    run = member.run
    return {
        "run_id": run.run_id,
        "run_name": run.run_name,
        "status": run.status,
        "start_time": run.start_time,
        "end_time": run.end_time,
        "experiment_id": run.experiment_id,
        "shares": member.shares,
        "relation": member.relation,
    }
