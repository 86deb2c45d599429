"""The store that replicas share, as config/deploy runs it: found by the replicas, bounded, and on no disk."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
import redis

from service.settings.load import variables
from tests.deploy.files import (
    DEPLOY,
    STORE,
    composed,
    container,
    document,
    kubernetes_settings,
    manifest,
    pod,
)
from tests.live.server import free_port
from tests.store.servers import PROGRAMS, find

DEFAULTS = {name: default for name, default, _ in variables()}
CONFIGURATION = dict(
    line.split(" ", 1)
    for line in (STORE / "valkey.conf").read_text("utf-8").splitlines()
    if line and not line.startswith("#")
)
USERS = (STORE / "users.acl").read_text("utf-8")
MEGABYTE = 2**20
PASSWORD = "a long and secret word"  # noqa: S105


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


class Started(NamedTuple):
    """A server that `start` has started. folder: where it may write."""

    port: int
    folder: Path

    def connected(self, password: str | None = PASSWORD) -> Any:
        """A connection, with the replicas' user and this password, or with none."""
        user = None if password is None else "tracking"
        return redis.Redis(port=self.port, username=user, password=password, decode_responses=True)


@contextmanager
def started(folder: Path, program: str, *options: str) -> Iterator[Started]:
    """config/deploy/store/start with this program as `valkey-server`, and these options besides."""
    programs, data, secret = folder / "bin", folder / "data", folder / "password"
    programs.mkdir()
    data.mkdir()
    (programs / "valkey-server").symlink_to(find(program))
    secret.write_text(f"{PASSWORD}\n")
    port = free_port()
    process = subprocess.Popen(
        ["/bin/sh", str(STORE / "start"), "--port", str(port), "--bind", "127.0.0.1", *options],
        cwd=data,
        env={"PATH": f"{programs}:{os.environ['PATH']}", "STORE_PASSWORD_FILE": str(secret)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if "ready to accept connections" in line.lower():
                break
        else:
            pytest.fail(f"it ended with {process.wait(10)}: {said}")
        yield Started(port, data)
    finally:
        process.terminate()
        process.communicate(timeout=10)


@pytest.mark.fleet
@pytest.mark.parametrize("program", PROGRAMS)
class TestRunning:
    def test_who_has_no_password_may_only_ask_whether_it_lives(self, program: str, tmp_path: Path) -> None:
        """The probe needs no password; with none, or a wrong one, nothing else is to be had."""
        with started(tmp_path, program) as store:
            stranger = store.connected(None)
            assert stranger.ping()
            with pytest.raises(redis.exceptions.NoPermissionError):
                stranger.get("tracking:v:1")
            with pytest.raises(redis.exceptions.AuthenticationError):
                store.connected("another word").ping()

    def test_the_replicas_keep_to_their_keys(self, program: str, tmp_path: Path) -> None:
        """The replicas' user has the keys of its prefix, and neither others nor the server's own affairs."""
        with started(tmp_path, program) as store:
            replica = store.connected()
            assert replica.set("tracking:v:1", "one", px=60_000)
            assert "one" == replica.get("tracking:v:1")
            for command in (["SET", "another", "1"], ["CONFIG", "GET", "*"], ["KEYS", "*"], ["FLUSHALL"]):
                with pytest.raises(redis.exceptions.NoPermissionError):
                    replica.execute_command(*command)

    def test_a_full_store_lets_answers_go(self, program: str, tmp_path: Path) -> None:
        """Where the memory is full, answers that are asked for least go, and what does not expire stays."""
        with started(tmp_path, program, "--maxmemory", f"{4 * MEGABYTE}") as store:
            replica = store.connected()
            replica.set("tracking:snapshot", "all runs")
            for number in range(2_000):
                assert replica.set(f"tracking:v:{number}", "x" * 4_096, px=600_000)
            assert "all runs" == replica.get("tracking:snapshot")
            assert replica.get("tracking:v:1999") is not None
            assert replica.get("tracking:v:0") is None

    def test_nothing_of_it_is_on_a_disk(self, program: str, tmp_path: Path) -> None:
        """What is kept beside it is the file of users, which has a digest in the password's place."""
        with started(tmp_path, program) as store:
            store.connected().set("tracking:v:1", "one")
            folder = store.folder
        assert ["users.acl"] == [path.name for path in folder.iterdir()]
        users = (folder / "users.acl").read_text("utf-8")
        assert PASSWORD not in users
        assert f"#{sha256(PASSWORD.encode()).hexdigest()}" in users
        assert 0o600 == (folder / "users.acl").stat().st_mode & 0o777


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
