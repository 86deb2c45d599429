"""The servers of the matrix: which they are, how each is started, and what each cannot do by itself."""

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.bench.machine import running
from tests.live.server import ENVIRONMENT, free_port
from tests.matrix.servers import databases
from tests.matrix.servers.accounts import ADMIN, CONFIGURATION, RESEARCHER, Login, create_user
from tests.matrix.servers.environments import environment

PINS = Path(__file__).parent
NEWEST = "mlflow-3.17"


@dataclass(frozen=True, slots=True)
class Tracked:
    """A server that runs. url, artifacts: with a slash at their ends.

    login: the account with which the service reads, where the server tells users apart.
    """

    url: str
    login: Login | None = None
    artifacts: str = "mlflow-artifacts:/"


# Runs a server over an empty store in a folder, with the programs of a `bin` folder.
Start = Callable[[Path, Path], AbstractContextManager[Tracked]]


@dataclass(frozen=True, slots=True)
class Server:
    """One column of the matrix.

    limits: the checks that it cannot pass by its own limits, by the name of the test, and why.
    """

    name: str
    title: str
    pins: str
    start: Start
    pythons: tuple[str, ...] = ("3.11", "3.12", "3.13")
    limits: Mapping[str, str] = field(default_factory=dict)
    cases: tuple[str, ...] = ("contract", "filters", "sizes", "whole", "process")

    @contextmanager
    def running(self, folder: Path) -> Iterator[Tracked]:
        """The server while the context lasts. NotToBeHad where this machine cannot have it."""
        programs = environment(PINS / f"{self.pins}.txt", self.pythons)
        with self.start(programs, folder) as tracked:
            yield tracked


@contextmanager
def _mlflow(
    programs: Path,
    folder: Path,
    store: str = "",
    options: tuple[str, ...] = (),
    path: str = "",
    **more: str,
) -> Iterator[Tracked]:
    """MLflow over a store, SQLite if none is named, with one worker. more: variables of its environment."""
    port = free_port()
    url = f"http://127.0.0.1:{port}{path}/"
    command = [str(programs / "mlflow"), "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", "1", "--backend-store-uri", store or f"sqlite:///{folder / 'mlflow.db'}"]
    command += ["--serve-artifacts", "--default-artifact-root", "mlflow-artifacts:/"]
    command += ["--artifacts-destination", str(folder / "artifacts"), *options]
    # It starts gunicorn or uvicorn by name.
    variables = {**ENVIRONMENT, **more, "PATH": f"{programs}:/usr/local/bin:/usr/bin:/bin"}
    with running("server", command, url, folder, health="health", variables=variables):
        yield Tracked(url)


@contextmanager
def _over_files(programs: Path, folder: Path) -> Iterator[Tracked]:
    with _mlflow(programs, folder, str(folder / "mlruns"), MLFLOW_ALLOW_FILE_STORE="true") as tracked:
        yield tracked


@contextmanager
def _over_a_database(
    database: Callable[[Path], AbstractContextManager[str]], programs: Path, folder: Path
) -> Iterator[Tracked]:
    with database(folder) as store, _mlflow(programs, folder, store) as tracked:
        yield tracked


@contextmanager
def _with_accounts(programs: Path, folder: Path) -> Iterator[Tracked]:
    """MLflow's basic-auth app, and a user who is no administrator."""
    configuration = folder / "basic_auth.ini"
    configuration.write_text(CONFIGURATION)
    variables = {
        "MLFLOW_FLASK_SERVER_SECRET_KEY": secrets.token_hex(),
        "MLFLOW_AUTH_CONFIG_PATH": str(configuration),
    }
    with _mlflow(programs, folder, options=("--app-name", "basic-auth"), **variables) as tracked:
        create_user(tracked.url, RESEARCHER, by=ADMIN)
        yield Tracked(tracked.url, RESEARCHER)


@contextmanager
def _fasttrackml(programs: Path, folder: Path) -> Iterator[Tracked]:
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    command = [str(programs / "fml"), "server", "--listen-address", f"127.0.0.1:{port}"]
    command += ["--log-level", "error", "--database-uri", f"sqlite://{folder / 'fasttrackml.db'}"]
    artifacts = "s3://artifacts"  # never asked; it knows no scheme of MLflow's own
    command += ["--default-artifact-root", artifacts]
    with running("server", command, url, folder, health="health"):
        yield Tracked(url, artifacts=f"{artifacts}/")


FASTTRACKML = {
    "test_the_highest_step_counts": "FastTrackML keeps the value that was logged last, of each context.",
    "test_the_default_experiment_is_deleted": (
        "FastTrackML deletes the runs of an experiment with it, and does not restore them with it."
    ),
    "test_experiments_on_several_pages": (
        "FastTrackML cuts off the end of its page tokens and cannot read those that lose a brace by it; "
        "the service's own pages of 1,000 lose none up to the tenth."
    ),
}

SERVERS = (
    Server(
        "mlflow-1.30",
        "MLflow 1.30.1, SQLite",
        "mlflow-1.30",
        _mlflow,
        pythons=("3.10",),
        limits={"test_long_params": "MLflow 1.30 takes parameters of 500 characters at most."},
    ),
    Server("mlflow-2.14", "MLflow 2.14.3, SQLite", "mlflow-2.14", _mlflow, pythons=("3.11",)),
    Server("mlflow-2.22", "MLflow 2.22.5, SQLite", "mlflow-2.22", _mlflow),
    Server("mlflow-3.1", "MLflow 3.1.4, SQLite", "mlflow-3.1", _mlflow),
    Server("mlflow-3.10", "MLflow 3.10.1, SQLite", "mlflow-3.10", _mlflow),
    Server("mlflow-3.17", "MLflow 3.17.2, SQLite", NEWEST, _mlflow),
    Server(
        "postgresql", "MLflow 3.17.2, PostgreSQL", NEWEST, partial(_over_a_database, databases.postgresql)
    ),
    Server("mariadb", "MLflow 3.17.2, MariaDB", NEWEST, partial(_over_a_database, databases.mariadb)),
    Server("file-store", "MLflow 3.17.2, mlruns folder", NEWEST, _over_files),
    Server(
        "static-prefix",
        "MLflow 3.17.2, `--static-prefix`",
        NEWEST,
        partial(_mlflow, options=("--static-prefix", "/mlflow"), path="/mlflow"),
    ),
    Server(
        "basic-auth",
        "MLflow 3.17.2, basic-auth",
        NEWEST,
        _with_accounts,
        cases=("contract", "filters", "sizes", "whole", "process", "accounts"),
        limits={
            "test_an_upstream_address_that_is_wrong": (
                "MLflow's basic-auth answers 403 to a plain user at every address that it does not know, "
                "so a wrong prefix looks like refused credentials."
            )
        },
    ),
    Server(
        "fasttrackml",
        "FastTrackML 0.6.0",
        "fasttrackml",
        _fasttrackml,
        limits=FASTTRACKML,
    ),
)
