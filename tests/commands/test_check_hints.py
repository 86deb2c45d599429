"""`experiment-tracking check` says what to do about each kind of unusable answer."""

import pytest
from aiohttp import web

from tests.fakes.faults import answering
from tests.fakes.mlflow import FakeMlflow
from tests.misbehaving import hints, serving, well


class TestAnswers:
    async def test_a_redirect_to_https(self) -> None:
        """For a redirect, the check suggests its target without the path of the API."""

        def upgrade(request: web.Request) -> web.Response:
            location = f"https://mlflow.example.com/x{request.path_qs}"
            return web.Response(status=308, headers={"Location": location})

        async with serving(upgrade) as url:
            said = await hints(url)
        assert said == "it redirects to another address: set MLFLOW_TRACKING_URI=https://mlflow.example.com/x"

    @pytest.mark.parametrize("status", [302, 307])
    async def test_a_redirect_to_a_login(self, status: int) -> None:
        """A redirect to a login page is reported by its address, without the query."""
        location = "https://ada:secret@sso.example.com/login?next=secret"
        async with serving(lambda _: web.Response(status=status, headers={"Location": location})) as url:
            said = await hints(url)
        assert said.startswith("it redirects to https://sso.example.com/login, no API: if that is a login")
        assert "MLFLOW_TRACKING_TOKEN" in said
        assert "secret" not in said

    async def test_a_login_page(self) -> None:
        """An HTML page with a login form is reported as a login page."""
        page = "<html><title>Sign in</title><input type=password></html>"
        async with serving(lambda _: web.Response(text=page, content_type="text/html")) as url:
            assert (await hints(url)).startswith("a web page with a login answers there")

    async def test_a_web_page(self) -> None:
        """Another web server is reported as one without MLflow's API."""
        async with serving(lambda _: web.Response(text="<p>Hello", content_type="text/html")) as url:
            assert (await hints(url)).startswith("a web page answers there, and no API")

    async def test_another_api(self) -> None:
        """JSON of another API is reported as not MLflow's."""
        async with serving(lambda _: web.json_response({"ok": True})) as url:
            assert (await hints(url)).startswith("is MLFLOW_TRACKING_URI right, and is that an MLflow?")

    @pytest.mark.parametrize(("status", "words"), [(500, "MLflow's own log"), (502, "may not reach it")])
    async def test_a_server_error(self, fake: FakeMlflow, status: int, words: str) -> None:
        """A 5xx is reported as a failure of MLflow or of a proxy before it."""
        fake.before = answering(status)
        assert words in await hints(fake.url)

    async def test_too_many_requests(self, fake: FakeMlflow) -> None:
        """A 429 is reported as too many requests."""
        fake.before = answering(429)
        assert (await hints(fake.url)).startswith("it gets too many requests")


class TestPaths:
    async def test_a_static_prefix(self) -> None:
        """Some versions of MLflow with --static-prefix have their API at the root, which is suggested."""

        def api_at_the_root(request: web.Request) -> web.Response:
            if request.path == "/mlflow/health":
                return web.Response(text="OK")
            if request.path.startswith("/mlflow/"):
                return web.Response(status=404, text="<html>", content_type="text/html")
            return well(request)

        async with serving(api_at_the_root) as url:
            said = await hints(f"{url}/mlflow/")
        assert said == (
            "MLflow's API is not below /mlflow, as from MLflow 2.17 on with --static-prefix: "
            f"set MLFLOW_TRACKING_URI={url}"
        )

    async def test_a_wrong_path(self) -> None:
        """If nothing is found below a path, the check asks whether the path is right."""
        async with serving(lambda _: web.Response(status=404, text="nope")) as url:
            assert (await hints(f"{url}/x/y")).startswith("is the path /x/y right?")

    async def test_a_missing_prefix(self) -> None:
        """If nothing is found at the root, the check suggests that a prefix is missing."""
        async with serving(lambda _: web.Response(status=404, text="nope")) as url:
            assert (await hints(url)).startswith("is MLflow behind a prefix?")

    async def test_a_health_check_without_an_api(self) -> None:
        """If only MLflow's health check answers, the check reports that the API is not reachable."""

        def only_health(request: web.Request) -> web.Response:
            return web.Response(status=200 if request.path == "/health" else 404, text="OK")

        async with serving(only_health) as url:
            said = await hints(url)
        assert said == "MLflow's health answers there, and not its API: is /api/2.0/mlflow/ let through?"


class TestRefusals:
    async def test_a_401_with_a_scheme(self) -> None:
        """For a 401 the check names the authentication scheme that the server asks for."""
        headers = {"WWW-Authenticate": 'Basic realm="mlflow"'}
        async with serving(lambda _: web.Response(status=401, text="no", headers=headers)) as url:
            assert (await hints(url)).endswith("; it asks for Basic")

    async def test_a_host_that_mlflow_does_not_allow(self) -> None:
        """If MLflow refuses the Host header, the check names MLflow's own setting, not credentials."""
        text = "Invalid Host header - possible DNS rebinding attack detected"
        async with serving(lambda _: web.Response(status=403, text=text)) as url:
            said = await hints(url)
        name = url.removeprefix("http://")
        assert said.startswith(f"MLflow is not to be called {name}: start it with --allowed-hosts {name},")
        assert "MLFLOW_TRACKING_TOKEN" not in said

    async def test_a_server_without_workspaces(self) -> None:
        """A server without workspaces that refuses MLFLOW_WORKSPACE is reported as such."""
        body = {"error_code": "FEATURE_DISABLED", "message": "Workspace APIs are not available"}
        async with serving(lambda _: web.json_response(body, status=501)) as url:
            said = await hints(url, mlflow_workspace="quant")
        assert said == "this MLflow has no workspaces: unset MLFLOW_WORKSPACE"

    async def test_an_unknown_workspace(self) -> None:
        """An unknown workspace is not reported as a missing experiment."""
        body = {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "Workspace 'quant' not found"}
        async with serving(lambda _: web.json_response(body, status=404)) as url:
            said = await hints(url, mlflow_workspace="quant", create_experiment=True)
        assert said.startswith("does the workspace 'quant' exist, and may the service read it?")
