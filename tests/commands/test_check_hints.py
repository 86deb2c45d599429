"""`experiment-tracking check` says what to do about each answer that is of no use."""

import pytest
from aiohttp import web

from tests.fakes.faults import answering
from tests.fakes.mlflow import FakeMlflow
from tests.misbehaving import hints, serving, well


class TestAnswers:
    async def test_a_redirect_to_https(self) -> None:
        """The address that a redirect leads to is the one to set, the API's path taken off."""

        def upgrade(request: web.Request) -> web.Response:
            location = f"https://mlflow.example.com/x{request.path_qs}"
            return web.Response(status=308, headers={"Location": location})

        async with serving(upgrade) as url:
            said = await hints(url)
        assert said == "it redirects to another address: set MLFLOW_TRACKING_URI=https://mlflow.example.com/x"

    @pytest.mark.parametrize("status", [302, 307])
    async def test_a_redirect_to_a_login(self, status: int) -> None:
        """A login is shown by its address, without what stands in its query."""
        location = "https://ada:secret@sso.example.com/login?next=secret"
        async with serving(lambda _: web.Response(status=status, headers={"Location": location})) as url:
            said = await hints(url)
        assert said.startswith("it redirects to https://sso.example.com/login, no API: if that is a login")
        assert "MLFLOW_TRACKING_TOKEN" in said
        assert "secret" not in said

    async def test_a_login_page(self) -> None:
        """A page with a login is said to be one."""
        page = "<html><title>Sign in</title><input type=password></html>"
        async with serving(lambda _: web.Response(text=page, content_type="text/html")) as url:
            assert (await hints(url)).startswith("a web page with a login answers there")

    async def test_a_web_page(self) -> None:
        """Another web server is said to be no API."""
        async with serving(lambda _: web.Response(text="<p>Hello", content_type="text/html")) as url:
            assert (await hints(url)).startswith("a web page answers there, and no API")

    async def test_another_api(self) -> None:
        """Another API's JSON is of no use."""
        async with serving(lambda _: web.json_response({"ok": True})) as url:
            assert (await hints(url)).startswith("is MLFLOW_TRACKING_URI right, and is that an MLflow?")

    @pytest.mark.parametrize(("status", "words"), [(500, "MLflow's own log"), (502, "may not reach it")])
    async def test_it_fails(self, fake: FakeMlflow, status: int, words: str) -> None:
        """A failure is MLflow's own, or that of what stands before it."""
        fake.before = answering(status)
        assert words in await hints(fake.url)

    async def test_too_much_is_asked(self, fake: FakeMlflow) -> None:
        """A 429 is about who asks."""
        fake.before = answering(429)
        assert (await hints(fake.url)).startswith("it is asked too much")


class TestPaths:
    async def test_a_static_prefix(self) -> None:
        """With --static-prefix some versions of MLflow have pages below it, and their API at the root."""

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

    async def test_a_path_that_is_wrong(self) -> None:
        """Where nothing is found below a path, the path is asked about."""
        async with serving(lambda _: web.Response(status=404, text="nope")) as url:
            assert (await hints(f"{url}/x/y")).startswith("is the path /x/y right?")

    async def test_a_prefix_that_is_missing(self) -> None:
        """Where nothing is found at the root, a prefix may be missing."""
        async with serving(lambda _: web.Response(status=404, text="nope")) as url:
            assert (await hints(url)).startswith("is MLflow behind a prefix?")

    async def test_an_api_that_is_not_let_through(self) -> None:
        """A health check that answers proves nothing of the API."""

        def only_health(request: web.Request) -> web.Response:
            return web.Response(status=200 if request.path == "/health" else 404, text="OK")

        async with serving(only_health) as url:
            said = await hints(url)
        assert said == "MLflow's health answers there, and not its API: is /api/2.0/mlflow/ let through?"


class TestRefusals:
    async def test_what_it_asks_for(self) -> None:
        """A 401 names the scheme that is asked for."""
        headers = {"WWW-Authenticate": 'Basic realm="mlflow"'}
        async with serving(lambda _: web.Response(status=401, text="no", headers=headers)) as url:
            assert (await hints(url)).endswith("; it asks for Basic")

    async def test_a_host_that_it_does_not_know(self) -> None:
        """MLflow's own words on a Host header are about its own setting, not about credentials."""
        text = "Invalid Host header - possible DNS rebinding attack detected"
        async with serving(lambda _: web.Response(status=403, text=text)) as url:
            said = await hints(url)
        name = url.removeprefix("http://")
        assert said.startswith(f"MLflow is not to be called {name}: start it with --allowed-hosts {name},")
        assert "MLFLOW_TRACKING_TOKEN" not in said

    async def test_there_are_no_workspaces(self) -> None:
        """A server without workspaces refuses the header."""
        body = {"error_code": "FEATURE_DISABLED", "message": "Workspace APIs are not available"}
        async with serving(lambda _: web.json_response(body, status=501)) as url:
            said = await hints(url, mlflow_workspace="quant")
        assert said == "this MLflow has no workspaces: unset MLFLOW_WORKSPACE"

    async def test_there_is_no_such_workspace(self) -> None:
        """A workspace that is not there is not taken for an experiment that is not there."""
        body = {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "Workspace 'quant' not found"}
        async with serving(lambda _: web.json_response(body, status=404)) as url:
            said = await hints(url, mlflow_workspace="quant", create_experiment=True)
        assert said.startswith("does the workspace 'quant' exist, and may the service read it?")
