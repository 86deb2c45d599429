"""Database servers, each over a folder of its own, gone when the context ends.

Neither of them runs as root: started by root, they run as the user whom Debian's package makes for them.
"""

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.live.server import free_port, stop_group
from tests.matrix.servers.environments import NotToBeHad

START_SECONDS = 60


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """An empty PostgreSQL, as the address of a database in it."""
    initdb = _program("initdb", "postgresql", "/usr/lib/postgresql/*/bin")
    server = str(Path(initdb).resolve().with_name("postgres"))
    as_user = _as_user("postgres", folder)
    data, port = folder / "postgresql", free_port()
    _run([initdb, "-D", str(data), "-U", "mlflow", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"], as_user)
    command = [server, "-D", str(data), "-p", str(port), "-c", "listen_addresses=127.0.0.1"]
    command += ["-c", f"unix_socket_directories={folder}", "-c", "fsync=off"]
    ready = [str(Path(server).with_name("pg_isready")), "-q", "-h", "127.0.0.1", "-p", str(port)]
    with _running(command, ready, folder / "postgresql.log", as_user):
        yield f"postgresql+psycopg2://mlflow@127.0.0.1:{port}/postgres"


@contextmanager
def mariadb(folder: Path) -> Iterator[str]:
    """An empty MariaDB, as the address of a database in it."""
    server = _program("mariadbd", "mariadb-server", "/usr/sbin")
    install = _program("mariadb-install-db", "mariadb-server")
    client = _program("mariadb", "mariadb-server")
    as_user = _as_user("mysql", folder)
    data, port, socket = folder / "mariadb", free_port(), str(folder / "mariadb.sock")
    _run([install, "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal"], as_user)
    command = [server, "--no-defaults", f"--datadir={data}", f"--port={port}", f"--socket={socket}"]
    command += ["--bind-address=127.0.0.1", "--character-set-server=utf8mb4", f"--pid-file={socket}.pid"]
    ask = [client, "--no-defaults", f"--socket={socket}", "-u", "root", "-e"]
    with _running(command, [*ask, "SELECT 1"], folder / "mariadb.log", as_user):
        user = "mlflow@localhost"  # without its host, MariaDB's anonymous user would come before it
        _run([*ask, f"CREATE DATABASE mlflow; CREATE USER {user}; GRANT ALL ON mlflow.* TO {user}"], {})
        yield f"mysql+pymysql://mlflow@127.0.0.1:{port}/mlflow?charset=utf8mb4"


def _program(name: str, package: str, *folders: str) -> str:
    places = [str(place) for pattern in folders for place in sorted(Path("/").glob(pattern[1:]))]
    found = shutil.which(name, path=os.pathsep.join([*places, os.environ.get("PATH", "")]))
    if found is None:
        raise NotToBeHad(f"it needs {name} (on Debian and Ubuntu: apt-get install {package})")
    return found


def _as_user(name: str, folder: Path) -> dict[str, Any]:
    """How subprocess starts a program of this user's, to whom the folder is given; by root only."""
    if os.geteuid() != 0:
        return {}
    try:
        user = pwd.getpwnam(name)
    except KeyError:
        raise NotToBeHad(f"there is no user {name} to run it as, and it does not run as root") from None
    os.chown(folder, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _run(command: list[str], as_user: dict[str, Any]) -> None:
    done = subprocess.run(
        command, capture_output=True, text=True, cwd="/", timeout=START_SECONDS, check=False, **as_user
    )
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} failed: {done.stderr or done.stdout}")


@contextmanager
def _running(command: list[str], ready: list[str], output: Path, as_user: dict[str, Any]) -> Iterator[None]:
    """Run a server until the context ends; it is up once the command `ready` succeeds."""
    with (
        output.open("wb") as log,
        subprocess.Popen(
            command,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **as_user,
        ) as process,
    ):
        try:
            _wait(process, ready, output)
            yield
        finally:
            stop_group(process)


def _wait(process: subprocess.Popen[bytes], ready: list[str], output: Path) -> None:
    for _ in range(START_SECONDS * 10):
        try:
            process.wait(0.1)
            break
        except subprocess.TimeoutExpired:
            if subprocess.run(ready, capture_output=True, timeout=10, check=False).returncode == 0:
                return
    raise RuntimeError(f"{process.args!r} does not run:\n{output.read_text(errors='replace')[-2_000:]}")
