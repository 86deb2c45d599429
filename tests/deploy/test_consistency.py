"""The files of config/deploy/ agree with each other, with the image and with the service that they deploy."""

import re
import shlex

import pytest

from service import __version__
from service.api.event_hub import BEAT_SECONDS
from service.http.errors import BodyTimeout, NotFound
from service.http.server import KEEPALIVE_SECONDS, SHUTDOWN_SECONDS
from service.settings.load import Settings, variables
from tests.deploy.files import (
    COMPOSE,
    DEPLOY,
    HAPROXY,
    KUBERNETES,
    ROOT,
    balancer_setting,
    composed,
    container,
    document,
    kubernetes_settings,
    manifest,
    pod,
    seconds,
)
from tests.deploy.releases import pins
from tests.fakes.mlflow import VERSION as MLFLOW_VERSION

DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
DEFAULTS = {name: default for name, default, _ in variables()}
README = (DEPLOY / "README.md").read_text("utf-8")
CALLS_PER_WORKER = 8  # of MLflow's, as TRACKING_UPSTREAM__MAX_IN_FLIGHT says
FEWEST_CALLS = 3  # at once that a replica can do with


def balancer_variables() -> dict[str, str]:
    """haproxy.cfg's variables and their defaults."""
    lines = [shlex.split(line, comments=True) for line in HAPROXY.read_text("utf-8").splitlines()]
    return {words[1]: words[2] for words in lines if words[:1] == ["presetenv"]}


def server_options() -> dict[str, str]:
    """The options of every server that take a value."""
    words = balancer_setting("default-server", "check").split()
    return dict(zip(words[::2], words[1::2], strict=True))


SETTINGS = {"compose": composed("tracking")["environment"], "kubernetes": kubernetes_settings()}


@pytest.mark.parametrize("given", SETTINGS.values(), ids=list(SETTINGS))
class TestSettings:
    def test_each_is_one_of_the_services(self, given: dict[str, str]) -> None:
        """Every variable is a setting of the service."""
        assert set(given) <= set(DEFAULTS)

    def test_the_service_accepts_each_value(
        self, given: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The service accepts the value of every variable."""
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        assert given["MLFLOW_TRACKING_URI"] == Settings().mlflow_tracking_uri

    def test_replicas_together_ask_no_more_than_mlflow_can_answer(self, given: dict[str, str]) -> None:
        """The calls of all replicas together fit MLflow's workers, and each replica gets some of them."""
        workers = int(composed("mlflow")["environment"]["MLFLOW_WORKERS"])
        is_composed = given is SETTINGS["compose"]
        scale = {"minReplicas": composed("tracking")["deploy"]["replicas"]}
        scale = scale if is_composed else manifest("autoscaler")["spec"]
        fewest = scale["minReplicas"]
        in_flight = int(given["TRACKING_STORE__MAX_IN_FLIGHT"])
        assert workers * CALLS_PER_WORKER == in_flight
        assert in_flight // scale.get("maxReplicas", fewest) >= FEWEST_CALLS
        assert in_flight // fewest == int(given["TRACKING_UPSTREAM__MAX_IN_FLIGHT"])


class TestTimes:
    def test_compose_waits_for_the_drain(self) -> None:
        """Compose kills a container only after the drain and the requests in flight."""
        drain = float(SETTINGS["compose"]["TRACKING_DRAIN_SECONDS"])
        assert seconds(composed("tracking")["stop_grace_period"]) > drain + SHUTDOWN_SECONDS

    def test_kubernetes_waits_for_the_drain(self) -> None:
        """Kubernetes kills a pod only after the drain and the requests in flight."""
        drain = float(SETTINGS["kubernetes"]["TRACKING_DRAIN_SECONDS"])
        assert pod()["terminationGracePeriodSeconds"] > drain + SHUTDOWN_SECONDS

    def test_requests_in_flight_have_their_deadline(self) -> None:
        """At shutdown, requests in flight have at least as long as their deadline."""
        assert DEFAULTS["TRACKING_DEADLINE"] <= SHUTDOWN_SECONDS

    def test_the_balancer_notices_within_the_drain(self) -> None:
        """HAProxy's checks find a replica that drains in less than half the drain."""
        options = server_options()
        noticed = seconds(options["inter"]) * int(options["fall"])
        assert noticed * 2 < float(SETTINGS["compose"]["TRACKING_DRAIN_SECONDS"])

    def test_kubernetes_notices_within_the_drain(self) -> None:
        """Kubernetes' readiness probe fails before the drain ends."""
        probe = container()["readinessProbe"]
        drain = float(SETTINGS["kubernetes"]["TRACKING_DRAIN_SECONDS"])
        assert probe["periodSeconds"] * probe["failureThreshold"] < drain

    def test_the_service_answers_before_the_balancer_times_out(self) -> None:
        """HAProxy waits longer than the service's deadline, and a caller may wait longer still."""
        server, client = (seconds(balancer_setting("timeout", name)) for name in ("server", "client"))
        assert DEFAULTS["TRACKING_DEADLINE"] < server < client

    def test_connecting_leaves_time(self) -> None:
        """All of HAProxy's attempts to connect together take less than the service's deadline."""
        attempts = 1 + int(balancer_setting("retries"))
        assert attempts * seconds(balancer_setting("timeout", "connect")) < DEFAULTS["TRACKING_DEADLINE"]

    def test_idle_connections_end_in_the_right_order(self) -> None:
        """Idle connections of callers are closed first, and those of the replicas last."""
        client = seconds(balancer_setting("timeout", "http-keep-alive"))
        assert client < KEEPALIVE_SECONDS
        assert seconds(server_options()["pool-purge-delay"]) < KEEPALIVE_SECONDS

    def test_the_balancer_may_finish(self) -> None:
        """HAProxy waits for its requests, and Compose waits for HAProxy."""
        stop = seconds(balancer_setting("hard-stop-after"))
        server = seconds(balancer_setting("timeout", "server"))
        assert server < stop < seconds(composed("haproxy")["stop_grace_period"])


class TestPlaces:
    def test_ports(self) -> None:
        """All files name the port at which the image listens."""
        port = str(DEFAULTS["TRACKING_PORT"])
        assert f"EXPOSE {port}\n" in DOCKERFILE
        assert f"tracking:{port}" == composed("haproxy")["environment"]["BALANCER_REPLICAS"]
        assert [{"name": "http", "containerPort": int(port)}] == container()["ports"]
        annotations = manifest("deployment")["spec"]["template"]["metadata"]["annotations"]
        assert port == annotations["prometheus.io/port"]

    def test_the_balancers_port(self) -> None:
        """The published port is the one that HAProxy binds."""
        [published] = composed("haproxy")["ports"]
        assert published.endswith(balancer_variables()["BALANCER_BIND"])
        operators = balancer_variables()["BALANCER_OPERATORS_BIND"]
        assert f"127.0.0.1{operators}/healthz" in str(composed("haproxy")["healthcheck"]["test"])

    def test_mlflow_allows_the_host_that_the_service_sends(self) -> None:
        """The Host header that the service sends is one that MLflow allows."""
        mlflow = composed("mlflow")
        host = SETTINGS["compose"]["MLFLOW_TRACKING_URI"].removeprefix("http://")
        assert host in mlflow["environment"]["MLFLOW_SERVER_ALLOWED_HOSTS"].split(",")
        assert host == f"mlflow:{mlflow['healthcheck']['test'][-1].split(', ')[2]}"

    def test_the_networks_of_the_policy(self) -> None:
        """The network policy lets pods reach MLflow's port."""
        port = int(SETTINGS["kubernetes"]["MLFLOW_TRACKING_URI"].rpartition(":")[2])
        egress = manifest("network-policy")["spec"]["egress"]
        assert port in [one["port"] for rule in egress for one in rule["ports"]]


class TestNames:
    def test_versions(self) -> None:
        """The tags of the images are the versions of what they contain."""
        assert f"experiment-tracking:{__version__}" == composed("tracking")["image"]
        [image] = document(KUBERNETES / "kustomization.yaml")["images"]
        assert (container()["image"], __version__) == (image["name"], image["newTag"])
        locked = {pin.name: pin.version for pin in pins(DEPLOY / "mlflow.txt")}
        assert MLFLOW_VERSION == locked["mlflow"]
        assert composed("mlflow")["image"].endswith(f":{MLFLOW_VERSION}")

    def test_the_user_is_the_images(self) -> None:
        """Pods run as the user that the image names."""
        context = pod()["securityContext"]
        assert f"USER {context['runAsUser']}:{context['runAsGroup']}\n" in DOCKERFILE

    def test_selectors(self) -> None:
        """Every selector matches the labels of the pods."""
        deployment = manifest("deployment")
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        selectors = [
            deployment["spec"]["selector"]["matchLabels"],
            manifest("service")["spec"]["selector"],
            manifest("disruption-budget")["spec"]["selector"]["matchLabels"],
            manifest("network-policy")["spec"]["podSelector"]["matchLabels"],
            *(spread["labelSelector"]["matchLabels"] for spread in pod()["topologySpreadConstraints"]),
        ]
        assert [labels] * len(selectors) == selectors
        target = manifest("autoscaler")["spec"]["scaleTargetRef"]
        assert deployment["metadata"]["name"] == target["name"]

    def test_the_settings_of_the_pods(self) -> None:
        """Pods read the generated ConfigMap, and start without the Secret of credentials."""
        [generator] = document(KUBERNETES / "kustomization.yaml")["configMapGenerator"]
        config, secret = container()["envFrom"]
        assert generator["name"] == config["configMapRef"]["name"]
        assert secret["secretRef"]["optional"]

    def test_the_balancers_variables(self) -> None:
        """haproxy.cfg has a default for each variable that it reads or that Compose sets."""
        known = set(balancer_variables())
        assert set(composed("haproxy")["environment"]) <= known
        assert known == set(re.findall(r"\$\{(\w+)(?:\[\*\])?\}", HAPROXY.read_text("utf-8")))


class TestBalancer:
    def test_limits_are_the_replicas(self) -> None:
        """HAProxy sends a replica as many requests as it accepts, and has a slot for each replica."""
        assert DEFAULTS["TRACKING_MAX_REQUESTS"] == int(server_options()["maxconn"])
        slots = int(balancer_setting("server-template", "replica").split()[0])
        assert slots >= composed("tracking")["deploy"]["replicas"]

    def test_a_replica_refuses_streams_itself(self) -> None:
        """HAProxy has room for more streams than a replica, which answers as browsers understand it."""
        options = balancer_setting("default-server", of_streams=True).split()
        assert DEFAULTS["TRACKING_MAX_STREAMS"] < int(options[options.index("maxconn") + 1])

    def test_a_stream_is_never_silent_for_long(self) -> None:
        """Comments come well within what HAProxy waits for the next bytes, on both of its sides."""
        server = seconds(balancer_setting("timeout", "server", of_streams=True))
        client = seconds(balancer_setting("timeout", "client"))
        assert 3 * BEAT_SECONDS <= min(server, client)

    def test_files(self) -> None:
        """Two descriptors for each caller fit the limit that Compose sets."""
        callers = int(balancer_variables()["BALANCER_MAX_CALLERS"])
        assert composed("haproxy")["ulimits"]["nofile"] >= 4 * callers

    def test_the_probes_are_the_services(self) -> None:
        """Balancers ask /readyz; whatever restarts a process asks /livez."""
        assert "/readyz" == balancer_setting("http-check", "send", "meth", "GET", "uri")
        probes = {name: container()[name]["httpGet"]["path"] for name in container() if "Probe" in name}
        assert {"startupProbe": "/livez", "livenessProbe": "/livez", "readinessProbe": "/readyz"} == probes
        assert '["python", "-m", "service.commands.healthy"]' in DOCKERFILE  # which asks /livez


class TestReadme:
    def test_variables(self) -> None:
        """The README explains every variable that compose.yaml reads, and no others."""
        passwords = {"POSTGRES_PASSWORD", "STORE_PASSWORD"}
        read = set(re.findall(r"\$\{(\w+)", COMPOSE.read_text("utf-8"))) | passwords
        rows = [line.split("|")[1] for line in README.splitlines() if line.startswith("| `")]
        told = {name for row in rows for name in re.findall(r"`([A-Z_]{5,})`", row)}
        assert read == told

    def test_codes(self) -> None:
        """The README explains every code of HAProxy's own answers that the service does not have."""
        codes = set(re.findall(r'"code": "(\w+)"', HAPROXY.read_text("utf-8")))
        told = set(re.findall(r"^\| \d{3} \| `(\w+)` \|", README, re.MULTILINE))
        assert codes - {error.code for error in (NotFound, BodyTimeout)} == told
