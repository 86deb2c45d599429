"""The servers that the live tests ask. The real one is shared: a test keeps to experiments of its own."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from tests.fakes.mlflow import FakeMlflow
from tests.live.logbook import Logbook, unique
from tests.live.server import running_mlflow


@pytest.fixture(scope="session")
def mlflow_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the real server keeps its data: its database is mlflow.db."""
    return tmp_path_factory.mktemp("mlflow")


@pytest.fixture(scope="session")
def real_mlflow(mlflow_directory: Path) -> Iterator[str]:
    """The URL of a real MLflow server, with a slash at its end."""
    with running_mlflow(mlflow_directory) as url:
        yield url


@pytest_asyncio.fixture(
    scope="module", loop_scope="module", params=["fake", pytest.param("real", marks=pytest.mark.live)]
)
async def mlflow(request: pytest.FixtureRequest) -> AsyncIterator[Logbook]:
    """A logbook of the fake, and then of the real server: what a test says of it holds for both."""
    if request.param == "real":
        async with aiohttp.ClientSession(request.getfixturevalue("real_mlflow")) as session:
            yield Logbook(session)
    else:
        async with FakeMlflow().serve() as fake, aiohttp.ClientSession(fake.url) as session:
            yield Logbook(session)


@pytest_asyncio.fixture(loop_scope="module")
async def experiment(mlflow: Logbook) -> str:
    """The id of an experiment of the test's own."""
    return await mlflow.create_experiment(unique("honest"))
