"""The questions about the registry, each with the call that it becomes, and answers to them."""

from typing import Any

from yarl import URL

from service.tracking.lineage.questions import (
    GetLoggedModel,
    GetModelByAlias,
    GetModelVersion,
    SearchModelVersions,
    SearchRunsOfDataset,
)
from service.tracking.questions import Question

CALLS = "http://mlflow.test/api/2.0/mlflow"
LOOK = f"{CALLS}/experiments/search"
SEARCH = f"{CALLS}/runs/search"
RUN = "0123456789abcdef" * 2
MODEL = f"m-{RUN}"
VERSION = {
    "name": "a b/é",
    "version": "3",
    "creation_timestamp": 5,
    "current_stage": "None",
    "source": f"models:/{MODEL}",
    "run_id": RUN,
    "status": "READY",
    "aliases": ["champion"],
    "tags": [{"key": "k", "value": "v"}, {"key": "empty"}],
}
EVERY: dict[str, tuple[Question[Any], str, URL]] = {
    "a version": (
        GetModelVersion("a b/é", "3"),
        "GET",
        URL(f"{CALLS}/model-versions/get").with_query(name="a b/é", version="3"),
    ),
    "an alias": (
        GetModelByAlias("a b/é", "champion"),
        "GET",
        URL(f"{CALLS}/registered-models/alias").with_query(name="a b/é", alias="champion"),
    ),
    "a logged model": (
        GetLoggedModel(MODEL),
        "GET",
        URL(f"{CALLS}/logged-models/{MODEL}").with_query(allow_deleted="true"),
    ),
    "the versions of runs": (
        SearchModelVersions((RUN,)),
        "GET",
        URL(f"{CALLS}/model-versions/search").with_query(filter=f"run_id IN ('{RUN}')", max_results="1000"),
    ),
    "the runs of a dataset": (SearchRunsOfDataset(("0",), "d1ge57", 9), "POST", URL(SEARCH)),
}


def asked(mlflow: Any, endpoint: str) -> int:
    """How often an endpoint was asked."""
    return sum(len(calls) for (_, url), calls in mlflow.requests.items() if url.path.endswith(endpoint))
