"""The files of config/deploy/, read as the tests need them."""

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "config" / "deploy"
HAPROXY = DEPLOY / "haproxy.cfg"
COMPOSE = DEPLOY / "compose.yaml"
KUBERNETES = DEPLOY / "kubernetes"
STORE = DEPLOY / "store"

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0}


def document(path: Path) -> dict[str, Any]:
    """The one YAML document of a file."""
    loaded = yaml.safe_load(path.read_text("utf-8"))
    assert isinstance(loaded, dict), path
    return loaded


def composed(service: str) -> dict[str, Any]:
    """A service of compose.yaml, with the environment as text, as its container has it by default."""
    found: dict[str, Any] = document(COMPOSE)["services"][service]
    environment = {name: defaulted(str(value)) for name, value in found.get("environment", {}).items()}
    return {**found, "environment": environment}


def manifest(name: str, folder: Path = KUBERNETES) -> dict[str, Any]:
    """A file of kubernetes/ or store/, by its name without the ending."""
    return document(folder / f"{name}.yaml")


def pod(folder: Path = KUBERNETES) -> dict[str, Any]:
    """The pod of the folder's Deployment."""
    found: dict[str, Any] = manifest("deployment", folder)["spec"]["template"]["spec"]
    return found


def container(folder: Path = KUBERNETES) -> dict[str, Any]:
    """The one container of the pod."""
    [found] = pod(folder)["containers"]
    return dict(found)


def kubernetes_settings() -> dict[str, str]:
    """The literals of the ConfigMap that kustomization.yaml makes."""
    [generator] = document(KUBERNETES / "kustomization.yaml")["configMapGenerator"]
    return dict(literal.split("=", 1) for literal in generator["literals"])


def defaulted(text: str) -> str:
    """The text with each ${NAME:-default} of Compose's replaced by its default."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)


def seconds(text: str) -> float:
    """A duration as HAProxy and Compose write it: 500ms, 25s, 1m."""
    found = re.fullmatch(r"(\d+)(ms|s|m)", text)
    assert found, text
    return int(found[1]) * _UNITS[found[2]]


def balancer_setting(*words: str, of_streams: bool = False) -> str:
    """What follows these words in haproxy.cfg, up to a comment: the value of the one line that starts so.

    of_streams: in the backend of streams; else anywhere but there.
    """
    pattern = r"\s+".join(map(re.escape, words)) + r"\s+(.*?)(?:\s+#.*)?"
    sections = re.split(r"^(?=\w)", HAPROXY.read_text("utf-8"), flags=re.MULTILINE)
    read = [one for one in sections if one.startswith("backend streams\n") == of_streams]
    lines = [line.strip() for section in read for line in section.splitlines()]
    [value] = [found[1] for line in lines if (found := re.fullmatch(pattern, line))]
    return value
