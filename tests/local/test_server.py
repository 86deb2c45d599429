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
    """Where working folders are made."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def standing_in(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Put a Python program in MLflow's place, behind the real guard."""
    real = server._command

    def put(code: str, *arguments: str) -> None:
        def command(store: Store, work: Path, listener: socket.socket) -> list[str]:
            guard = real(store, work, listener)[:5]
            return [*guard, sys.executable, "-c", code, *arguments]

        monkeypatch.setattr(server, "_command", command)

    return put


def is_listened_on(url: str) -> bool:
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


def test_it_answers_while_the_context_lasts(store: Store, standing_in: Callable[..., None]) -> None:
    """The address answers inside the context, and is nobody's after it; both are told of."""
    standing_in(SERVER, "503", "500", "200")
    said: list[str] = []
    with local_mlflow(store, said.append) as url:
        assert is_listened_on(url)
    assert not is_listened_on(url)
    assert store.folder.is_dir()
    assert 2 == len(said)
    assert str(store.folder / "mlflow.log") in said[0]
    assert url in said[1]


def test_it_ends_with_an_error_too(store: Store, standing_in: Callable[..., None]) -> None:
    """An error inside of the context ends the process as well."""
    standing_in(SERVER, "200")
    with pytest.raises(ZeroDivisionError), local_mlflow(store, print) as url:
        raise ZeroDivisionError
    assert not is_listened_on(url)


def test_a_start_that_fails(store: Store, standing_in: Callable[..., None]) -> None:
    """A process that ends as it starts is an error with the last lines of its log, of this start only."""
    store.folder.mkdir()
    (store.folder / "mlflow.log").write_text("of the start before\n")
    standing_in("import sys; print(*range(100), sep='\\n', flush=True); sys.exit('no such revision')")
    with pytest.raises(LocalError, match="stopped as it started") as caught, local_mlflow(store, print):
        raise AssertionError("not reached")
    first, *lines = str(caught.value).splitlines()
    assert first.endswith(f"{store.folder / 'mlflow.log'}:")
    assert [f"  {number}" for number in range(86, 100)] + ["  no such revision"] == lines
    standing_in("import sys; sys.exit('once more')")
    with pytest.raises(LocalError) as caught, local_mlflow(store, print):
        raise AssertionError("not reached")
    assert ["  once more"] == str(caught.value).splitlines()[1:]


def test_a_start_that_fails_without_a_word(store: Store, standing_in: Callable[..., None]) -> None:
    """A process that says nothing is an error that says so."""
    standing_in("raise SystemExit(1)")
    with pytest.raises(LocalError, match="is empty"), local_mlflow(store, print):
        raise AssertionError("not reached")


def test_a_start_that_takes_too_long(
    store: Store, standing_in: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that never answers is ended, and is an error with the last lines of its log."""
    standing_in(f"print('still migrating', flush=True)\n{SERVER}", "503")
    monkeypatch.setattr(server, "_START_SECONDS", 1.5)
    with (
        pytest.raises(LocalError, match=r"did not answer within[\s\S]*still migrating"),
        local_mlflow(store, print),
    ):
        raise AssertionError("not reached")


def test_who_answers_no_http(
    store: Store, standing_in: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A port on which something else answers is one that does not answer."""
    standing_in(
        "import socket; s = socket.socket(fileno=0); s.listen()\n"
        "while True:\n c, _ = s.accept(); c.sendall(b'220 smtp\\r\\n'); c.close()"
    )
    monkeypatch.setattr(server, "_START_SECONDS", 0.5)
    with pytest.raises(LocalError, match="did not answer within"), local_mlflow(store, print):
        raise AssertionError("not reached")


def test_nobody_else_gets_the_port(
    store: Store, standing_in: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """From before MLflow starts, the port is taken."""
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
    """Over the user's own store MLflow's log is in a folder of its own, which is gone afterwards."""
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


def test_while_a_new_store_is_made_a_file_says_so(store: Store, standing_in: Callable[..., None]) -> None:
    """What a broken start left is removed, and the file stays for whoever knows that all is done."""
    make_database(store.path)
    store.path.with_name("mlflow.db-journal").touch()
    standing_in(SERVER, "200")
    with local_mlflow(store, print):
        assert {"mlflow.db.unfinished", "mlflow.log"} == set(laid_out(store.folder))
    assert store.unfinished.is_file()


def test_a_store_that_is_there_is_not_marked(store: Store, standing_in: Callable[..., None]) -> None:
    """Only a new store is unfinished."""
    make_database(store.path)
    standing_in(SERVER, "200")
    with local_mlflow(store._replace(is_new=False), print):
        assert not store.unfinished.exists()


@pytest.mark.parametrize("is_new", [False, True])
def test_two_starts_at_once(store: Store, standing_in: Callable[..., None], *, is_new: bool) -> None:
    """While one start makes or completes a store, another one does not touch it."""
    standing_in(SERVER, "200")
    with local_mlflow(store, print):
        make_database(store.path)
        other = store._replace(is_new=is_new, is_unfinished=True)
        with pytest.raises(LocalError, match="by another start"), local_mlflow(other, print):
            raise AssertionError("not reached")
        assert store.path.is_file()
    with local_mlflow(store._replace(is_new=False, is_unfinished=True), print):
        assert store.path.is_file()


def test_a_store_that_cannot_be_made(tmp_path: Path) -> None:
    """A folder that cannot be made is an error that names the store."""
    (tmp_path / "file").touch()
    store = Store(tmp_path / "file" / "data" / "mlflow.db", is_new=True)
    with pytest.raises(LocalError, match=f"{store.path}: Not a directory"), local_mlflow(store, print):
        raise AssertionError("not reached")


class TestCommand:
    def options(self, store: Store, work: Path) -> tuple[list[str], dict[str, str]]:
        """What comes before MLflow's options, and these by name."""
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

    def test_its_own_store(self, store: Store, work: Path) -> None:
        """The guard runs a server on the socket, on loopback only, with the artifacts beside the store."""
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

    def test_the_users_database(self, tmp_path: Path, work: Path) -> None:
        """New experiments get MLflow's own place of artifacts, which needs no server to be reached."""
        _, options = self.options(Store(tmp_path / "x.db", query="timeout=30"), work)
        assert f"sqlite:///{tmp_path}/x.db?timeout=30" == options["--backend-store-uri"]
        assert (tmp_path / "mlruns").as_uri() == options["--default-artifact-root"]
        assert "--no-serve-artifacts" in options
        assert "--artifacts-destination" not in options

    @pytest.mark.parametrize("name", ["mlruns", "My Runs", "100%?#"])
    def test_a_file_store(self, tmp_path: Path, work: Path, name: str) -> None:
        """It is given as a URI, which MLflow decodes; its registry has a folder elsewhere."""
        folder = make_file_store(tmp_path / name)
        _, options = self.options(Store(folder, is_file_store=True), work)
        assert folder.as_uri() == options["--backend-store-uri"] == options["--default-artifact-root"]
        assert (work / "models").as_uri() == options["--registry-store-uri"]
        assert (work / "models").is_dir()

    @pytest.mark.parametrize("name", ["what?.db", "100%25.db", "a?/x.db", "a%20b/x.db"])
    def test_a_name_that_cannot_be_written_in_an_address(self, tmp_path: Path, work: Path, name: str) -> None:
        """A SQLite file with ? or % in its path has a plain name for MLflow, as a link to it."""
        file = make_database(tmp_path / name)
        _, options = self.options(Store(file, query="timeout=30"), work)
        assert f"sqlite:///{work}/store.db?timeout=30" == options["--backend-store-uri"]
        assert file == (work / "store.db").resolve()

    @pytest.mark.parametrize("name", ["my runs.db", "x#1.db", "a@b:c.db", "größe.db"])
    def test_a_name_that_can(self, tmp_path: Path, work: Path, name: str) -> None:
        """Other names stand in the address as they are."""
        _, options = self.options(Store(tmp_path / name), work)
        assert f"sqlite:///{tmp_path}/{name}" == options["--backend-store-uri"]


def test_a_guard_that_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A guard that does not hear the end of its input is killed."""
    monkeypatch.setattr(server, "_STOP_SECONDS", 0.1)
    with subprocess.Popen(
        [sys.executable, "-c", "import signal; signal.pause()"], stdin=subprocess.PIPE
    ) as guard:
        server._stop(guard)
        assert guard.returncode is not None
