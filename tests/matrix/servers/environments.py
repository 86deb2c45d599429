"""A virtual environment for each server, with exactly the packages of its file of pins."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

CACHE = Path(__file__).parents[3] / ".matrix"
INSTALL_SECONDS = 1_800
# What a developer's machine says to pip and what it says to Python concerns other environments.
_FOREIGN = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PYENV_VERSION")


class NotToBeHad(Exception):
    """A server that cannot be tried here. Its message says what is missing."""


def variable(name: str) -> str:
    """The environment variable that names an environment to be used instead of one made here."""
    return "MATRIX_" + re.sub(r"\W", "_", name).upper()


def environment(pins: Path, pythons: tuple[str, ...]) -> Path:
    """The `bin` folder of an environment with these packages; it is made where it is not there yet.

    pins: a file of requirements with hashes. pythons: the versions that have them, the preferred one first.
    NotToBeHad where none of them is installed, or where a package cannot be installed.
    """
    name = pins.stem
    if given := os.environ.get(variable(name)):
        return _given(Path(given), variable(name))
    folder = CACHE / name
    wanted = hashlib.sha256(pins.read_bytes()).hexdigest()
    stamp = folder / "pins.sha256"
    if not stamp.is_file() or stamp.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        _make(folder, pins, interpreter(pythons))
        stamp.write_text(wanted)
    return folder / "bin"


def _given(folder: Path, name: str) -> Path:
    if not (folder / "bin").is_dir():
        raise NotToBeHad(f"{name} names {folder}, which is no virtual environment")
    return folder.absolute() / "bin"


def _make(folder: Path, pins: Path, python: str) -> None:
    install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    install += ["--require-hashes", "-r", str(pins)]
    _run([python, "-m", "venv", str(folder)])
    _run([str(folder / "bin" / "python"), *install])


def _run(command: list[str]) -> None:
    variables = {key: value for key, value in os.environ.items() if key not in _FOREIGN}
    done = subprocess.run(
        command, capture_output=True, text=True, env=variables, timeout=INSTALL_SECONDS, check=False
    )
    if done.returncode != 0:
        errors = [line for line in done.stderr.splitlines() if "error" in line.lower()] or [done.stderr]
        raise NotToBeHad(f"{' '.join(command[:4])} … failed: {errors[0][-300:]}")


def interpreter(pythons: tuple[str, ...]) -> str:
    """The first of these versions of Python that is installed: ours, on the PATH, or pyenv's."""
    for version in pythons:
        for candidate in _candidates(version):
            if _is_python(candidate, version):
                return candidate
    raise NotToBeHad(f"it needs Python {' or '.join(pythons)}")


def _candidates(version: str) -> Iterator[str]:
    yield sys.executable
    if found := shutil.which(f"python{version}"):
        yield found
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from sorted(map(str, pyenv.glob(f"versions/{version}.*/bin/python")), reverse=True)


def _is_python(program: str, version: str) -> bool:
    command = [program, "-c", "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode == 0 and done.stdout.strip() == version
