"""The fake against a real MLflow, what HTTP adds to the API: both answer the same."""

import re

import pytest

from tests.live.logbook import API, Logbook, problem

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_malformed_json_is_an_empty_request(mlflow: Logbook) -> None:
    """A body that is not JSON counts as {}: fine for a search, incomplete for most other calls."""
    headers = {"Content-Type": "application/json"}
    for body in ("{not json", "[]", ""):
        reply = await mlflow.ask("POST", f"{API}runs/search", data=body, headers=headers)
        assert (reply.status, reply.text) == (200, "{}")
    reply = await mlflow.ask("POST", f"{API}runs/set-tag", data="{not json", headers=headers)
    assert problem(reply)[:2] == (400, "INVALID_PARAMETER_VALUE")


@pytest.mark.parametrize(
    ("endpoint", "body"), [("runs/search", "5"), ("runs/search", '"x"'), ("runs/log-batch", "{")]
)
async def test_a_body_that_is_no_object_can_crash_it(mlflow: Logbook, endpoint: str, body: str) -> None:
    """JSON that is a number or a string is an HTML 500, and so is malformed JSON for runs/log-batch."""
    reply = await mlflow.ask("POST", API + endpoint, data=body, headers={"Content-Type": "application/json"})
    assert (reply.status, reply.content_type) == (500, "text/html")
    assert "<h1>Internal Server Error</h1>" in reply.text


async def test_the_content_type_has_to_be_json(mlflow: Logbook) -> None:
    """A POST of another content type, or of none, is 400; a charset does no harm."""
    path, message = f"{API}runs/search", "Bad Request. Content-Type must be one of ['application/json']."
    expected = (400, "INVALID_PARAMETER_VALUE", message)
    assert expected == problem(
        await mlflow.ask("POST", path, data="{}", headers={"Content-Type": "text/plain"})
    )
    bare = await mlflow.ask("POST", path, skip_auto_headers=["Content-Type"])
    message = "Bad Request. Content-Type header is missing."
    assert (400, "INVALID_PARAMETER_VALUE", message) == problem(bare)
    charset = {"Content-Type": "application/json; charset=utf-8"}
    assert (await mlflow.ask("POST", path, data="{}", headers=charset)).status == 200


@pytest.mark.parametrize("path", ["nowhere", f"{API}runs/nowhere", f"{API}runs/get/", "api/2.0/"])
async def test_an_unknown_route_is_html(mlflow: Logbook, path: str) -> None:
    """An unknown route, a trailing slash included, is a 404 in HTML."""
    for method in ("GET", "POST"):
        reply = await mlflow.ask(method, path)
        assert (reply.status, reply.content_type) == (404, "text/html")
        assert reply.text.startswith("<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>")


async def test_a_wrong_method_is_html(mlflow: Logbook) -> None:
    """A wrong method is a 405 in HTML that names the right ones."""
    for method, endpoint, allowed in (
        ("GET", "runs/search", {"POST", "OPTIONS"}),
        ("POST", "runs/get", {"GET", "HEAD", "OPTIONS"}),
        ("PUT", "experiments/search", {"GET", "HEAD", "POST", "OPTIONS"}),
    ):
        reply = await mlflow.ask(method, API + endpoint)
        assert (reply.status, reply.content_type) == (405, "text/html")
        assert allowed == set(re.split(", *", reply.headers["Allow"]))


async def test_head_reads_no_query(mlflow: Logbook, experiment: str) -> None:
    """HEAD on runs/get is 400, because only a GET has its query read."""
    run_id = await mlflow.create_run(experiment, "n")
    assert (await mlflow.ask("HEAD", f"{API}runs/get", params={"run_id": run_id})).status == 400


async def test_health_and_version(mlflow: Logbook) -> None:
    """/health says OK, and /version a version, in plain words."""
    assert (await mlflow.ask("GET", "health")).text == "OK"
    assert re.fullmatch(r"\d+\.\d+\.\d+", (await mlflow.ask("GET", "version")).text)


async def test_replies_are_not_for_caching(mlflow: Logbook) -> None:
    """A reply of the API has neither ETag nor Cache-Control nor an encoding."""
    reply = await mlflow.post("runs/search")
    assert not {"ETag", "Cache-Control", "Content-Encoding"} & set(reply.headers)


async def test_the_first_of_repeated_parameters_counts(mlflow: Logbook, experiment: str) -> None:
    """Of two run_id in a query the first is read; run_uuid is its old name."""
    run_id = await mlflow.create_run(experiment, "n")
    found = [
        (await mlflow.ask("GET", f"{API}runs/get?run_id={a}&run_id={b}")).status
        for a, b in ((run_id, "x"), ("x", run_id))
    ]
    assert found == [200, 404]
    assert (await mlflow.get("runs/get", run_uuid=run_id)).status == 200
