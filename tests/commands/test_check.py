"""`experiment-tracking check`: what it finds, what it advises, and its exit codes."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import metadata
from typing import Any, NamedTuple

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from service.auth.api_keys import new_key
from service.commands.check import check
from tests.api.serving import make_settings
from tests.deploy.stub import held
from tests.fakes.faults import answering, only
from tests.fakes.mlflow import FakeMlflow

SETTINGS = "ok  settings: listens on 127.0.0.1:8080, callers: anybody on this machine"
SECRET = "a-word-that-nobody-may-read"  # noqa: S105 - it opens nothing
MLFLOW = metadata.version("mlflow")
SOON = 5.0  # seconds, on a machine that does much else


class Checked(NamedTuple):
    """The exit code, and what was said, line by line."""

    code: int
    lines: list[str]


async def checked(mlflow_url: str, patience: float = 30.0, **settings: Any) -> Checked:
    """A check of an MLflow."""
    said: list[str] = []
    made = make_settings(mlflow_tracking_uri=mlflow_url, **settings)
    code = await check(made, [], said.append, patience=patience)
    lines = "\n".join(said).splitlines()
    assert not [line for line in lines if SECRET in line]
    return Checked(code, lines)


async def test_traces_that_are_not_sent(fake: FakeMlflow, monkeypatch: pytest.MonkeyPatch) -> None:
    """What OpenTelemetry's variables ask for and do not get is odd, which is no failure."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4317")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    code, lines = await checked(fake.url)
    assert (0, SETTINGS) == (code, lines[1])
    assert lines[0].startswith("??  OTEL_EXPORTER_OTLP_PROTOCOL: only http/protobuf is spoken here")


class TestMlflow:
    async def test_all_is_well(self, fake: FakeMlflow) -> None:
        """Each thing that is good is a line, and the exit code is 0."""
        newest = [fake.add_run() for _ in range(2)][-1]
        expected = [
            SETTINGS,
            f"ok  MLflow: {fake.url.rstrip('/')} answers",
            f"ok  experiment: 'Default' is 0; newest {newest}",
        ]
        assert (0, expected) == await checked(fake.url)

    async def test_there_are_no_runs(self, fake: FakeMlflow) -> None:
        """An experiment without runs is good, too."""
        code, lines = await checked(fake.url)
        assert (0, "ok  experiment: 'Default' is 0; no runs yet") == (code, lines[-1])

    async def test_nobody_listens(self, fake: FakeMlflow) -> None:
        """An MLflow that is not there is 1, with the reason and a command to try."""
        await fake.stop()
        code, [settings, found, hint] = await checked(fake.url)
        address = fake.url.rstrip("/")
        assert (1, SETTINGS) == (code, settings)
        assert found.startswith(f"!!  MLflow: {address} cannot be used: experiments/get-by-name: ")
        assert hint.endswith(f"try: curl -i {address}/health")

    async def test_it_never_answers(self, fake: FakeMlflow) -> None:
        """Patience with an MLflow that hangs ends, whatever the deadline of a request is."""
        fake.before = held(asyncio.Event(), asyncio.Event())
        began = time.monotonic()
        code, [_, found, _] = await checked(fake.url, patience=0.2, deadline=600.0)
        assert time.monotonic() - began < SOON
        assert (1, True) == (code, found.endswith("does not answer in time: nothing within 0.2 s"))

    async def test_it_is_slower_than_requests_may_be(self, fake: FakeMlflow) -> None:
        """An MLflow that is silent for longer than the service bears is too slow, and is asked once."""
        fake.before = held(asyncio.Event(), asyncio.Event())
        code, [_, found, _] = await checked(fake.url, upstream={"read_timeout": 0.2})
        assert 1 == code
        assert "does not answer in time: experiments/get-by-name: " in found
        assert 1 == fake.count("experiments/get-by-name")

    @pytest.mark.parametrize("status", [429, 500, 503])
    async def test_it_fails(self, fake: FakeMlflow, status: int) -> None:
        """An MLflow that fails is asked once, whenever it wants to be asked again; its status is why."""
        fake.before = answering(status, headers={"Retry-After": "5"})
        code, [_, found, _] = await checked(fake.url)
        assert 1 == code
        assert f"cannot be used: experiments/get-by-name: status {status}: " in found
        assert 1 == fake.count("experiments/get-by-name")

    async def test_it_is_something_else(self, fake: FakeMlflow) -> None:
        """A server that is no MLflow is said to be of no use."""
        fake.before = answering(200, "<html>Welcome!</html>", content_type="text/html")
        code, [_, found, _] = await checked(fake.url)
        assert 1 == code
        assert "cannot be used: experiments/get-by-name: " in found


class TestCredentials:
    async def test_they_are_taken(self) -> None:
        """With the right token all is well."""
        async with FakeMlflow(authorization=f"Bearer {SECRET}").serve() as fake:
            code, lines = await checked(fake.url, mlflow_tracking_token=SECRET)
        assert (0, 3) == (code, len(lines))

    async def test_they_are_wrong(self) -> None:
        """A 401 names the variables to set, and no credential."""
        async with FakeMlflow(authorization="Bearer good").serve() as fake:
            code, lines = await checked(
                fake.url, mlflow_tracking_username="who", mlflow_tracking_password=SECRET
            )
        assert 1 == code
        assert "refuses the service: experiments/get-by-name: status 401: " in lines[1]
        assert "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN" in lines[2]

    async def test_they_do_not_suffice(self, fake: FakeMlflow) -> None:
        """A 403 may be the credentials' fault, or that of the name that MLflow is called by."""
        fake.before = answering(403)
        code, lines = await checked(fake.url)
        assert 1 == code
        assert "refuses the service: experiments/get-by-name: status 403: " in lines[1]
        assert "MLFLOW_TRACKING_TOKEN" in lines[2]
        assert "MLFLOW_SERVER_ALLOWED_HOSTS" in lines[3]


class TestExperiment:
    async def test_it_will_be_created(self, fake: FakeMlflow) -> None:
        """An experiment that the service creates at its start need not be there, and is not created now."""
        code, lines = await checked(fake.url, mlflow_experiment_name="alpha", create_experiment=True)
        assert 0 == code
        assert "ok  experiment: 'alpha' is not there, and is created when the service starts" == lines[-1]
        assert 0 == fake.count("experiments/create")

    async def test_it_is_missing(self, fake: FakeMlflow) -> None:
        """One that nobody creates is 1, and those that are there are named."""
        fake.add_experiment("beta")
        code, lines = await checked(fake.url, mlflow_experiment_name="alpha")
        assert 1 == code
        assert [
            "!!  experiment: 'alpha' is not there",
            "    set MLFLOW_EXPERIMENT_NAME to one of: Default, beta",
        ] == lines[-2:]

    async def test_only_a_few_are_named(self, fake: FakeMlflow) -> None:
        """Of many experiments the first ones are named."""
        for number in range(9):
            fake.add_experiment(f"e{number}")
        _, lines = await checked(fake.url, mlflow_experiment_name="alpha")
        assert lines[-1].endswith(": Default, e0, e1, e2, e3, …")

    async def test_there_is_none_at_all(self, fake: FakeMlflow) -> None:
        """An MLflow that is empty is told of the setting that creates the experiment."""
        fake.store.experiments["0"].lifecycle_stage = "deleted"
        code, lines = await checked(fake.url, mlflow_experiment_name="alpha")
        assert (1, True) == (code, "TRACKING_CREATE_EXPERIMENT=true" in lines[-1])

    async def test_it_will_be_created_beside_another(self, fake: FakeMlflow) -> None:
        """A name that is nearly another's is odd, and no reason to stop."""
        fake.add_experiment("hedge-fund-research")
        code, lines = await checked(
            fake.url, mlflow_experiment_name="hedge-fund-reserch", create_experiment=True
        )
        assert 0 == code
        assert lines[-1].startswith("??  experiment: MLflow has 'hedge-fund-research': is that meant?")

    async def test_the_name_that_was_meant_stands_first(self, fake: FakeMlflow) -> None:
        """Of those that are there, the one of nearly the same name is named first."""
        fake.add_experiment("beta")
        fake.add_experiment("alpha_research")
        _, lines = await checked(fake.url, mlflow_experiment_name="alpha-research")
        assert "    set MLFLOW_EXPERIMENT_NAME to one of: alpha_research, Default, beta" == lines[-1]

    async def test_its_id_is_another(self, fake: FakeMlflow, monkeypatch: pytest.MonkeyPatch) -> None:
        """MLFLOW_EXPERIMENT_ID that contradicts the name is odd."""
        made = fake.add_experiment("alpha")
        monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", "77")
        code, lines = await checked(fake.url, mlflow_experiment_name="alpha")
        expected = f"??  experiment: MLFLOW_EXPERIMENT_ID is 77, and the experiment 'alpha' is {made}"
        assert (0, True) == (code, lines[-2].startswith(expected))

    @pytest.mark.parametrize("create_experiment", [False, True])
    async def test_it_is_deleted(self, fake: FakeMlflow, *, create_experiment: bool) -> None:
        """A deleted experiment lists no runs, and cannot be created anew."""
        fake.add_experiment("alpha", lifecycle_stage="deleted")
        code, lines = await checked(
            fake.url, mlflow_experiment_name="alpha", create_experiment=create_experiment
        )
        assert (1, "!!  experiment: 'alpha' is deleted") == (code, lines[-2])
        assert lines[-1].startswith("    restore it (mlflow experiments restore -x ")
        assert lines[-1].endswith("or set MLFLOW_EXPERIMENT_NAME to one of: Default")

    async def test_it_is_forbidden(self, fake: FakeMlflow) -> None:
        """An experiment that MLflow does not let the service read is 1, and no matter of credentials."""
        fake.before = only("experiments/get-by-name", answering(403, "Permission denied"))
        code, lines = await checked(fake.url)
        assert (1, True) == (code, lines[1].startswith("ok  MLflow: "))
        assert "!!  experiment: MLflow forbids the experiment 'Default'" == lines[2].partition(": let")[0]


class TestEnvironment:
    async def test_variables_of_mlflows_client(
        self, fake: FakeMlflow, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What is not done as asked is odd, and what is of no use here is named in one good line."""
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "300")
        monkeypatch.setenv("MLFLOW_TRACKING_URL", "http://h")
        monkeypatch.setenv("MLFLOW_RUN_ID", "abc")
        monkeypatch.setenv("MLFLOW_S3_IGNORE_TLS", "true")
        code, lines = await checked(fake.url)
        assert 0 == code
        assert [
            (
                "??  MLFLOW_HTTP_REQUEST_TIMEOUT is not read: "
                "set TRACKING_UPSTREAM__READ_TIMEOUT and TRACKING_DEADLINE"
            ),
            "??  MLFLOW_TRACKING_URL is not read: did you mean MLFLOW_TRACKING_URI?",
            "ok  not read by this service: MLFLOW_RUN_ID, MLFLOW_S3_IGNORE_TLS",
            SETTINGS,
        ] == lines[:4]


@asynccontextmanager
async def issuer(body: object) -> AsyncIterator[str]:
    """The address of an issuer that publishes this."""

    async def publish(_request: web.Request) -> web.Response:
        return web.json_response(body)

    app = web.Application()
    app.router.add_get("/keys", publish)
    async with TestServer(app) as server:
        yield str(server.make_url("/keys"))


def jwt_from(url: str) -> dict[str, Any]:
    """The settings for an issuer of tokens."""
    return {"mode": "jwt", "jwks_url": url, "issuer": "i", "audience": "a"}


class TestCallers:
    @pytest.mark.parametrize(
        ("settings", "expected"),
        [
            ({}, "anybody on this machine"),
            ({"allow_anonymous": True}, "anybody"),
            ({"auth": {"mode": "api_key", "api_keys": new_key("alpha").line}}, "api_key"),
        ],
    )
    async def test_who_may_ask(self, fake: FakeMlflow, settings: dict[str, Any], expected: str) -> None:
        """It says who may ask."""
        code, lines = await checked(fake.url, **settings)
        assert (0, f"ok  settings: listens on 127.0.0.1:8080, callers: {expected}") == (code, lines[0])

    async def test_the_issuers_keys(self, fake: FakeMlflow) -> None:
        """An issuer that publishes keys is good."""
        key = ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()).public_key(), as_dict=True)
        async with issuer({"keys": [key]}) as url:
            code, lines = await checked(fake.url, auth=jwt_from(url))
        assert (0, f"ok  callers: {url} has keys") == (code, lines[1])

    async def test_an_issuer_without_keys(self, fake: FakeMlflow) -> None:
        """One that publishes none is 1, and MLflow is looked at all the same."""
        async with issuer({"keys": []}) as url:
            code, lines = await checked(fake.url, auth=jwt_from(url))
        assert (1, f"!!  callers: there are no keys from {url}") == (code, lines[1])
        assert lines[2].endswith(f"try: curl -i {url}")
        assert "ok  experiment: 'Default' is 0; no runs yet" == lines[-1]
