"""The experiments that runs belong to."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from service.api import examples, schemas
from service.api.answering import BASE, UPSTREAM_ERRORS, Answering
from service.http.route import Content, Operation, Route, Tag

_TAG = Tag("experiments", "The experiments that runs belong to.")

_experiment = schemas.projection(schemas.Experiment)


class ExperimentRoutes:
    """The handler of experiments, and the route that leads to it."""

    def __init__(self, answering: Answering) -> None:
        self._queries = answering.queries
        self._respond = answering.respond

    def routes(self) -> list[Route]:
        """The route."""
        return [
            Route(
                method="GET",
                path=f"{BASE}/experiments",
                handler=self.list_experiments,
                operation=Operation(
                    id="listExperiments",
                    tag=_TAG,
                    summary="Every active experiment, oldest first",
                    answers={200: Content(schemas.ExperimentList, examples.EXPERIMENTS)},
                    errors=UPSTREAM_ERRORS,
                    cached=True,
                ),
            )
        ]

    async def list_experiments(
        self, request: web.BaseRequest, _path: Mapping[str, str]
    ) -> web.StreamResponse:
        """Every active experiment."""
        answer = await self._queries(request).experiments()
        experiments = answer.value
        return await self._respond(
            request,
            answer,
            ("experiments",),
            (experiments,),
            lambda: {"experiments": [_experiment(experiment) for experiment in experiments]},
        )
