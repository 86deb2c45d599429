"""The local MLflow: which store is meant, and its process from start to end, with a stand-in for MLflow."""

import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from service.upstream import embedded
from service.upstream.embedded import EmbeddedError, Store, embedded_mlflow, local_store

# Answers /health with the statuses given, the last one for ever.
SERVER = """
import http.server, sys
statuses = [int(status) for status in sys.argv[2:]]
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(statuses.pop(0) if len(statuses) > 1 else statuses[0])
        self.send_header("Content-Length", "0")
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


class TestStores:
    @pytest.mark.parametrize("uri", ["http://h", "https://h:5000/prefix"])
    def test_a_server_needs_no_store(self, uri: str, tmp_path: Path) -> None:
        """With the address of a server nothing is started."""
        assert local_store(uri, tmp_path) is None

    def test_nothing_is_a_store_in_the_data_folder(self, tmp_path: Path) -> None:
        """Without an address the store is mlflow.db in the data folder, new until it is there."""
        store = Store(f"sqlite:///{tmp_path}/mlflow.db", tmp_path, is_new=True)
        assert store == local_store("", tmp_path)
        (tmp_path / "mlflow.db").touch()
        assert store._replace(is_new=False) == local_store("", tmp_path)

    def test_a_relative_data_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A relative folder is below the current one, and is passed on as an absolute one."""
        monkeypatch.chdir(tmp_path)
        store = Store(f"sqlite:///{tmp_path}/data/mlflow.db", tmp_path / "data", is_new=True)
        assert store == local_store("", Path("data"))

    def test_sqlite(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """sqlite:/// is followed by a path, relative or absolute."""
        monkeypatch.chdir(tmp_path)
        store = Store(f"sqlite:///{tmp_path}/a/x.db", tmp_path / "a", is_new=True)
        assert store == local_store(f"sqlite:///{tmp_path}/a/x.db", Path("other"))
        assert store == local_store("sqlite:///a/x.db", Path("other"))

    @pytest.mark.parametrize("scheme", ["", "file://"])
    def test_a_folder(self, tmp_path: Path, scheme: str) -> None:
        """A folder holds an mlflow.db, unless MLflow's file store wrote it: that is served as it is."""
        folder = tmp_path / "mlruns"
        uri = f"{scheme}{folder}"
        assert Store(f"sqlite:///{folder}/mlflow.db", folder, is_new=True) == local_store(uri, Path("other"))
        (folder / "0").mkdir(parents=True)
        (folder / "0" / "meta.yaml").touch()
        assert Store(str(folder), folder, is_new=False, is_file_store=True) == local_store(uri, Path("other"))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path}/data/mlflow.db", tmp_path / "data", is_new=True)


@pytest.fixture
def standing_in(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Put a Python program in MLflow's place, behind the real guard."""
    real = embedded._command

    def put(code: str, *arguments: str) -> None:
        def command(store: Store, port: int) -> list[str]:
            return [*real(store, port)[:2], sys.executable, "-c", code, str(port), *arguments]

        monkeypatch.setattr(embedded, "_command", command)

    return put


def is_listened_on(url: str) -> bool:
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


def test_it_answers_while_the_context_lasts(store: Store, standing_in: Callable[..., None]) -> None:
    """The address answers inside the context, and is nobody's after it; both are told of."""
    standing_in(SERVER, "503", "500", "200")
    said: list[str] = []
    with embedded_mlflow(store, said.append) as url:
        assert is_listened_on(url)
    assert not is_listened_on(url)
    assert store.folder.is_dir()
    assert 2 == len(said)
    assert str(store.folder / "mlflow.log") in said[0]
    assert url in said[1]


def test_it_ends_with_an_error_too(store: Store, standing_in: Callable[..., None]) -> None:
    """An error inside of the context ends the process as well."""
    standing_in(SERVER, "200")
    with pytest.raises(ZeroDivisionError), embedded_mlflow(store, print) as url:
        raise ZeroDivisionError
    assert not is_listened_on(url)


def test_a_start_that_fails(store: Store, standing_in: Callable[..., None]) -> None:
    """A process that ends as it starts is an error that names its log, where it says why."""
    standing_in("import sys; sys.exit('no such revision')")
    with pytest.raises(EmbeddedError, match=r"mlflow\.log says why"), embedded_mlflow(store, print):
        raise AssertionError("not reached")
    assert "no such revision" in (store.folder / "mlflow.log").read_text()


def test_a_start_that_takes_too_long(
    store: Store, standing_in: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that never answers is ended, and is an error."""
    standing_in(SERVER, "503")
    monkeypatch.setattr(embedded, "_START_SECONDS", 0.5)
    with pytest.raises(EmbeddedError, match="did not answer within"), embedded_mlflow(store, print):
        raise AssertionError("not reached")


def test_who_answers_no_http(
    store: Store, standing_in: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A port on which something else answers is one that does not answer."""
    standing_in(
        "import socket, sys; s = socket.create_server(('127.0.0.1', int(sys.argv[1])));\n"
        "while True:\n c, _ = s.accept(); c.sendall(b'220 smtp\\r\\n'); c.close()"
    )
    monkeypatch.setattr(embedded, "_START_SECONDS", 0.5)
    with pytest.raises(EmbeddedError, match="did not answer within"), embedded_mlflow(store, print):
        raise AssertionError("not reached")


def test_without_mlflow(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where MLflow is not installed, the error says what to set or to install."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with (
        pytest.raises(EmbeddedError, match=r"MLFLOW_TRACKING_URI.*\[embedded\]"),
        embedded_mlflow(store, str),
    ):
        raise AssertionError("not reached")
    assert not store.folder.exists()


def test_the_command(store: Store) -> None:
    """The guard runs a server over the store, on loopback only, with its artifacts beside it."""
    command = embedded._command(store, 5000)
    assert [sys.executable, "guard.py"] == [command[0], Path(command[1]).name]
    server = command[2:]
    assert [sys.executable, "-m", "mlflow", "server"] == server[:4]
    options = dict(zip(server[4::2], server[5::2], strict=True))
    assert {
        "--host": "127.0.0.1",
        "--port": "5000",
        "--workers": "1",
        "--backend-store-uri": store.uri,
        "--artifacts-destination": str(store.folder / "artifacts"),
    } == options


def test_the_environment(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """What means another server is not passed on; no telemetry, no job workers; the file store is allowed."""
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_TOKEN", "HOME_OF_TEST"):
        monkeypatch.setenv(name, "x")
    environment = embedded._environment(store)
    assert "x" == environment["HOME_OF_TEST"]
    assert not [name for name in environment if name.startswith("MLFLOW_TRACKING")]
    assert "false" == environment["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"]
    assert "true" == environment["MLFLOW_DISABLE_TELEMETRY"]
    assert "MLFLOW_ALLOW_FILE_STORE" not in environment
    of_files = embedded._environment(store._replace(is_file_store=True))
    assert "true" == of_files["MLFLOW_ALLOW_FILE_STORE"]


def test_a_guard_that_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A guard that does not hear the end of its input is killed."""
    monkeypatch.setattr(embedded, "_STOP_SECONDS", 0.1)
    with subprocess.Popen(
        [sys.executable, "-c", "import signal; signal.pause()"], stdin=subprocess.PIPE
    ) as guard:
        embedded._stop(guard)
        assert guard.returncode is not None
