"""The routes that the fake serves below /api/2.0/mlflow/, under MLflow's own names."""

from tests.fakes import fields, handlers
from tests.fakes.handlers import Endpoint

RUN = {"run_id": fields.REQUIRED_TEXT}
EXPERIMENT = {"experiment_id": fields.REQUIRED_TEXT}
ENDPOINTS = {
    "experiments/create": Endpoint(
        ("POST",), {"name": fields.REQUIRED_TEXT, "tags": fields.OBJECTS}, handlers.create_experiment
    ),
    "experiments/get": Endpoint(("GET",), EXPERIMENT, handlers.get_experiment),
    "experiments/get-by-name": Endpoint(
        ("GET",), {"experiment_name": fields.REQUIRED_TEXT}, handlers.get_experiment_by_name
    ),
    "experiments/search": Endpoint(
        ("GET", "POST"),
        {
            "view_type": fields.VIEW_TYPE,
            "max_results": fields.INTEGER,
            "order_by": fields.TEXTS,
            "filter": fields.TEXT,
            "page_token": fields.TEXT,
        },
        handlers.search_experiments,
    ),
    "experiments/delete": Endpoint(("POST",), EXPERIMENT, handlers.delete_experiment),
    "experiments/restore": Endpoint(("POST",), EXPERIMENT, handlers.restore_experiment),
    "runs/create": Endpoint(
        ("POST",),
        {
            "experiment_id": fields.TEXT,
            "user_id": fields.UNCHECKED_TEXT,
            "run_name": fields.TEXT,
            "start_time": fields.INTEGER,
            "tags": fields.UNCHECKED_OBJECTS,
        },
        handlers.create_run,
    ),
    "runs/get": Endpoint(("GET",), RUN, handlers.get_run),
    "metrics/get-history": Endpoint(
        ("GET",),
        {
            **RUN,
            "metric_key": fields.REQUIRED_TEXT,
            "max_results": fields.PAGE_SIZE,
            "page_token": fields.TEXT,
        },
        handlers.get_history,
    ),
    "runs/search": Endpoint(
        ("POST",),
        {
            "experiment_ids": fields.TEXTS,
            "filter": fields.TEXT,
            "run_view_type": fields.VIEW_TYPE,
            "max_results": fields.MAX_RESULTS,
            "order_by": fields.TEXTS,
            "page_token": fields.UNCHECKED_TEXT,
        },
        handlers.search_runs,
    ),
    "runs/update": Endpoint(
        ("POST",),
        {**RUN, "status": fields.STATUS, "end_time": fields.END_TIME, "run_name": fields.TEXT},
        handlers.update_run,
    ),
    "runs/delete": Endpoint(("POST",), RUN, handlers.delete_run),
    "runs/restore": Endpoint(("POST",), RUN, handlers.restore_run),
    "runs/log-batch": Endpoint(
        ("POST",),
        {**RUN, "metrics": fields.OBJECTS, "params": fields.OBJECTS, "tags": fields.OBJECTS},
        handlers.log_batch,
    ),
    "runs/log-metric": Endpoint(
        ("POST",),
        {
            **RUN,
            "key": fields.REQUIRED_TEXT,
            "value": fields.REQUIRED_NUMBER,
            "timestamp": fields.REQUIRED_INTEGER,
            "step": fields.INTEGER,
        },
        handlers.log_metric,
    ),
    "runs/log-parameter": Endpoint(
        ("POST",), {**RUN, "key": fields.REQUIRED_TEXT, "value": fields.TEXT}, handlers.log_param
    ),
    "runs/set-tag": Endpoint(
        ("POST",), {**RUN, "key": fields.REQUIRED_TEXT, "value": fields.TEXT}, handlers.set_tag
    ),
}
