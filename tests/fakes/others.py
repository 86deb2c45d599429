"""Other servers of MLflow's API, to be set as FakeMlflow.before: where they differ, over the fake's own runs.

FastTrackML as 0.6.0 was seen to answer; GitLab by its source (lib/api/entities/ml/mlflow, lib/api/ml/mlflow);
MLflow's own basic-auth app as 3.17.2 answers an account that is not an administrator's.
"""

import json
import re
from collections.abc import Callable, Collection, Iterable
from typing import Any

from aiohttp import web

from tests.fakes import wire
from tests.fakes.faults import Hook
from tests.fakes.handlers import STAGES
from tests.fakes.matching import like
from tests.fakes.mlflow import FakeMlflow, json_reply
from tests.fakes.store import Run
from tests.fakes.wire import MlflowError

_AND = re.compile(r"\s+and\s+", re.IGNORECASE)
_CLAUSE = re.compile(r"tags\.([\w.]+) (=|LIKE) (.+)", re.DOTALL)
_FORBIDDEN = "Permission denied"


def fasttrackml(fake: FakeMlflow) -> Hook:
    """Filters are split at " and ", inside quotes, too, and values lose all quotes at both ends."""

    async def hook(request: web.Request) -> web.StreamResponse | None:
        if not request.path.endswith("/runs/search"):
            return None
        asked = await request.json()
        tests = []
        for clause in _AND.split(asked.get("filter") or ""):
            read = _CLAUSE.fullmatch(clause)
            if read is not None:
                tests.append(_tag_test(*read.groups()))
            elif clause and not clause.startswith("attributes."):
                error = MlflowError(f"malformed filter {clause!r}")
                return json_reply(error.body, error.status)
        return _page(fake, asked, lambda run: all(test(run) for test in tests), sorted_by_start)

    return hook


def _tag_test(key: str, comparator: str, written: str) -> Callable[[Run], bool]:
    value = written.strip("'\"")
    matches = value.__eq__ if comparator == "=" else like(value)
    return lambda run: key in run.tags and matches(run.tags[key]) is True


def gitlab(fake: FakeMlflow) -> Hook:
    """Filters are ignored, an order_by that is a list is refused, and there is a page token of null."""

    async def hook(request: web.Request) -> web.StreamResponse | None:
        if not request.path.endswith("/search"):
            return None
        asked = await request.json()
        if not isinstance(asked.get("order_by", ""), str):
            return json_reply('{"error":"order_by is invalid"}', 400)
        return _page(fake, asked, lambda _: True, sorted_by_start) if "/runs/" in request.path else None

    return hook


def in_order_of_ids(fake: FakeMlflow) -> Hook:
    """Runs come in the order of their ids, whatever is asked for."""

    async def hook(request: web.Request) -> web.StreamResponse | None:
        if not request.path.endswith("/runs/search"):
            return None
        return _page(fake, await request.json(), lambda _: True, lambda run: run.run_id)

    return hook


def with_ties_reversed(fake: FakeMlflow) -> Hook:
    """Newest start first; those that started together come in the reverse order of their ids."""

    def key(run: Run) -> tuple[int, list[int]]:
        return -(run.start_time or 0), [-ord(character) for character in run.run_id]

    async def hook(request: web.Request) -> web.StreamResponse | None:
        if not request.path.endswith("/runs/search"):
            return None
        return _page(fake, await request.json(), lambda _: True, key)

    return hook


def basic_auth(fake: FakeMlflow, readable: Collection[str]) -> Hook:
    """An account that may read these experiments: all others, and runs that do not exist, are a 403."""

    async def hook(request: web.Request) -> web.StreamResponse | None:
        store, endpoint = fake.store, request.path.partition("/mlflow/")[2]
        if endpoint in ("runs/get", "metrics/get-history"):
            run = store.runs.get(request.query["run_id"])
            is_allowed = run is not None and run.experiment_id in readable
        elif endpoint == "experiments/get-by-name":
            experiment = store.experiment_named(request.query["experiment_name"])
            is_allowed = experiment is None or experiment.experiment_id in readable
        elif endpoint == "runs/search":
            asked = await request.json()
            is_allowed = True
            if not set(asked["experiment_ids"]) & set(readable):
                return json_reply("{}")
        elif endpoint == "experiments/search":
            seen = [store.experiments[one] for one in readable]
            bodies = [wire.experiment_body(one, wire.Dialect()) for one in seen]
            return json_reply(json.dumps({"experiments": bodies, "next_page_token": ""}))
        else:
            is_allowed = False
        return None if is_allowed else web.Response(status=403, text=_FORBIDDEN)

    return hook


def sorted_by_start(run: Run) -> Any:
    """MLflow's own order."""
    return -run.start_time, run.run_id


def _page(
    fake: FakeMlflow, asked: dict[str, Any], matches: Callable[[Run], bool], order: Callable[[Run], Any]
) -> web.Response:
    stages = STAGES[asked.get("run_view_type") or "ACTIVE_ONLY"]
    found: Iterable[Run] = fake.store.search(asked["experiment_ids"], stages, matches)
    offset, most = int(asked.get("page_token") or 0), asked["max_results"]
    runs = sorted(found, key=order)[offset : offset + most + 1]
    bodies = [wire.run_body(run, wire.Dialect()) for run in runs[:most]]
    token = str(offset + most) if len(runs) > most else None
    return json_reply(json.dumps({"runs": bodies, "next_page_token": token}))
