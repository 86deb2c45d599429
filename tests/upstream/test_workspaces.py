"""What MLflow says of workspaces: as it says it from 3.10 on."""

import pytest
from aiohttp import web

from service.errors import UpstreamRefused
from service.tracking.questions import GetExperiment, GetRun
from service.upstream.client import MlflowClient
from service.upstream.door import Door, Limits
from service.upstream.verdict import Missing
from tests.fakes.faults import answering
from tests.fakes.mlflow import FakeMlflow

DISABLED = (
    '{"error_code":"FEATURE_DISABLED","message":"Workspace APIs are not available: workspaces are not '
    'enabled on this server","sqlstate":"KAM00","error_class":"FEATURE_DISABLED"}'
)
NOT_FOUND = '{"error_code":"RESOURCE_DOES_NOT_EXIST","message":"Workspace \'quant\' not found"}'


@pytest.mark.parametrize(
    ("status", "text", "words"),
    [(500, DISABLED, "unset MLFLOW_WORKSPACE"), (404, NOT_FOUND, "MLFLOW_WORKSPACE is not there")],
)
async def test_there_is_no_such_workspace(fake: FakeMlflow, status: int, text: str, words: str) -> None:
    """It is a refusal, asked for once, and never an experiment or a run that does not exist."""
    fake.before = answering(status, text, content_type="application/json")
    async with Door(fake.url, Limits()) as door:
        client = MlflowClient(door)
        for asked in (
            client.answer(GetExperiment("alpha")),
            client.answer(GetRun("0" * 32)),
            client.create_experiment("alpha"),
        ):
            with pytest.raises(UpstreamRefused) as caught:
                await asked
            assert not isinstance(caught.value, Missing)
            assert words in str(caught.value.cause)
    assert 3 == len(fake.calls)


async def test_an_experiment_of_such_a_name(fake: FakeMlflow) -> None:
    """What is not found may be named so, and does not exist."""

    async def not_found(_: web.Request) -> web.Response:
        message = "Could not find experiment with name 'Workspace 'quant' not found'"
        return web.json_response({"error_code": "RESOURCE_DOES_NOT_EXIST", "message": message}, status=404)

    fake.before = not_found
    async with Door(fake.url, Limits()) as door:
        assert None is (await MlflowClient(door).answer(GetExperiment("Workspace 'quant' not found"))).value
