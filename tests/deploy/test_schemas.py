"""The files of config/deploy/ are valid by the schemas of those who read them."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.deploy.balancer import haproxy
from tests.deploy.files import COMPOSE, HAPROXY, KUBERNETES, STORE, document, manifest

# The oldest that still has the fields used here as they are, and the newest known.
KUBERNETES_VERSIONS = ["1.29", "1.37"]
MANIFESTS = {
    folder: sorted(path for path in folder.glob("*.yaml") if path.stem != "kustomization")
    for folder in (KUBERNETES, STORE)
}


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """A command's exit code and output, errors included."""
    return subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300, check=False
    )


def compose_check(path: Path) -> subprocess.CompletedProcess[str]:
    """Validate a file by the Compose Specification's schema."""
    options = ["-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    return run(sys.executable, *options, str(path))


def kubernetes_check(version: str, *paths: Path) -> subprocess.CompletedProcess[str]:
    """Validate files by the API's schemas of this version; what they do not know is an error."""
    return run(sys.executable, "-m", "kubernetes_validate", "--strict", "-k", version, *map(str, paths))


@pytest.mark.haproxy
def test_haproxy_takes_its_file() -> None:
    """HAProxy finds nothing wrong with haproxy.cfg, and nothing to warn of."""
    done = run(haproxy(), "-c", "-f", str(HAPROXY))
    assert 0 == done.returncode, done.stdout
    assert "WARNING" not in done.stdout


def test_without_haproxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where HAProxy is missing the tests fail, and say what to install."""
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    with pytest.raises(pytest.fail.Exception, match=r"apt-get install .*haproxy"):
        haproxy()


def test_compose() -> None:
    """compose.yaml is a Compose file."""
    done = compose_check(COMPOSE)
    assert 0 == done.returncode, done.stdout


def test_a_compose_file_with_a_slip(tmp_path: Path) -> None:
    """The check finds a key that Compose does not know."""
    wrong = document(COMPOSE)
    wrong["services"]["tracking"]["stop_grace"] = "25s"
    (tmp_path / "compose.yaml").write_text(yaml.safe_dump(wrong))
    done = compose_check(tmp_path / "compose.yaml")
    assert 0 != done.returncode
    assert "stop_grace" in done.stdout


@pytest.mark.parametrize("version", KUBERNETES_VERSIONS)
def test_kubernetes(version: str) -> None:
    """Each manifest is an object of the Kubernetes API."""
    paths = [path for folder in MANIFESTS.values() for path in folder]
    done = kubernetes_check(version, *paths)
    # An object without a schema is a mere warning, so the word is what counts.
    assert 0 == done.returncode, done.stdout
    assert len(paths) == done.stdout.count("passed for resource"), done.stdout


def test_a_manifest_with_a_slip(tmp_path: Path) -> None:
    """The check finds a key that Kubernetes does not know."""
    wrong = manifest("deployment")
    wrong["spec"]["template"]["spec"]["terminationGracePeriod"] = 25
    (tmp_path / "deployment.yaml").write_text(yaml.safe_dump(wrong))
    done = kubernetes_check(KUBERNETES_VERSIONS[-1], tmp_path / "deployment.yaml")
    assert 0 != done.returncode
    assert "terminationGracePeriod" in done.stdout


def test_kustomization_names_every_manifest() -> None:
    """kubectl apply -k applies all that is there."""
    resources = {folder: document(folder / "kustomization.yaml")["resources"] for folder in MANIFESTS}
    named = {path.name for path in MANIFESTS[KUBERNETES]}
    assert named | {"../store"} == set(resources[KUBERNETES])
    assert {path.name for path in MANIFESTS[STORE]} == set(resources[STORE])
