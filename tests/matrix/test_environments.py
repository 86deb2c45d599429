"""Which Python and which environment a server of the matrix gets."""

import sys
from pathlib import Path

import pytest

from tests.matrix.servers import PINS, SERVERS
from tests.matrix.servers.environments import NotToBeHad, environment, interpreter, variable

OURS = f"{sys.version_info[0]}.{sys.version_info[1]}"


def test_the_python_of_the_tests_serves_where_it_fits() -> None:
    """A version that is the one of these tests needs no other interpreter."""
    assert sys.executable == interpreter((OURS,))


def test_a_python_that_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without a Python of a version that is wanted, the reason says which is."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    with pytest.raises(NotToBeHad, match=r"it needs Python 2\.6 or 2\.7"):
        interpreter(("2.6", "2.7"))


def test_a_program_that_only_bears_the_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A python2.7 that does not run, as pyenv's shims may not, is none."""
    shim = tmp_path / "python2.7"
    shim.write_text("#!/bin/sh\nexit 127\n")
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotToBeHad):
        interpreter(("2.7",))


def test_an_environment_that_is_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A variable names an environment that is used as it is; one that is none is refused by its name."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("MATRIX_MLFLOW_1_30", str(tmp_path))
    assert tmp_path / "bin" == environment(PINS / "mlflow-1.30.txt", ("3.10",))
    monkeypatch.setenv("MATRIX_MLFLOW_1_30", str(tmp_path / "bin"))
    with pytest.raises(NotToBeHad, match="MATRIX_MLFLOW_1_30"):
        environment(PINS / "mlflow-1.30.txt", ("3.10",))


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.name)
def test_every_server_has_its_pins(server: object) -> None:
    """Each server's packages are pinned with hashes, and no package index is named."""
    file = PINS / f"{getattr(server, 'pins', '')}.txt"
    lines = [line for line in file.read_text().splitlines() if line and not line.startswith("#")]
    assert all("==" in line or line.startswith("    --hash=sha256:") for line in lines)
    assert not any("index" in line or "://" in line for line in lines)
    assert variable(file.stem).startswith("MATRIX_")
