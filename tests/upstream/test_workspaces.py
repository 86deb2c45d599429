"""MLflow's messages about workspaces, as of 3.10 and later."""

import pytest
from aiohttp import web

from service.errors import UpstreamRefused
from service.tracking.questions import GetExperiment, GetRun
from service.upstream.client import MlflowClient
from service.upstream.failures import Missing
from service.upstream.transport import Limits, MlflowTransport
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
async def test_an_unknown_workspace_is_a_refusal(
    fake: FakeMlflow, status: int, text: str, words: str
) -> None:
    """An unknown workspace is a refusal, requested once, and never a missing experiment or run."""
    fake.before = answering(status, text, content_type="application/json")
    async with MlflowTransport(fake.url, Limits()) as transport:
        client = MlflowClient(transport)
        for call in (
            client.answer(GetExperiment("alpha")),
            client.answer(GetRun("0" * 32)),
            client.create_experiment("alpha"),
        ):
            with pytest.raises(UpstreamRefused) as caught:
                await call
            assert not isinstance(caught.value, Missing)
            assert words in str(caught.value.cause)
    assert 3 == len(fake.calls)


async def test_an_experiment_may_be_named_like_the_message(fake: FakeMlflow) -> None:
    """A missing experiment is missing, even where its name reads like the message about a workspace."""

    async def not_found(_: web.Request) -> web.Response:
        message = "Could not find experiment with name 'Workspace 'quant' not found'"
        return web.json_response({"error_code": "RESOURCE_DOES_NOT_EXIST", "message": message}, status=404)

    fake.before = not_found
    async with MlflowTransport(fake.url, Limits()) as transport:
        assert (
            None is (await MlflowClient(transport).answer(GetExperiment("Workspace 'quant' not found"))).value
        )
