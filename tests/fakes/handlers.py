"""MLflow's endpoints as plain functions: a store and a request in, a reply out."""

import itertools
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.fakes import fields, matching, wire
from tests.fakes.store import RUN_NAME_TAG, Experiment, Metric, Run, Store
from tests.fakes.wire import Dialect, MlflowError

MAX_RESULTS = 50_000
STAGES = {
    "ACTIVE_ONLY": frozenset({"active"}),
    "DELETED_ONLY": frozenset({"deleted"}),
    "ALL": frozenset({"active", "deleted"}),
}
EXPERIMENT_ORDER = {"name", "experiment_id", "creation_time", "last_update_time"}
VALID_KEY = re.compile(r"^[/\w.\- :]*$")
# What a log-batch request may hold: the most entries of a kind, and what each must have.
BATCH = {
    "metrics": (1000, ("key", "value", "timestamp")),
    "params": (100, ("key",)),
    "tags": (100, ("key",)),
}

Request = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One route below /api/2.0/mlflow/: its methods, its fields, and the function that answers in JSON."""

    methods: tuple[str, ...]
    fields: Mapping[str, fields.Field]
    answer: Callable[[Store, Request, Dialect], str]


def integer_id(experiment_id: str) -> str:
    """An experiment id as the store has it: an integer in a string."""
    try:
        return str(int(experiment_id))
    except ValueError:
        message = f"Invalid experiment ID '{experiment_id}'. Experiment ID must be a valid integer."
        raise MlflowError(message) from None


def experiment_of(store: Store, experiment_id: str, stage: str = "ALL") -> Experiment:
    """An experiment by id, if it stands in that stage."""
    experiment = store.experiments.get(integer_id(experiment_id))
    if experiment is None or experiment.lifecycle_stage not in STAGES[stage]:
        raise MlflowError(f"No Experiment with id={experiment_id} exists", "RESOURCE_DOES_NOT_EXIST")
    return experiment


def run_of(store: Store, request: Request, *, active: bool = True) -> Run:
    run = store.runs.get(request["run_id"])
    if run is None:
        raise MlflowError(f"Run with id={request['run_id']} not found", "RESOURCE_DOES_NOT_EXIST")
    if active and run.lifecycle_stage != "active":
        state = run.lifecycle_stage
        raise MlflowError(f"The run {run.run_id} must be in the 'active' state. Current state is {state}.")
    return run


def check_key(path: str, key: str) -> str:
    if VALID_KEY.match(key) is None:
        rule = (
            "Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), "
            "colon(:) and slashes (/)."
        )
        raise MlflowError(f"Invalid value \"{key}\" for parameter '{path}' supplied: {rule}")
    return key


def check_limit(max_results: int) -> None:
    problem = (
        "a positive integer"
        if max_results < 1
        else f"at most {MAX_RESULTS}"
        if max_results > MAX_RESULTS
        else ""
    )
    if problem:
        raise MlflowError(
            f"Invalid value {max_results} for parameter 'max_results' supplied. It must be {problem}"
        )


def tags_of(request: Request) -> dict[str, str]:
    return {tag.get("key", ""): tag.get("value", "") for tag in request["tags"]}


def create_experiment(store: Store, request: Request, dialect: Dialect) -> str:
    if store.experiment_named(request["name"]) is not None:
        message = f"Experiment(name={request['name']}) already exists."
        raise MlflowError(message, "RESOURCE_ALREADY_EXISTS")
    created = store.create_experiment(request["name"], tags_of(request))
    return dialect.text({"experiment_id": created.experiment_id})


def get_experiment(store: Store, request: Request, dialect: Dialect) -> str:
    experiment = experiment_of(store, request["experiment_id"])
    return dialect.text({"experiment": wire.experiment_body(experiment, dialect)})


def get_experiment_by_name(store: Store, request: Request, dialect: Dialect) -> str:
    name = request["experiment_name"]
    if (experiment := store.experiment_named(name)) is None:
        raise MlflowError(f"Could not find experiment with name '{name}'", "RESOURCE_DOES_NOT_EXIST")
    return dialect.text({"experiment": wire.experiment_body(experiment, dialect)})


def search_experiments(store: Store, request: Request, dialect: Dialect) -> str:
    check_limit(request["max_results"])
    if request["filter"]:
        raise MlflowError("This fake knows no filter of experiments.", "INTERNAL_ERROR")
    stages = STAGES[request["view_type"] or "ACTIVE_ONLY"]
    found = sorted(store.experiments.values(), key=lambda one: int(one.experiment_id), reverse=True)
    for text in reversed(request["order_by"] or ["creation_time DESC", "experiment_id ASC"]):
        key, _, direction = text.partition(" ")
        if key not in EXPERIMENT_ORDER:
            raise MlflowError(f"Invalid attribute key '{key}' specified. Valid keys are '{EXPERIMENT_ORDER}'")
        found.sort(key=lambda one: experiment_rank(one, key), reverse=direction.upper() == "DESC")
    offset, limit = wire.page_offset(request["page_token"]), request["max_results"]
    matching = [one for one in found if one.lifecycle_stage in stages][offset:]
    reply: dict[str, Any] = {"experiments": [wire.experiment_body(one, dialect) for one in matching[:limit]]}
    if len(matching) > limit:
        reply["next_page_token"] = wire.page_token(offset + limit)
    return dialect.text(wire.without_empty(reply))


def experiment_rank(experiment: Experiment, key: str) -> int | str:
    value: int | str = getattr(experiment, key)
    return int(value) if key == "experiment_id" else value


def delete_experiment(store: Store, request: Request, dialect: Dialect) -> str:
    store.move_experiment(experiment_of(store, request["experiment_id"], "ACTIVE_ONLY"), "deleted")
    return "{}"


def restore_experiment(store: Store, request: Request, dialect: Dialect) -> str:
    store.move_experiment(experiment_of(store, request["experiment_id"], "DELETED_ONLY"), "active")
    return "{}"


def create_run(store: Store, request: Request, dialect: Dialect) -> str:
    if not request["experiment_id"]:
        # The real one fails on its foreign key, which is an integrity error and so a 400.
        raise MlflowError("(sqlite3.IntegrityError) FOREIGN KEY constraint failed", "BAD_REQUEST")
    experiment = experiment_of(store, request["experiment_id"])
    if experiment.lifecycle_stage != "active":
        number, stage = experiment.experiment_id, experiment.lifecycle_stage
        raise MlflowError(f"The experiment {number} must be in the 'active' state. Current state is {stage}.")
    tags, name = tags_of(request), request["run_name"]
    if name and tags.get(RUN_NAME_TAG, name) != name:
        raise MlflowError(
            f"Both 'run_name' argument and '{RUN_NAME_TAG}' tag are specified, but with different values "
            f"(run_name='{name}', {RUN_NAME_TAG}='{tags[RUN_NAME_TAG]}')."
        )
    run = store.create_run(
        experiment.experiment_id,
        start_time=request["start_time"],
        name=name,
        user_id=request["user_id"],
        tags=tags,
    )
    return dialect.text({"run": wire.run_body(run, dialect)})


def get_run(store: Store, request: Request, dialect: Dialect) -> str:
    run = run_of(store, request, active=False)
    text = wire.run_text(run, dialect, "  ")
    return f'{{\n  "run": {text}\n}}' if dialect.pretty else f'{{"run":{text}}}'


def search_runs(store: Store, request: Request, dialect: Dialect) -> str:
    limit = request["max_results"]
    if limit > MAX_RESULTS:
        raise fields.invalid_value("max_results", limit)
    check_limit(limit)
    matches = matching.matcher(request["filter"])
    offset = wire.page_offset(request["page_token"])
    experiment_ids = [integer_id(one) for one in request["experiment_ids"]]
    found = store.search(experiment_ids, STAGES[request["run_view_type"] or "ACTIVE_ONLY"], matches)
    if request["order_by"]:
        found = iter(matching.in_order(found, request["order_by"]))
    page = list(itertools.islice(found, offset, offset + limit + 1))
    token = wire.page_token(offset + limit) if len(page) > limit else None
    return wire.runs_page(page[:limit], token, dialect)


def get_history(store: Store, request: Request, dialect: Dialect) -> str:
    limit, offset = request["max_results"], wire.page_offset(request["page_token"])
    if limit is not None and limit < 1:
        raise MlflowError(
            f"Invalid value {limit} for parameter 'max_results' supplied. It must be a positive integer."
        )
    run, key = store.runs.get(request["run_id"]), request["metric_key"]
    points = sorted(run.histories.get(key, ()) if run else (), key=lambda metric: metric.place)[offset:]
    reply: dict[str, Any] = {"metrics": [wire.metric_body(key, metric, dialect) for metric in points[:limit]]}
    if limit is not None and len(points) > limit:
        reply["next_page_token"] = wire.page_token(offset + limit)
    return dialect.text(wire.without_empty(reply))


def update_run(store: Store, request: Request, dialect: Dialect) -> str:
    run = run_of(store, request)
    run.update(status=request["status"], end_time=request["end_time"], name=request["run_name"])
    return dialect.text({"run_info": wire.run_info(run, dialect)})


def delete_run(store: Store, request: Request, dialect: Dialect) -> str:
    run_of(store, request, active=False).move_to("deleted")
    return "{}"


def restore_run(store: Store, request: Request, dialect: Dialect) -> str:
    run_of(store, request, active=False).move_to("active")
    return "{}"


def check_entries(kind: str, entries: Iterable[Request], required: tuple[str, ...]) -> None:
    for index, entry in enumerate(entries):
        for name in required:
            if entry.get(name) in (None, ""):
                path = f"{kind}[{index}].{name}"
                raise MlflowError(f"Missing value for required parameter '{path}'.{fields.HINT}")
        check_key(f"{kind}[{index}].{'name' if kind == 'metrics' else 'key'}", entry["key"])


def log_batch(store: Store, request: Request, dialect: Dialect) -> str:
    for kind, (most, required) in BATCH.items():
        check_entries(kind, request[kind], required)
        if len(request[kind]) > most:
            raise MlflowError(f"A batch logging request can contain at most {most} {kind}.")
    params = {param["key"]: param.get("value", "") for param in request["params"]}
    if len(params) < len(request["params"]):
        raise MlflowError("Duplicate parameter keys have been submitted.")
    run = run_of(store, request)
    if changed := [key for key, value in params.items() if run.params.get(key, value) != value]:
        raise MlflowError(f"Changing param values is not allowed. Params were already logged='{changed}'")
    for key, value in params.items():
        run.log_param(key, value)
    for metric in request["metrics"]:
        value = Metric(float(metric["value"]), int(metric["timestamp"]), int(metric.get("step", 0)))
        run.log_metric(metric["key"], value)
    for key, value in tags_of(request).items():
        run.set_tag(key, value)
    return "{}"


def log_metric(store: Store, request: Request, dialect: Dialect) -> str:
    metric = Metric(request["value"], request["timestamp"], request["step"])
    key = check_key("name", request["key"])
    run_of(store, request).log_metric(key, metric)
    return "{}"


def log_param(store: Store, request: Request, dialect: Dialect) -> str:
    key, value = check_key("key", request["key"]), request["value"]
    run = run_of(store, request)
    if (old := run.params.get(key, value)) != value:
        raise MlflowError(
            f"Changing param values is not allowed. Param with key='{key}' was already logged with "
            f"value='{old}' for run ID='{run.run_id}'. Attempted logging new value '{value}'."
        )
    run.log_param(key, value)
    return "{}"


def set_tag(store: Store, request: Request, dialect: Dialect) -> str:
    key = check_key("key", request["key"])
    run_of(store, request).set_tag(key, request["value"])
    return "{}"
