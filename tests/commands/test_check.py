"""`experiment-tracking check`: its findings, its advice and its exit codes."""

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

SETTINGS = "ok  settings: listens on 127.0.0.1:8080, callers: anybody on this machine, index: off"
SECRET = "a-word-that-nobody-may-read"  # noqa: S105 - it opens nothing
MLFLOW = metadata.version("mlflow")
SOON = 5.0  # seconds, on a machine that does much else


class Checked(NamedTuple):
    """The result of a check: the exit code and the lines that it wrote."""

    code: int
    lines: list[str]


async def checked(mlflow_url: str, patience: float = 30.0, **settings: Any) -> Checked:
    """Run a check of the MLflow at this address."""
    output: list[str] = []
    all_settings = make_settings(mlflow_tracking_uri=mlflow_url, **settings)
    code = await check(all_settings, [], output.append, patience=patience)
    lines = "\n".join(output).splitlines()
    assert not [line for line in lines if SECRET in line]
    return Checked(code, lines)


async def test_warns_of_unsupported_trace_settings(fake: FakeMlflow, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unsupported value of an OpenTelemetry variable is a ?? line; the exit code stays 0."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4317")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    code, lines = await checked(fake.url)
    assert (0, SETTINGS) == (code, lines[1])
    assert lines[0].startswith("??  OTEL_EXPORTER_OTLP_PROTOCOL: only http/protobuf is supported here")


class TestMlflow:
    async def test_reports_each_success(self, fake: FakeMlflow) -> None:
        """If all is well, the check writes an ok line for each finding and exits with 0."""
        newest = [fake.add_run() for _ in range(2)][-1]
        expected = [
            SETTINGS,
            f"ok  MLflow: {fake.url.rstrip('/')} answers",
            f"ok  experiment: 'Default' has id 0; newest run {newest}",
        ]
        assert (0, expected) == await checked(fake.url)

    async def test_an_experiment_without_runs_is_ok(self, fake: FakeMlflow) -> None:
        """An experiment without runs is an ok line."""
        code, lines = await checked(fake.url)
        assert (0, "ok  experiment: 'Default' has id 0; no runs yet") == (code, lines[-1])

    async def test_reports_an_unreachable_mlflow(self, fake: FakeMlflow) -> None:
        """If nothing listens at MLflow's address, the check exits with 1 and says what to try."""
        await fake.stop()
        code, [settings, problem, hint] = await checked(fake.url)
        address = fake.url.rstrip("/")
        assert (1, SETTINGS) == (code, settings)
        assert problem.startswith(f"!!  MLflow: {address} cannot be used: experiments/get-by-name: ")
        assert hint.endswith(f"try: curl -i {address}/health")

    async def test_gives_up_on_a_hanging_mlflow(self, fake: FakeMlflow) -> None:
        """The check has its own time limit for MLflow, whatever TRACKING_DEADLINE is."""
        fake.before = held(asyncio.Event(), asyncio.Event())
        began = time.monotonic()
        code, [_, problem, _] = await checked(fake.url, patience=0.2, deadline=600.0)
        assert time.monotonic() - began < SOON
        assert (1, True) == (code, problem.endswith("does not answer in time: no answer within 0.2 s"))

    async def test_reports_a_read_timeout(self, fake: FakeMlflow) -> None:
        """An MLflow that is silent for longer than the read timeout is too slow; it is asked once."""
        fake.before = held(asyncio.Event(), asyncio.Event())
        code, [_, problem, _] = await checked(fake.url, upstream={"read_timeout": 0.2})
        assert 1 == code
        assert "does not answer in time: experiments/get-by-name: " in problem
        assert 1 == fake.count("experiments/get-by-name")

    @pytest.mark.parametrize("status", [429, 500, 503])
    async def test_reports_a_failing_mlflow(self, fake: FakeMlflow, status: int) -> None:
        """An MLflow that answers 429 or 5xx is asked once, despite Retry-After; its status is reported."""
        fake.before = answering(status, headers={"Retry-After": "5"})
        code, [_, problem, _] = await checked(fake.url)
        assert 1 == code
        assert f"cannot be used: experiments/get-by-name: status {status}: " in problem
        assert 1 == fake.count("experiments/get-by-name")

    async def test_reports_another_web_server(self, fake: FakeMlflow) -> None:
        """A web server that is not MLflow is reported as one that cannot be used."""
        fake.before = answering(200, "<html>Welcome!</html>", content_type="text/html")
        code, [_, problem, _] = await checked(fake.url)
        assert 1 == code
        assert "cannot be used: experiments/get-by-name: " in problem


class TestCredentials:
    async def test_accepts_the_right_token(self) -> None:
        """With the right token the check finds no problem."""
        async with FakeMlflow(authorization=f"Bearer {SECRET}").serve() as fake:
            code, lines = await checked(fake.url, mlflow_tracking_token=SECRET)
        assert (0, 3) == (code, len(lines))

    async def test_reports_wrong_credentials(self) -> None:
        """A 401 names the variables to set, and repeats no credential."""
        async with FakeMlflow(authorization="Bearer good").serve() as fake:
            code, lines = await checked(
                fake.url, mlflow_tracking_username="who", mlflow_tracking_password=SECRET
            )
        assert 1 == code
        assert "refuses the service: experiments/get-by-name: status 401: " in lines[1]
        assert "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN" in lines[2]

    async def test_reports_insufficient_credentials(self, fake: FakeMlflow) -> None:
        """A 403 names the credentials, and MLflow's list of allowed hosts as another possible reason."""
        fake.before = answering(403)
        code, lines = await checked(fake.url)
        assert 1 == code
        assert "refuses the service: experiments/get-by-name: status 403: " in lines[1]
        assert "MLFLOW_TRACKING_TOKEN" in lines[2]
        assert "MLFLOW_SERVER_ALLOWED_HOSTS" in lines[3]


class TestExperiment:
    async def test_announces_the_creation_of_the_experiment(self, fake: FakeMlflow) -> None:
        """A missing experiment that the service will create is an ok line; the check does not create it."""
        code, lines = await checked(fake.url, mlflow_experiment_name="alpha", create_experiment=True)
        assert 0 == code
        assert "ok  experiment: 'alpha' does not exist; the service will create it at start" == lines[-1]
        assert 0 == fake.count("experiments/create")

    async def test_reports_a_missing_experiment(self, fake: FakeMlflow) -> None:
        """If the service may not create the experiment, the check exits with 1 and names those that exist."""
        fake.add_experiment("beta")
        code, lines = await checked(fake.url, mlflow_experiment_name="alpha")
        assert 1 == code
        assert [
            "!!  experiment: 'alpha' does not exist",
            "    set MLFLOW_EXPERIMENT_NAME to one of: Default, beta",
        ] == lines[-2:]

    async def test_names_five_experiments_at_most(self, fake: FakeMlflow) -> None:
        """The check names at most five of the existing experiments."""
        for number in range(9):
            fake.add_experiment(f"e{number}")
        _, lines = await checked(fake.url, mlflow_experiment_name="alpha")
        assert lines[-1].endswith(": Default, e0, e1, e2, e3, …")

    async def test_reports_an_mlflow_without_experiments(self, fake: FakeMlflow) -> None:
        """If MLflow has no experiments, the check names the setting that creates one."""
        fake.store.experiments["0"].lifecycle_stage = "deleted"
        code, lines = await checked(fake.url, mlflow_experiment_name="alpha")
        assert (1, True) == (code, "TRACKING_CREATE_EXPERIMENT=true" in lines[-1])

    async def test_warns_of_a_similar_experiment(self, fake: FakeMlflow) -> None:
        """If the name to create resembles an existing one, that is a ?? line; the exit code stays 0."""
        fake.add_experiment("hedge-fund-research")
        code, lines = await checked(
            fake.url, mlflow_experiment_name="hedge-fund-reserch", create_experiment=True
        )
        assert 0 == code
        assert lines[-1].startswith("??  experiment: MLflow has 'hedge-fund-research'; to use it, set")

    async def test_names_the_most_similar_experiment_first(self, fake: FakeMlflow) -> None:
        """Among the existing experiments, the one with the most similar name is named first."""
        fake.add_experiment("beta")
        fake.add_experiment("alpha_research")
        _, lines = await checked(fake.url, mlflow_experiment_name="alpha-research")
        assert "    set MLFLOW_EXPERIMENT_NAME to one of: alpha_research, Default, beta" == lines[-1]

    async def test_warns_of_a_contradicting_experiment_id(
        self, fake: FakeMlflow, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """MLFLOW_EXPERIMENT_ID is a ?? line if it is not the id of the named experiment."""
        experiment_id = fake.add_experiment("alpha")
        monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", "77")
        code, lines = await checked(fake.url, mlflow_experiment_name="alpha")
        expected = (
            f"??  experiment: MLFLOW_EXPERIMENT_ID is 77, and the experiment 'alpha' is {experiment_id}"
        )
        assert (0, True) == (code, lines[-2].startswith(expected))

    @pytest.mark.parametrize("create_experiment", [False, True])
    async def test_reports_a_deleted_experiment(self, fake: FakeMlflow, *, create_experiment: bool) -> None:
        """A deleted experiment is a problem even if the service may create experiments."""
        fake.add_experiment("alpha", lifecycle_stage="deleted")
        code, lines = await checked(
            fake.url, mlflow_experiment_name="alpha", create_experiment=create_experiment
        )
        assert (1, "!!  experiment: 'alpha' is deleted") == (code, lines[-2])
        assert lines[-1].startswith("    restore it (mlflow experiments restore -x ")
        assert lines[-1].endswith("or set MLFLOW_EXPERIMENT_NAME to one of: Default")

    async def test_reports_a_forbidden_experiment(self, fake: FakeMlflow) -> None:
        """A 403 for the experiment alone is a problem of the experiment, not of the credentials."""
        fake.before = only("experiments/get-by-name", answering(403, "Permission denied"))
        code, lines = await checked(fake.url)
        assert (1, True) == (code, lines[1].startswith("ok  MLflow: "))
        assert "!!  experiment: MLflow forbids the experiment 'Default'" == lines[2].partition(": let")[0]


class TestEnvironment:
    async def test_reports_variables_that_are_not_read(
        self, fake: FakeMlflow, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A variable of MLflow's client is a ?? line if a setting replaces it; others share an ok line."""
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
    """Serve this JSON at an address as an issuer's key set."""

    async def publish(_request: web.Request) -> web.Response:
        return web.json_response(body)

    app = web.Application()
    app.router.add_get("/keys", publish)
    async with TestServer(app) as server:
        yield str(server.make_url("/keys"))


def jwt_from(url: str) -> dict[str, Any]:
    """The settings that accept tokens of the issuer at this address."""
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
    async def test_reports_how_callers_authenticate(
        self, fake: FakeMlflow, settings: dict[str, Any], expected: str
    ) -> None:
        """The first line tells how callers authenticate, or that anybody may ask."""
        code, lines = await checked(fake.url, **settings)
        assert (0, f"ok  settings: listens on 127.0.0.1:8080, callers: {expected}, index: off") == (
            code,
            lines[0],
        )

    async def test_reports_the_keys_of_an_issuer(self, fake: FakeMlflow) -> None:
        """An issuer that publishes keys is an ok line."""
        key = ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()).public_key(), as_dict=True)
        async with issuer({"keys": [key]}) as url:
            code, lines = await checked(fake.url, auth=jwt_from(url))
        assert (0, f"ok  callers: {url} publishes keys") == (code, lines[1])

    async def test_reports_an_issuer_without_keys(self, fake: FakeMlflow) -> None:
        """An issuer without keys is a problem, and MLflow is checked nevertheless."""
        async with issuer({"keys": []}) as url:
            code, lines = await checked(fake.url, auth=jwt_from(url))
        assert (1, f"!!  callers: there are no keys from {url}") == (code, lines[1])
        assert lines[2].endswith(f"try: curl -i {url}")
        assert "ok  experiment: 'Default' has id 0; no runs yet" == lines[-1]
