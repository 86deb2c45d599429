"""Authentication in the deployment of config/deploy/: callers need an API key."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import pytest

from service.auth.api_keys import NewKey, new_key
from service.settings.load import Settings
from tests.api.serving import API, refused
from tests.deploy.balancer import Balancer, balancing, until
from tests.deploy.files import COMPOSE, DEPLOY, ROOT, composed, container, defaulted, document, pod
from tests.deploy.files import kubernetes_settings as pod_settings
from tests.deploy.names import name_server
from tests.deploy.replicas import Replica
from tests.fakes.mlflow import FakeMlflow
from tests.live.server import free_port

DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
README = (DEPLOY / "README.md").read_text("utf-8")
REPLICAS = 2
FILE = "TRACKING_AUTH__API_KEYS_FILE"


class TestFiles:
    @pytest.mark.parametrize("given", [composed("tracking")["environment"], pod_settings()])
    def test_the_image_starts_with_its_settings(
        self, given: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """With these settings, the image listens on all addresses and requires API keys."""
        assert "TRACKING_HOST=::\n" in DOCKERFILE
        for name, value in {**given, "TRACKING_HOST": "::"}.items():
            monkeypatch.setenv(name, value)
        settings = Settings()
        assert ("api_key", False) == (settings.auth.mode, settings.allow_anonymous)

    def test_compose_mounts_the_file(self) -> None:
        """The file of keys is a secret of the replicas."""
        name = composed("tracking")["environment"][FILE].removeprefix("/run/secrets/")
        assert name in composed("tracking")["secrets"]
        assert name in document(COMPOSE)["secrets"]

    def test_compose_trusts_the_balancer(self) -> None:
        """The trusted proxies are in the network that the replicas share with HAProxy alone."""
        network = document(COMPOSE)["networks"]["replicas"]
        [config] = network["ipam"]["config"]
        proxies = composed("tracking")["environment"]["TRACKING_TRUSTED_PROXIES"]
        assert proxies == defaulted(config["subnet"])
        members = [
            name for name, one in document(COMPOSE)["services"].items() if "replicas" in one["networks"]
        ]
        assert ["haproxy", "tracking"] == members

    def test_kubernetes_mounts_the_secret(self) -> None:
        """Pods need the Secret, can only read it, and see its changes, because it is mounted as a folder."""
        folder, _, file = pod_settings()[FILE].rpartition("/")
        [mount] = [one for one in container()["volumeMounts"] if one["mountPath"] == folder]
        [volume] = [one for one in pod()["volumes"] if one["name"] == mount["name"]]
        secret = volume["secret"]
        assert (True, False) == (mount["readOnly"], secret["optional"])
        assert "subPath" not in mount
        command = f"create secret generic {secret['secretName']} --from-file={file}="
        assert command in " ".join(README.replace("\\\n", "").split())

    def test_the_pods_user_can_read_the_keys(self) -> None:
        """Only the pod's group can read the file, and the store's password beside it."""
        modes = {volume["name"]: volume["secret"]["defaultMode"] for volume in pod()["volumes"]}
        assert 2 == len(modes)
        assert {0o440} == set(modes.values())
        context = pod()["securityContext"]
        assert context["runAsGroup"] == context["fsGroup"]


class Mounted:
    """A file of keys as the kubelet mounts it: the link `..data` to a folder is replaced in one step."""

    def __init__(self, directory: Path) -> None:
        self.file = directory / "api-keys"
        self._directory = directory
        self._version = 0
        self.file.symlink_to("..data/api-keys")

    def write(self, *keys: NewKey) -> None:
        """Replace all keys with these."""
        self._version += 1
        version = self._directory / f"..{self._version}"
        version.mkdir()
        (version / "api-keys").write_text("".join(f"{key.line}\n" for key in keys))
        (self._directory / "..data_tmp").symlink_to(version.name)
        (self._directory / "..data_tmp").rename(self._directory / "..data")


class Deployment(NamedTuple):
    """Replicas that want keys, the balancer in front of them, and a caller with an address of its own."""

    balancer: Balancer
    replicas: list[Replica]
    mounted: Mounted
    caller: aiohttp.ClientSession

    async def statuses(self, key: NewKey) -> set[int]:
        """What each replica, and some twice, answers to this key."""
        found = set()
        for _ in range(2 * REPLICAS):
            headers = {"Authorization": f"Bearer {key.key}", "Connection": "close"}
            async with self.caller.get(f"{API}/runs", headers=headers) as answer:
                found.add(answer.status)
        return found

    def logged(self) -> list[dict[str, Any]]:
        """The lines of the access logs of all replicas."""
        lines = [line for replica in self.replicas for line in replica.said().splitlines()]
        return [entry for line in lines if line.startswith("{") and "route" in (entry := json.loads(line))]


ALPHA, BETA = new_key("alpha"), new_key("beta")


@pytest.fixture
async def deployment(tmp_path: Path) -> AsyncIterator[Deployment]:
    """Two replicas that know the key of alpha."""
    port = free_port()
    (tmp_path / "keys").mkdir()
    mounted = Mounted(tmp_path / "keys")
    mounted.write(ALPHA)
    async with AsyncExitStack() as stack:
        fake = await stack.enter_async_context(FakeMlflow().serve())
        fake.add_run("0", "abc123")
        names = await stack.enter_async_context(name_server())
        variables = {
            "MLFLOW_TRACKING_URI": fake.url,
            "TRACKING_AUTH__MODE": "api_key",
            FILE: str(mounted.file),
            "TRACKING_ACCESS_LOG": "true",
        }
        replicas = [Replica(number, port, names, tmp_path, variables) for number in range(1, REPLICAS + 1)]
        for replica in replicas:
            stack.push_async_callback(replica.close)
            await replica.start()
        balancer = await stack.enter_async_context(balancing(tmp_path, names.address, port))
        await balancer.has(REPLICAS)  # by /readyz, for which HAProxy shows no key
        connector = aiohttp.TCPConnector(local_addr=("127.0.0.2", 0))
        caller = await stack.enter_async_context(aiohttp.ClientSession(balancer.url, connector=connector))
        yield Deployment(balancer, replicas, mounted, caller)


@pytest.mark.haproxy
async def test_only_callers_with_a_key(deployment: Deployment) -> None:
    """Through HAProxy, a caller without a key gets 401, and one with a key gets its answer."""
    async with deployment.caller.get(f"{API}/runs") as answer:
        assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
        await refused(answer, 401, "unauthenticated")
    assert {401} == await deployment.statuses(BETA)
    assert {200} == await deployment.statuses(ALPHA)
    async with deployment.caller.get(f"{API}/runs/abc123", headers={"X-API-Key": ALPHA.key}) as answer:
        assert (200, "abc123") == (answer.status, (await answer.json())["run_id"])
    body = {"run_ids": ["abc123", "def456"]}
    async with deployment.caller.post(f"{API}/runs/compare", json=body) as answer:
        await refused(answer, 401, "unauthenticated")


@pytest.mark.haproxy
async def test_the_logs_say_who_asked(deployment: Deployment) -> None:
    """A replica logs the caller's name and address, and never the key."""
    assert {200} == await deployment.statuses(ALPHA)

    async def logged() -> bool:
        asked = [one for one in deployment.logged() if one["path"] == f"{API}/runs"]
        return [("alpha", "127.0.0.2")] * 2 * REPLICAS == [(one["caller"], one["client"]) for one in asked]

    await until(logged, "all requests are in the logs", said=lambda: str(deployment.logged()))
    assert not [one for one in deployment.replicas if ALPHA.key in one.said()]


@pytest.mark.haproxy
async def test_keys_are_changed_while_it_runs(deployment: Deployment) -> None:
    """All replicas accept a new key and refuse a removed one without a restart."""

    async def both() -> bool:
        return {200} == await deployment.statuses(ALPHA) | await deployment.statuses(BETA)

    async def only_beta() -> bool:
        return ({401}, {200}) == (await deployment.statuses(ALPHA), await deployment.statuses(BETA))

    deployment.mounted.write(ALPHA, BETA)
    await until(both, "both keys are taken")
    deployment.mounted.write(BETA)
    await until(only_beta, "only the new key is taken")
