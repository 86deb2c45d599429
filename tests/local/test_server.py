"""The process of the local MLflow from start to end, with a stand-in for MLflow."""

import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from service.local import server
from service.local.installed import LocalError
from service.local.server import local_mlflow
from service.local.store import Store
from tests.local.stores import laid_out, make_database, make_file_store

# Answers /health with the statuses given, the last one for ever, on the socket that is its standard input.
SERVER = """
import http.server, socket, sys
statuses = [int(status) for status in sys.argv[1:]]
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(statuses.pop(0) if len(statuses) > 1 else statuses[0])
        self.send_header("Content-Length", "0")
        self.end_headers()
server = http.server.HTTPServer(("127.0.0.1", 0), Handler, bind_and_activate=False)
server.socket = socket.socket(fileno=0)
server.server_activate()
server.serve_forever()
"""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """The service's own store, before the first start."""
    return Store(tmp_path / "data" / "mlflow.db", is_own=True, is_new=True)


@pytest.fixture(autouse=True)
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which working folders are created."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def standing_in(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Run a Python program instead of MLflow, under the real supervisor."""
    real = server._command

    def put(code: str, *arguments: str) -> None:
        def command(store: Store, work: Path, listener: socket.socket) -> list[str]:
            supervisor = real(store, work, listener)[:5]
            return [*supervisor, sys.executable, "-c", code, *arguments]

        monkeypatch.setattr(server, "_command", command)

    return put


def is_listened_on(url: str) -> bool:
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


def test_runs_during_the_context(store: Store, standing_in: Callable[..., None]) -> None:
    """The address answers during the context and not after it; start and address are reported."""
    standing_in(SERVER, "503", "500", "200")
    said: list[str] = []
    with local_mlflow(store, said.append) as url:
        assert is_listened_on(url)
    assert not is_listened_on(url)
    assert store.folder.is_dir()
    assert 2 == len(said)
    assert str(store.folder / "mlflow.log") in said[0]
    assert url in said[1]


def test_stops_if_the_context_fails(store: Store, standing_in: Callable[..., None]) -> None:
    """An error inside the context stops the process as well."""
    standing_in(SERVER, "200")
    with pytest.raises(ZeroDivisionError), local_mlflow(store, print) as url:
        raise ZeroDivisionError
    assert not is_listened_on(url)


def test_reports_the_log_of_a_failed_start(store: Store, standing_in: Callable[..., None]) -> None:
    """If the process ends at its start, the error holds the last lines of this start's log."""
    store.folder.mkdir()
    (store.folder / "mlflow.log").write_text("of the start before\n")
    standing_in("import sys; print(*range(100), sep='\\n', flush=True); sys.exit('no such revision')")
    with pytest.raises(LocalError, match="stopped while it started") as caught, local_mlflow(store, print):
        raise AssertionError("not reached")
    first, *lines = str(caught.value).splitlines()
    assert first.endswith(f"{store.folder / 'mlflow.log'}:")
    assert [f"  {number}" for number in range(86, 100)] + ["  no such revision"] == lines
    standing_in("import sys; sys.exit('once more')")
    with pytest.raises(LocalError) as caught, local_mlflow(store, print):
        raise AssertionError("not reached")
    assert ["  once more"] == str(caught.value).splitlines()[1:]


def test_reports_an_empty_log(store: Store, standing_in: Callable[..., None]) -> None:
    """If the process ends without output, the error says that the log is empty."""
    standing_in("raise SystemExit(1)")
    with pytest.raises(LocalError, match="is empty"), local_mlflow(store, print):
        raise AssertionError("not reached")


def test_stops_a_start_that_takes_too_long(
    store: Store, standing_in: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that never answers is stopped, and the error holds the last lines of its log."""
    words = "    log_message = lambda *_: print('still migrating', flush=True)\n    def do_GET"
    standing_in(SERVER.replace("    def do_GET", words), "503")
    monkeypatch.setattr(server, "_START_SECONDS", 1.5)
    with (
        pytest.raises(LocalError, match=r"did not answer within[\s\S]*still migrating"),
        local_mlflow(store, print),
    ):
        raise AssertionError("not reached")


def test_an_answer_that_is_not_http_does_not_count(
    store: Store, standing_in: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A port that answers something else than HTTP counts as one that does not answer."""
    standing_in(
        "import socket; s = socket.socket(fileno=0); s.listen()\n"
        "while True:\n c, _ = s.accept(); c.sendall(b'220 smtp\\r\\n'); c.close()"
    )
    monkeypatch.setattr(server, "_START_SECONDS", 0.5)
    with pytest.raises(LocalError, match="did not answer within"), local_mlflow(store, print):
        raise AssertionError("not reached")


def test_reserves_the_port(
    store: Store, standing_in: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The port is taken from before MLflow starts."""
    taken: list[bool] = []
    popen = subprocess.Popen

    def starting(command: list[str], **options: object) -> subprocess.Popen[bytes]:
        process = popen(command, **options)  # type: ignore[call-overload]
        given = socket.dup(options["pass_fds"][0])  # type: ignore[index]
        with socket.socket(fileno=given) as held, socket.socket() as other:
            port = held.getsockname()[1]
            try:
                other.bind(("127.0.0.1", port))
            except OSError:
                taken.append(True)
        return process  # type: ignore[no-any-return]

    monkeypatch.setattr(subprocess, "Popen", starting)
    standing_in(SERVER, "200")
    with local_mlflow(store, print):
        assert [True] == taken


def test_the_users_store_gets_no_file(tmp_path: Path, work: Path, standing_in: Callable[..., None]) -> None:
    """Over a user's store, MLflow's log is in a temporary folder, which is removed afterwards."""
    store = Store(make_database(tmp_path / "quant" / "mlflow.db"))
    before = laid_out(store.folder)
    standing_in(SERVER, "200")
    said: list[str] = []
    with local_mlflow(store, said.append):
        [folder] = work.iterdir()
        assert f"its log: {folder}/mlflow.log" in said[0]
        assert (folder / "mlflow.log").is_file()
    assert before == laid_out(store.folder)
    assert [] == list(work.iterdir())


def test_marks_a_new_store(store: Store, standing_in: Callable[..., None]) -> None:
    """What an interrupted start left is removed, and the mark stays until the store is completed."""
    make_database(store.path)
    store.path.with_name("mlflow.db-journal").touch()
    standing_in(SERVER, "200")
    with local_mlflow(store, print):
        assert {"mlflow.db.unfinished", "mlflow.log"} == set(laid_out(store.folder))
    assert store.unfinished.is_file()


def test_does_not_mark_an_existing_store(store: Store, standing_in: Callable[..., None]) -> None:
    """Only a new store is marked as unfinished."""
    make_database(store.path)
    standing_in(SERVER, "200")
    with local_mlflow(store._replace(is_new=False), print):
        assert not store.unfinished.exists()


@pytest.mark.parametrize("is_new", [False, True])
def test_a_second_start_does_not_touch_the_store(
    store: Store, standing_in: Callable[..., None], *, is_new: bool
) -> None:
    """While one start creates or completes a store, another one fails without touching it."""
    standing_in(SERVER, "200")
    with local_mlflow(store, print):
        make_database(store.path)
        other = store._replace(is_new=is_new, is_unfinished=True)
        with pytest.raises(LocalError, match="by another process"), local_mlflow(other, print):
            raise AssertionError("not reached")
        assert store.path.is_file()
    with local_mlflow(store._replace(is_new=False, is_unfinished=True), print):
        assert store.path.is_file()


def test_reports_a_store_that_cannot_be_created(tmp_path: Path) -> None:
    """A folder that cannot be created is an error that names the store."""
    (tmp_path / "file").touch()
    store = Store(tmp_path / "file" / "data" / "mlflow.db", is_new=True)
    with pytest.raises(LocalError, match=f"{store.path}: Not a directory"), local_mlflow(store, print):
        raise AssertionError("not reached")


class TestCommand:
    def options(self, store: Store, work: Path) -> tuple[list[str], dict[str, str]]:
        """The arguments before MLflow's options, and the options by name."""
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            command = server._command(store, work, listener)
            at = [str(listener.fileno()), str(listener.getsockname()[1])]
        begin = command.index("server") + 1
        rest = [word for word in command[begin:] if word != "--no-serve-artifacts"]
        options = dict(zip(rest[::2], rest[1::2], strict=True))
        if len(rest) < len(command[begin:]):
            options["--no-serve-artifacts"] = ""
        assert [str(work), at[0]] == command[3:5]
        assert at[1] == options.pop("--port")
        return command[:begin], options

    def test_the_command_for_the_services_own_store(self, store: Store, work: Path) -> None:
        """The supervisor runs a server on the socket, on loopback, with artifacts beside the store."""
        before, options = self.options(store, work)
        assert [sys.executable, "-P"] == before[:2]
        assert "supervisor.py" == Path(before[2]).name
        assert [sys.executable, "-m", "mlflow", "server"] == before[5:]
        assert {
            "--host": "127.0.0.1",
            "--uvicorn-opts": "--fd 0",
            "--workers": "1",
            "--backend-store-uri": f"sqlite:///{store.path}",
            "--artifacts-destination": (store.folder / "artifacts").as_uri(),
        } == options

    def test_the_command_for_a_users_database(self, tmp_path: Path, work: Path) -> None:
        """Over a user's database, artifacts go where MLflow's client would put them."""
        _, options = self.options(Store(tmp_path / "x.db", query="timeout=30"), work)
        assert f"sqlite:///{tmp_path}/x.db?timeout=30" == options["--backend-store-uri"]
        assert (tmp_path / "mlruns").as_uri() == options["--default-artifact-root"]
        assert "--no-serve-artifacts" in options
        assert "--artifacts-destination" not in options

    @pytest.mark.parametrize("name", ["mlruns", "My Runs", "100%?#"])
    def test_the_command_for_a_file_store(self, tmp_path: Path, work: Path, name: str) -> None:
        """A file store is given as a URI; its model registry is in a temporary folder."""
        folder = make_file_store(tmp_path / name)
        _, options = self.options(Store(folder, is_file_store=True), work)
        assert folder.as_uri() == options["--backend-store-uri"] == options["--default-artifact-root"]
        assert (work / "models").as_uri() == options["--registry-store-uri"]
        assert (work / "models").is_dir()

    @pytest.mark.parametrize("name", ["what?.db", "100%25.db", "a?/x.db", "a%20b/x.db"])
    def test_links_a_database_with_special_characters(self, tmp_path: Path, work: Path, name: str) -> None:
        """A SQLite file with ? or % in its path is given through a link with a plain name."""
        file = make_database(tmp_path / name)
        _, options = self.options(Store(file, query="timeout=30"), work)
        assert f"sqlite:///{work}/store.db?timeout=30" == options["--backend-store-uri"]
        assert file == (work / "store.db").resolve()

    @pytest.mark.parametrize("name", ["my runs.db", "x#1.db", "a@b:c.db", "größe.db"])
    def test_names_other_databases_directly(self, tmp_path: Path, work: Path, name: str) -> None:
        """A SQLite file with any other path is given by that path."""
        _, options = self.options(Store(tmp_path / name), work)
        assert f"sqlite:///{tmp_path}/{name}" == options["--backend-store-uri"]


def test_kills_a_supervisor_that_does_not_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """A supervisor that ignores the end of its input is killed."""
    monkeypatch.setattr(server, "_STOP_SECONDS", 0.1)
    with subprocess.Popen(
        [sys.executable, "-c", "import signal; signal.pause()"], stdin=subprocess.PIPE
    ) as supervisor:
        server._stop(supervisor)
        assert supervisor.returncode is not None
