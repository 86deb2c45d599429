"""A commit installs the same packages tomorrow: what its locks name and nothing else."""

import json
import re
import shlex
import subprocess
import sys
import venv
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.markers import Marker

from tests.deploy.files import DEPLOY, ROOT
from tests.deploy.releases import NEWER, Pin, pins, write_wheel

LOCKS = [*(ROOT / "config" / "locks").iterdir(), DEPLOY / "mlflow.txt"]
FLAGS = ("--no-deps", "--require-hashes", "--only-binary :all:")
PLACES = (
    "Makefile",
    "Dockerfile",
    "README.md",
    "docs/**/*.md",
    "CONTRIBUTING.md",
    ".ci/*",
    "config/**/*",
    "tests/**/*.md",
)
INSTALLED_WITHOUT_ITS_NEEDS = {"bench.txt", "valkey.txt"}  # nothing to check; the locks say why
# pip sees nothing but the folder of a test, whatever the machine has set.
ALONE = {"PIP_CONFIG_FILE": "/dev/null", "PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def commands(file: Path) -> Iterator[str]:
    """The lines of a file, continued ones as one, with what they take from a makefile's variables."""
    text = file.read_text("utf-8").replace("\\\n", " ")
    variables = dict(re.findall(r"^(\w+) := (.*)$", text, re.MULTILINE))
    for line in text.splitlines():
        while line != (expanded := re.sub(r"\$\((\w+)\)", lambda found: variables.get(found[1], ""), line)):
            line = expanded  # noqa: PLW2901 - until nothing is left to put in
        yield line


def installations() -> list[tuple[str, str]]:
    """Each file and command of the tree that has pip install something."""
    files = sorted(file for place in PLACES for file in ROOT.glob(place) if file.is_file())
    return [
        (str(file.relative_to(ROOT)), line)
        for file in files
        if file.suffix not in {".txt", ".json"}
        for line in commands(file)
        if re.search(r"\bpip\b.* install\b", line)
    ]


def of_locks() -> list[tuple[str, str]]:
    """Those that install from a lock."""
    return [(file, line) for file, line in installations() if re.search(r" (-r|--requirement)\b", line)]


@pytest.mark.parametrize(("file", "command"), of_locks())
def test_each_place_that_installs_a_lock_resolves_nothing(file: str, command: str) -> None:
    """pip is told to install what stands there, as it stands there, and to build nothing."""
    assert [] == [flag for flag in FLAGS if f" {flag} " not in command], (file, command)


def test_each_lock_is_installed_somewhere() -> None:
    """The places above are all that there are."""
    installed = {name for _, line in of_locks() for name in re.findall(r"([\w-]+\.txt)", line)}
    assert {lock.name for lock in LOCKS} == installed


@pytest.mark.parametrize("file", ["Makefile", "Dockerfile", "config/deploy/mlflow.Dockerfile"])
def test_what_was_installed_is_checked(file: str) -> None:
    """After each lock with what its packages need, pip looks whether they fit each other."""
    checks = [line for line in commands(ROOT / file) if re.search(r"\bpip\b.* check\b", line)]
    locks = {
        name for place, line in of_locks() if place == file for name in re.findall(r"([\w-]+\.txt)", line)
    }
    used = [line for line in checks if not line.startswith("FITS")]
    assert len(locks - INSTALLED_WITHOUT_ITS_NEEDS) == len(used)


def flags_of_make() -> list[str]:
    """How the Makefile installs a lock."""
    [line] = [line for line in commands(ROOT / "Makefile") if line.startswith("LOCKED := ")]
    return shlex.split(line.removeprefix("LOCKED := "))


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[Pin, str]]:
    """A folder with the locked and a newer release of each package, and the digests of the locked ones.

    They ask for what the real ones ask for, as far as those are installed here.
    """
    folder = tmp_path_factory.mktemp("packages")
    digests = {}
    for pin in {pin._replace(marker="") for lock in LOCKS for pin in pins(lock)}:
        try:
            metadata = distribution(pin.name).metadata
        except PackageNotFoundError:
            needs: tuple[str, ...] = ()
        else:
            needs = tuple(
                f"{header}: {value}"
                for header in ("Requires-Dist", "Provides-Extra")
                for value in metadata.get_all(header) or []
            )
        digests[pin] = write_wheel(folder, pin.name, pin.version, needs)
        write_wheel(folder, pin.name, NEWER, needs)
    return folder, digests


@pytest.fixture(scope="module")
def pip(tmp_path_factory: pytest.TempPathFactory) -> list[str | Path]:
    """The pip that comes with this Python, in an environment of its own."""
    folder = tmp_path_factory.mktemp("pip")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    return [folder / "bin" / "python", "-m", "pip"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dev", "run", "runtime", "sbom", "console"])
def test_newer_releases_change_nothing(
    packages: tuple[Path, dict[Pin, str]], pip: list[str | Path], tmp_path: Path, name: str
) -> None:
    """With newer releases in reach, this Python's pip installs exactly the lock, and nothing is missing."""
    folder, digests = packages
    locked = list(pins(ROOT / "config" / "locks" / f"{name}.txt"))
    lock = tmp_path / "lock.txt"
    lock.write_text(
        "".join(f"{line(pin)} --hash=sha256:{digests[pin._replace(marker='')]}\n" for pin in locked)
    )
    venv.create(tmp_path / "venv", with_pip=False, symlinks=True)
    into = [*pip, "--python", tmp_path / "venv" / "bin" / "python"]
    done = run(*into, *flags_of_make(), "--no-compile", "--find-links", folder, "-r", lock)
    assert 0 == done.returncode, done.stderr
    expected = {pin.name: pin.version for pin in locked if not pin.marker or Marker(pin.marker).evaluate()}
    assert expected == {
        re.sub(r"[-_.]+", "-", one["name"]).lower(): one["version"]
        for one in json.loads(run(*into, "list", "--format=json").stdout)
    }
    checked = run(*into, "check")
    assert (0, "No broken requirements found.\n") == (checked.returncode, checked.stdout)


def line(pin: Pin) -> str:
    """A package as a lock has it."""
    return f"{pin.name}=={pin.version}" + (f" ; {pin.marker}" if pin.marker else "")


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """What a command said, which was told of no package index."""
    return subprocess.run(command, env=ALONE, capture_output=True, text=True, timeout=300, check=False)
