"""Every resource of the service: the one list that all routes come from."""

from __future__ import annotations

from service.api.analysis import AnalysisRoutes
from service.api.answering import Answering
from service.api.comparisons import ComparisonRoutes
from service.api.documentation import DocumentationRoutes
from service.api.drivers import DriversRoutes
from service.api.events import EventRoutes
from service.api.experiments import ExperimentRoutes
from service.api.fields import FieldRoutes
from service.api.folds import FoldRoutes
from service.api.groups import GroupRoutes
from service.api.health import HealthRoutes
from service.api.history import HistoryRoutes
from service.api.lineage import LineageRoutes
from service.api.metrics import MetricsRoutes
from service.api.openapi import openapi_json
from service.api.runs import RunRoutes
from service.api.search import SearchRoutes
from service.api.selection import SelectionRoutes
from service.api.strategies import StrategyRoutes
from service.http.route import Route


def all_routes(
    answering: Answering,
    events: EventRoutes,
    health: HealthRoutes,
    metrics: MetricsRoutes | None,
    auth: str,
) -> tuple[Route, ...]:
    """The routes, with the documentation of those that are described.

    metrics: None where there are none. auth: how the service authenticates callers: none, api_key or jwt.
    """
    routes = [
        *RunRoutes(answering).routes(),
        *HistoryRoutes(answering).routes(),
        *FoldRoutes(answering).routes(),
        *SearchRoutes(answering).routes(),
        *GroupRoutes(answering).routes(),
        *FieldRoutes(answering).routes(),
        *events.routes(),
        *ComparisonRoutes(answering).routes(),
        *AnalysisRoutes(answering).routes(),
        *LineageRoutes(answering).routes(),
        *StrategyRoutes(answering).routes(),
        *SelectionRoutes(answering).routes(),
        *DriversRoutes(answering).routes(),
        *ExperimentRoutes(answering).routes(),
        *health.routes(),
        *(metrics.routes() if metrics else ()),
    ]
    return (*routes, *DocumentationRoutes(openapi_json(routes, auth)).routes())
