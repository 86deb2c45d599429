"""The files of config/deploy/ are valid by the schemas of those who read them."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import check_jsonschema  # type: ignore[import-untyped] # it has no types of its own
import kubernetes_validate  # type: ignore[import-untyped] # nor has this one
import pytest
import yaml
from click.testing import CliRunner, Result

from tests.deploy.balancer import haproxy
from tests.deploy.files import COMPOSE, HAPROXY, KUBERNETES, STORE, document, manifest

# The oldest that still has the fields used here as they are, and the newest known.
KUBERNETES_VERSIONS = ["1.29", "1.37"]
MANIFESTS = {
    folder: sorted(path for path in folder.glob("*.yaml") if path.stem != "kustomization")
    for folder in (KUBERNETES, STORE)
}


def compose_check(path: Path) -> Result:
    """Validate a file by the Compose Specification's schema."""
    return CliRunner().invoke(check_jsonschema.main, ["--builtin-schema", "vendor.compose-spec", str(path)])


def kubernetes_check(version: str, described: dict[str, Any]) -> None:
    """Validate an object by the API's schema of this version; what it does not know is a ValidationError."""
    kubernetes_validate.validate(described, version, strict=True)


@pytest.mark.haproxy
def test_haproxy_takes_its_file() -> None:
    """HAProxy finds nothing wrong with haproxy.cfg, and nothing to warn of."""
    done = subprocess.run(
        [haproxy(), "-c", "-f", str(HAPROXY)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
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
    assert 0 == done.exit_code, done.output


def test_a_compose_file_with_a_slip(tmp_path: Path) -> None:
    """The check finds a key that Compose does not know."""
    wrong = document(COMPOSE)
    wrong["services"]["tracking"]["stop_grace"] = "25s"
    (tmp_path / "compose.yaml").write_text(yaml.safe_dump(wrong))
    done = compose_check(tmp_path / "compose.yaml")
    assert 0 != done.exit_code
    assert "stop_grace" in done.output


@pytest.mark.parametrize("version", KUBERNETES_VERSIONS)
def test_kubernetes(version: str) -> None:
    """Each manifest is an object of the Kubernetes API."""
    for path in (path for folder in MANIFESTS.values() for path in folder):
        kubernetes_check(version, document(path))


def test_a_manifest_with_a_slip() -> None:
    """The check finds a key that Kubernetes does not know."""
    wrong = manifest("deployment")
    wrong["spec"]["template"]["spec"]["terminationGracePeriod"] = 25
    with pytest.raises(kubernetes_validate.ValidationError, match="terminationGracePeriod"):
        kubernetes_check(KUBERNETES_VERSIONS[-1], wrong)


def test_kustomization_names_every_manifest() -> None:
    """kubectl apply -k applies all that is there."""
    resources = {folder: document(folder / "kustomization.yaml")["resources"] for folder in MANIFESTS}
    named = {path.name for path in MANIFESTS[KUBERNETES]}
    assert named | {"../store"} == set(resources[KUBERNETES])
    assert {path.name for path in MANIFESTS[STORE]} == set(resources[STORE])
