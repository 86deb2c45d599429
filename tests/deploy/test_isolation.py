"""What runs by config/deploy/ meets only its neighbours, may do little, and is given its secrets."""

import itertools

import pytest

from tests.deploy.files import COMPOSE, ROOT, composed, container, document, kubernetes_settings, pod

SERVICES = ["haproxy", "tracking", "mlflow", "postgres"]  # each one's neighbours are beside it
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")


class TestNetworks:
    def test_only_the_balancer_is_published(self) -> None:
        """Nothing else has a port, and no network but the callers' leads out."""
        services = document(COMPOSE)["services"]
        assert ["haproxy"] == [name for name, service in services.items() if "ports" in service]
        networks = document(COMPOSE)["networks"]
        assert ["callers"] == [name for name, one in networks.items() if not one.get("internal")]
        assert ["haproxy"] == [name for name, one in services.items() if "callers" in one["networks"]]

    def test_only_neighbours_meet(self) -> None:
        """Callers cannot reach MLflow, nor replicas the database, by any network."""
        services = document(COMPOSE)["services"]
        meeting = {
            frozenset((one, other))
            for one in services
            for other in services
            if one != other and set(services[one]["networks"]) & set(services[other]["networks"])
        }
        assert {frozenset(pair) for pair in itertools.pairwise(SERVICES)} == meeting


class TestHardening:
    @pytest.mark.parametrize("service", SERVICES)
    def test_compose(self, service: str) -> None:
        """No container may write to its image, gain privileges, or take all of the machine."""
        one = composed(service)
        assert (True, ["ALL"], ["no-new-privileges:true"]) == (
            one["read_only"],
            one["cap_drop"],
            one["security_opt"],
        )
        assert {"cpus", "memory", "pids"} == set(one["deploy"]["resources"]["limits"])
        assert "healthcheck" in one or (service == "tracking" and "HEALTHCHECK" in DOCKERFILE)

    def test_pods(self) -> None:
        """The pods keep to the restricted profile, and take no environment from Services."""
        context = container()["securityContext"]
        assert context["readOnlyRootFilesystem"]
        assert context["allowPrivilegeEscalation"] is False
        assert ["ALL"] == context["capabilities"]["drop"]
        assert pod()["securityContext"]["runAsNonRoot"]
        assert "RuntimeDefault" == pod()["securityContext"]["seccompProfile"]["type"]
        assert pod()["enableServiceLinks"] is False
        assert pod()["automountServiceAccountToken"] is False


class TestSecrets:
    @pytest.mark.parametrize("service", SERVICES)
    def test_compose(self, service: str) -> None:
        """What is secret is in no variable of a container, where every inspection shows it."""
        for name, value in composed(service)["environment"].items():
            assert not name.endswith(("PASSWORD", "TOKEN")), name
            assert ":" not in value.rpartition("@")[0].partition("://")[2], name

    def test_where_they_come_from(self) -> None:
        """The database's password and the file of API keys are whoever starts Compose's to give."""
        expected = {
            "postgres_password": {"environment": "POSTGRES_PASSWORD"},
            "api_keys": {"file": "${API_KEYS_FILE:-./api-keys}"},
        }
        assert expected == document(COMPOSE)["secrets"]

    def test_kubernetes(self) -> None:
        """Credentials are in a Secret that these files do not hold."""
        assert not [
            name for name in kubernetes_settings() if name.endswith(("USERNAME", "PASSWORD", "TOKEN"))
        ]
