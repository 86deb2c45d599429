"""The store that replicas share, as config/deploy runs it: found by the replicas, bounded, and on no disk."""

import os
import re
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from service.settings.load import variables
from tests.deploy.files import (
    DEPLOY,
    ROOT,
    STORE,
    composed,
    container,
    document,
    kubernetes_settings,
    manifest,
    pod,
)

DEFAULTS = {name: default for name, default, _ in variables()}
CONFIGURATION = dict(
    line.split(" ", 1)
    for line in (STORE / "valkey.conf").read_text("utf-8").splitlines()
    if line and not line.startswith("#")
)
USERS = (STORE / "users.acl").read_text("utf-8")


class TestFound:
    def test_replicas_of_compose_find_it(self) -> None:
        """In Compose the replicas are on its network, and have its port and a password as a file."""
        settings = composed("tracking")["environment"]
        address = urlsplit(settings["TRACKING_STORE__URL"])
        assert CONFIGURATION["port"] == str(address.port)
        assert set(composed(str(address.hostname))["networks"]) <= set(composed("tracking")["networks"])
        secret = settings["TRACKING_STORE__PASSWORD_FILE"].removeprefix("/run/secrets/")
        assert secret in composed("tracking")["secrets"]
        assert [secret] == composed("valkey")["secrets"]
        assert f'STORE_PASSWORD_FILE:-/run/secrets/{secret}}}"' in (STORE / "start").read_text("utf-8")

    def test_replicas_of_kubernetes_find_it(self) -> None:
        """In a cluster the replicas name its Service, may reach its port, and have a password as a file."""
        settings = kubernetes_settings()
        service = manifest("service", STORE)
        address = urlsplit(settings["TRACKING_STORE__URL"])
        [port] = service["spec"]["ports"]
        assert (service["metadata"]["name"], port["port"]) == (address.hostname, address.port)
        [own] = container(STORE)["ports"]
        assert (port["targetPort"], CONFIGURATION["port"]) == (own["name"], str(own["containerPort"]))
        peers = {
            str(rule["ports"][0]["port"]): rule["to"][0]
            for rule in manifest("network-policy")["spec"]["egress"]
        }
        labels = manifest("deployment", STORE)["spec"]["template"]["metadata"]["labels"]
        assert {"podSelector": {"matchLabels": labels}} == peers[CONFIGURATION["port"]]
        assert labels == service["spec"]["selector"]
        mounts = {one["name"]: one["mountPath"] for one in container()["volumeMounts"]}
        secrets = {one["name"]: one["secret"]["secretName"] for one in pod()["volumes"]}
        [file] = [one["value"] for one in container(STORE)["env"]]
        assert file == settings["TRACKING_STORE__PASSWORD_FILE"] == f"{mounts['store-password']}/password"
        assert secrets["store-password"] in [
            one["secret"]["secretName"] for one in pod(STORE)["volumes"] if "secret" in one
        ]

    @pytest.mark.parametrize("settings", [composed("tracking")["environment"], kubernetes_settings()])
    def test_the_user_is_one_of_its(self, settings: dict[str, str]) -> None:
        """The user of the replicas is in the file of users, with the keys of the replicas' prefix."""
        prefix = settings.get("TRACKING_STORE__PREFIX", DEFAULTS["TRACKING_STORE__PREFIX"])
        user = settings["TRACKING_STORE__USERNAME"]
        assert re.search(rf"^user {user} on #PASSWORD_SHA256 .*~{prefix}:\* ", USERS, re.MULTILINE)

    def test_its_user_may_do_what_replicas_do(self) -> None:
        """The user has each command of the replicas' scripts and readers, and no other one."""
        [line] = [line for line in USERS.splitlines() if line.startswith("user tracking ")]
        code = "".join(path.read_text("utf-8") for path in (ROOT / "service" / "store").glob("*.py"))
        called = set(re.findall(r"redis\.p?call\('([A-Z]+)'", code))
        called |= set(re.findall(r'\("([A-Z]{3,})"', code))
        # What redis-py sends where the code has no word in capitals: to run a script, to choose a database.
        called -= {"BLOCK"}  # an option of XREAD
        called |= {"PING", "SELECT", "EVALSHA", "EVAL"}
        assert called == {word[1:].upper() for word in line.split() if word.startswith("+")}


class TestLimits:
    def test_only_what_expires_may_go(self) -> None:
        """Answers expire and may go; the index's log and snapshot stay. Nothing is written to a disk."""
        assert "volatile-lru" == CONFIGURATION["maxmemory-policy"]
        assert ('""', "no") == (CONFIGURATION["save"], CONFIGURATION["appendonly"])
        assert ["/data"] == composed("valkey")["tmpfs"]
        [data] = [one["emptyDir"] for one in pod(STORE)["volumes"] if "emptyDir" in one]
        assert "Memory" == data["medium"]

    def test_the_container_has_half_as_much_again(self) -> None:
        """The limit of the container leaves room above maxmemory, in Compose and in a cluster."""
        most = int(CONFIGURATION["maxmemory"].removesuffix("mb"))
        assert f"{most * 3 // 2}M" == composed("valkey")["deploy"]["resources"]["limits"]["memory"]
        assert f"{most * 3 // 2}Mi" == container(STORE)["resources"]["limits"]["memory"]

    def test_one_image_and_one_configuration(self) -> None:
        """Compose and the cluster run the same version with the same files, one at a time."""
        kustomization = document(STORE / "kustomization.yaml")
        [image] = kustomization["images"]
        assert composed("valkey")["image"] == f"{image['newName']}:{image['newTag']}"
        assert container(STORE)["image"] == image["name"]
        [generator] = kustomization["configMapGenerator"]
        assert {"start", "users.acl", "valkey.conf"} == set(generator["files"])
        assert composed("valkey")["command"] == container(STORE)["command"] == ["sh", "/etc/valkey/start"]
        assert ["./store:/etc/valkey:ro"] == composed("valkey")["volumes"]
        deployment = manifest("deployment", STORE)["spec"]
        assert (1, "Recreate") == (deployment["replicas"], deployment["strategy"]["type"])


def test_without_a_password_it_does_not_start(tmp_path: Path) -> None:
    """An empty password ends the start at once, in words that say what to set."""
    secret = tmp_path / "password"
    secret.write_text("\n")
    done = subprocess.run(
        ["/bin/sh", str(STORE / "start")],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "STORE_PASSWORD_FILE": str(secret)},
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    assert (2, True) == (done.returncode, "STORE_PASSWORD" in done.stderr)
    assert [secret] == list(tmp_path.iterdir())


def test_the_readme_names_the_secrets() -> None:
    """The README makes the Secret that the pods mount."""
    readme = (DEPLOY / "README.md").read_text("utf-8")
    names = {
        one["secret"]["secretName"]
        for folder in (pod(), pod(STORE))
        for one in folder["volumes"]
        if "secret" in one
    }
    assert names == {name for name in names if f"create secret generic {name}" in readme}
