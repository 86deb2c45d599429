"""config/deploy/prometheus: Prometheus accepts its configuration, and each alert fires when it should."""

import shutil
from collections import defaultdict
from pathlib import Path

import pytest

from tests.deploy.files import document
from tests.operations.files import ALERTS, ALERTS_TEST, CONFIGURATION, PROMETHEUS, rules
from tests.operations.programs import program, promtool

NAMES = [rule["alert"] for rule in rules() if "alert" in rule]


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The folder as an operator has it, with a key beside the configuration."""
    copy = tmp_path / "prometheus"
    shutil.copytree(PROMETHEUS, copy)
    (copy / "api-key").write_text("etk_1\n")
    return copy


@pytest.mark.prometheus
def test_the_configuration(copied: Path) -> None:
    """Prometheus finds nothing wrong with prometheus.yaml and the files that it names."""
    done = promtool("check", "config", str(copied / CONFIGURATION.name))
    assert 0 == done.returncode, done.stdout


@pytest.mark.prometheus
def test_a_configuration_without_its_key(copied: Path) -> None:
    """The check finds that the key's file is missing."""
    (copied / "api-key").unlink()
    done = promtool("check", "config", str(copied / CONFIGURATION.name))
    assert 0 != done.returncode
    assert "api-key" in done.stdout


@pytest.mark.prometheus
def test_the_rules() -> None:
    """Prometheus finds nothing wrong with the rules."""
    done = promtool("check", "rules", "--lint=all", "--lint-fatal", str(ALERTS))
    assert 0 == done.returncode, done.stdout


@pytest.mark.prometheus
def test_when_alerts_fire() -> None:
    """Each case of alerts-test.yaml holds."""
    done = promtool("test", "rules", str(ALERTS_TEST))
    assert 0 == done.returncode, done.stdout


@pytest.mark.prometheus
def test_the_cases_notice_an_alert_that_never_fires(copied: Path) -> None:
    """The cases fail if an alert never fires."""
    alerts = copied / ALERTS.name
    alerts.write_text(alerts.read_text("utf-8").replace("ratio_rate5m > 0.2", "ratio_rate5m > 2"))
    done = promtool("test", "rules", str(copied / ALERTS_TEST.name))
    assert 0 != done.returncode
    assert "TrackingMlflowFails" in done.stdout


def test_each_alert_has_its_cases() -> None:
    """For each alert there is a case in which it fires and one in which it does not."""
    cases: defaultdict[str, set[bool]] = defaultdict(set)
    for test in document(ALERTS_TEST)["tests"]:
        for case in test["alert_rule_test"]:
            cases[case["alertname"]].add(bool(case["exp_alerts"]))
    assert {name: {True, False} for name in NAMES} == dict(cases)


def test_each_alert_says_what_to_do() -> None:
    """Each alert has a severity and a summary of at least two sentences: the problem, and what to do."""
    for rule in rules():
        if "alert" in rule:
            assert {"page", "ticket"} > {rule["labels"]["severity"]}, rule["alert"]
            assert rule["annotations"]["summary"].count(". ") >= 1, rule["alert"]


def test_names() -> None:
    """Each alert has its own name, which begins with Tracking."""
    assert sorted(set(NAMES)) == sorted(NAMES)
    assert not [name for name in NAMES if not name.startswith("Tracking")]


def test_without_prometheus(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Prometheus these tests fail and say what to install."""
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    with pytest.raises(pytest.fail.Exception, match=r"apt-get install .*prometheus"):
        program("promtool")
