"""What is done once MLflow answers: the sample, where it belongs, and the end of the making."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from service.local.first_run import finish
from service.local.store import Store

URL = "http://127.0.0.1:5000"


class Sample:
    """Stands in for the program that writes the sample."""

    def __init__(self) -> None:
        self.code = 0
        self.commands: list[list[str]] = []
        self.environments: list[dict[str, str]] = []

    def run(self, command: list[str], *, env: dict[str, str], check: bool) -> Any:
        assert not check
        self.commands.append(command)
        self.environments.append(env)
        return subprocess.CompletedProcess(command, self.code)


@pytest.fixture
def sample(monkeypatch: pytest.MonkeyPatch) -> Sample:
    sample = Sample()
    monkeypatch.setattr(subprocess, "run", sample.run)
    return sample


@pytest.fixture
def new(tmp_path: Path) -> Store:
    """The service's own store, as this start has made it."""
    store = Store(tmp_path / "mlflow.db", is_own=True, is_new=True)
    store.unfinished.touch()
    return store


def command(*options: str) -> list[str]:
    return [sys.executable, "-m", "service.local.sample", *options, URL, "Default"]


class TestItsOwnStore:
    def test_a_new_one_gets_the_sample(self, new: Store, sample: Sample) -> None:
        """The sample is brought once, and the store is finished."""
        finish(new, URL, "Default", sample=True)
        assert [command()] == sample.commands
        assert not new.unfinished.exists()

    def test_nobody_wants_it(self, new: Store, sample: Sample) -> None:
        """Without --sample a new store is finished as it is."""
        finish(new, URL, "Default", sample=False)
        assert [] == sample.commands
        assert not new.unfinished.exists()

    def test_the_sample_fails(self, new: Store, sample: Sample) -> None:
        """A sample that failed is completed at the next start that wants it, and not by another one."""
        sample.code = 1
        finish(new, URL, "Default", sample=True)
        assert new.unfinished.exists()
        later = new._replace(is_new=False, is_unfinished=True)
        finish(later, URL, "Default", sample=False)
        assert new.unfinished.exists()
        sample.code = 0
        finish(later, URL, "Default", sample=True)
        assert [command(), command("--resume")] == sample.commands
        assert not new.unfinished.exists()

    def test_ctrl_c(self, new: Store, sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
        """A sample that is broken off leaves the store unfinished."""

        def interrupted(*_: Any, **__: Any) -> Any:
            raise KeyboardInterrupt

        monkeypatch.setattr(subprocess, "run", interrupted)
        with pytest.raises(KeyboardInterrupt):
            finish(new, URL, "Default", sample=True)
        assert new.unfinished.exists()
        assert [] == sample.commands

    @pytest.mark.parametrize("is_read_only", [False, True])
    def test_one_that_was_there(self, new: Store, sample: Sample, *, is_read_only: bool) -> None:
        """A store of an earlier start gets nothing."""
        there = new._replace(is_new=False, is_read_only=is_read_only)
        finish(there, URL, "Default", sample=True)
        assert [] == sample.commands


class TestTheUsersStore:
    @pytest.mark.parametrize("is_new", [False, True])
    @pytest.mark.parametrize("is_unfinished", [False, True])
    def test_it_never_gets_the_sample(
        self, new: Store, sample: Sample, *, is_new: bool, is_unfinished: bool
    ) -> None:
        """Whoever names a store does not get made-up runs in it, be it new; it is finished at once."""
        store = new._replace(is_own=False, is_new=is_new, is_unfinished=is_unfinished)
        finish(store, URL, "Default", sample=True)
        assert [] == sample.commands
        assert new.unfinished.exists() == (not is_new and not is_unfinished)


def test_the_sample_talks_to_the_local_mlflow_only(
    new: Store, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No proxy stands before loopback, and no credential for another MLflow is sent to the local one."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_URI"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("PYTHONPATH", "/of/the/user")
    finish(new, URL, "Default", sample=True)
    [given] = sample.environments
    assert "http://127.0.0.1:9" not in given.values()
    assert "*" == given["NO_PROXY"]
    root, users = given["PYTHONPATH"].split(":")
    assert (Path(root) / "service" / "local" / "sample").is_dir()
    assert "/of/the/user" == users
