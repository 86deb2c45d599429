"""What callers get over other servers than a plain MLflow, cold and from memory."""

from typing import Any

import pytest
from aiohttp import web

from service.api import schemas
from tests.api.serving import API, Client, answered, refused, serving
from tests.fakes import others
from tests.fakes.mlflow import FakeMlflow


async def ids(api: Client, **query: str) -> list[str]:
    """The ids of a list."""
    body = await answered(await api.get(f"{API}/runs", params=query), schemas.RunList)
    assert len(body["runs"]) == body["total"]
    return [run["run_id"] for run in body["runs"]]


@pytest.mark.parametrize("server", [others.fasttrackml, others.gitlab])
@pytest.mark.parametrize("is_warm", [False, True])
async def test_names_find_exactly_their_runs(fake: FakeMlflow, server: Any, is_warm: bool) -> None:
    """Asked of the server or answered from a list that is known, a name finds the runs that bear it."""
    for text in ("buy and hold", '"training"', "training", "it's"):
        fake.add_run(run_id="".join(filter(str.isalpha, text)) + str(len(text)), tags={"run_type": text})
    fake.before = server(fake)
    async with serving(fake.url) as api:
        if is_warm:
            assert 4 == len(await ids(api))
        assert ["buyandhold12"] == await ids(api, run_type="buy and hold")
        assert ["training10"] == await ids(api, run_type='"training"')
        assert ["training8"] == await ids(api, run_type="training")
        assert ["its4"] == await ids(api, run_type="it's")
        assert [] == await ids(api, run_type="'training'")
        assert [] == await ids(api, run_type="train\0ing")


async def test_what_an_account_may_not_read(fake: FakeMlflow) -> None:
    """A run is not found, its parts are empty, all such runs stand in one 404; an experiment is named."""
    hidden = fake.add_experiment("hidden")
    fake.add_run(run_id="mine")
    fake.add_run(hidden, run_id="theirs")
    fake.before = others.basic_auth(fake, ["0"])
    async with serving(fake.url) as api:
        body = await refused(await api.get(f"{API}/runs/theirs"), 404, "run_not_found")
        assert "The run 'theirs' does not exist, or may not be read." == body["detail"]
        metrics = await answered(await api.get(f"{API}/runs/theirs/metrics"), schemas.RunMetrics)
        assert {"run_id": "theirs", "metrics": {}} == metrics
        params = await answered(await api.get(f"{API}/runs/theirs/params"), schemas.RunParams)
        assert {"run_id": "theirs", "params": {}} == params
        asked = {"run_ids": ["theirs", "mine", "nobody"]}
        body = await refused(await api.post(f"{API}/runs/compare", json=asked), 404, "run_not_found")
        assert ["theirs", "nobody"] == body["missing_run_ids"]
        assert ["mine"] == await ids(api)
    async with serving(fake.url, mlflow_experiment_name="hidden") as api:
        body = await refused(await api.get(f"{API}/runs"), 502, "upstream_forbidden")
        assert "'hidden'" in body["detail"]


async def test_one_run_that_cannot_be_read(fake: FakeMlflow) -> None:
    """It is missing in the list, by its own address it is a failure, and nothing else is one."""
    good = {"info": {"run_id": "good", "status": "FINISHED"}, "data": {"params": [{"key": "n", "value": 63}]}}
    bad = {"info": {"run_id": "bad", "status": "FINISHED"}, "data": {"metrics": [{"key": "m", "value": "?"}]}}

    async def reply(request: web.Request) -> web.Response | None:
        if request.path.endswith("runs/search"):
            return web.json_response({"runs": [bad, good], "next_page_token": None})
        if request.path.endswith("runs/get"):
            return web.json_response({"run": {"good": good, "bad": bad}[request.query["run_id"]]})
        return None

    fake.before = reply
    async with serving(fake.url) as api:
        assert ["good"] == await ids(api)
        await refused(await api.get(f"{API}/runs/bad"), 502, "upstream_error")
        detail = await answered(await api.get(f"{API}/runs/good"), schemas.RunDetail)
        assert ({"n": "63"}, "") == (detail["params"], detail["artifact_uri"])


async def test_text_that_no_utf8_can_carry(fake: FakeMlflow) -> None:
    """Half a surrogate pair is answered as U+FFFD, which stands for what cannot be shown."""
    tags = '[{"key": "k", "value": "\\ud800x"}]'
    run = f'{{"run": {{"info": {{"run_id": "abc123", "status": "FINISHED"}}, "data": {{"tags": {tags}}}}}}}'

    async def reply(request: web.Request) -> web.Response:
        return web.Response(text=run, content_type="application/json")

    fake.before = reply
    async with serving(fake.url) as api:
        detail = await answered(await api.get(f"{API}/runs/abc123"), schemas.RunDetail)
        assert {"k": "\ufffdx"} == detail["tags"]
