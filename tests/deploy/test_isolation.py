"""The deployment's containers reach only their neighbours, have few privileges, and get secrets as files."""

from pathlib import Path

import pytest

from tests.deploy.files import (
    COMPOSE,
    KUBERNETES,
    ROOT,
    STORE,
    composed,
    container,
    document,
    kubernetes_settings,
    manifest,
    pod,
)

SERVICES = ["haproxy", "tracking", "valkey", "mlflow", "postgres"]
NEIGHBOURS = [("haproxy", "tracking"), ("tracking", "valkey"), ("tracking", "mlflow"), ("mlflow", "postgres")]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")


class TestNetworks:
    def test_only_the_balancer_is_published(self) -> None:
        """Only HAProxy has a published port, and only the callers' network leads out."""
        services = document(COMPOSE)["services"]
        assert ["haproxy"] == [name for name, service in services.items() if "ports" in service]
        networks = document(COMPOSE)["networks"]
        assert ["callers"] == [name for name, one in networks.items() if not one.get("internal")]
        assert ["haproxy"] == [name for name, one in services.items() if "callers" in one["networks"]]

    def test_only_neighbours_meet(self) -> None:
        """No network connects callers with MLflow, replicas with the database, or MLflow with the store."""
        services = document(COMPOSE)["services"]
        meeting = {
            frozenset((one, other))
            for one in services
            for other in services
            if one != other and set(services[one]["networks"]) & set(services[other]["networks"])
        }
        assert set(map(frozenset, NEIGHBOURS)) == meeting

    def test_the_replicas_alone_reach_the_store(self) -> None:
        """In a cluster the store takes connections of the replicas alone, and makes none."""
        policy = manifest("network-policy", STORE)["spec"]
        [rule] = policy["ingress"]
        [peer] = rule["from"]
        labels = manifest("deployment")["spec"]["template"]["metadata"]["labels"]
        assert {"podSelector": {"matchLabels": labels}} == peer
        assert ({"Ingress", "Egress"}, []) == (set(policy["policyTypes"]), policy["egress"])


class TestHardening:
    @pytest.mark.parametrize("service", SERVICES)
    def test_containers_are_restricted(self, service: str) -> None:
        """No container may write to its image, gain privileges, or use all of the machine."""
        one = composed(service)
        assert (True, ["ALL"], ["no-new-privileges:true"]) == (
            one["read_only"],
            one["cap_drop"],
            one["security_opt"],
        )
        assert {"cpus", "memory", "pids"} == set(one["deploy"]["resources"]["limits"])
        assert "healthcheck" in one or (service == "tracking" and "HEALTHCHECK" in DOCKERFILE)

    @pytest.mark.parametrize("folder", [KUBERNETES, STORE], ids=lambda folder: folder.name)
    def test_pods_are_restricted(self, folder: Path) -> None:
        """The pods fit the restricted profile, and get no variables of Services."""
        context = container(folder)["securityContext"]
        assert context["readOnlyRootFilesystem"]
        assert context["allowPrivilegeEscalation"] is False
        assert ["ALL"] == context["capabilities"]["drop"]
        assert {"cpu", "memory"} == set(container(folder)["resources"]["limits"])
        assert pod(folder)["securityContext"]["runAsNonRoot"]
        assert "RuntimeDefault" == pod(folder)["securityContext"]["seccompProfile"]["type"]
        assert pod(folder)["enableServiceLinks"] is False
        assert pod(folder)["automountServiceAccountToken"] is False


class TestSecrets:
    @pytest.mark.parametrize("service", SERVICES)
    def test_no_secret_is_in_a_variable(self, service: str) -> None:
        """No secret is in a variable of a container, where `docker inspect` shows it."""
        for name, value in composed(service).get("environment", {}).items():
            assert not name.endswith(("PASSWORD", "TOKEN")), name
            assert ":" not in value.rpartition("@")[0].partition("://")[2], name

    def test_operators_supply_the_secrets(self) -> None:
        """Whoever starts Compose supplies two passwords and the file of API keys."""
        expected = {
            "postgres_password": {"environment": "POSTGRES_PASSWORD"},
            "store_password": {"environment": "STORE_PASSWORD"},
            "api_keys": {"file": "${API_KEYS_FILE:-./api-keys}"},
        }
        assert expected == document(COMPOSE)["secrets"]

    def test_the_secret_is_not_in_the_files(self) -> None:
        """Credentials are in a Secret that is not in these files."""
        assert not [
            name
            for name in kubernetes_settings()
            if name.endswith(("MLFLOW_TRACKING_USERNAME", "PASSWORD", "TOKEN"))
        ]
