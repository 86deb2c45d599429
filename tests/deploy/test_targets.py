"""What a person types: the targets of the Makefile, and the hooks that git runs."""

import re

import yaml

from tests.deploy.files import ROOT

MAKEFILE = (ROOT / "Makefile").read_text("utf-8").replace("\\\n", " ")
LISTED = set(re.findall(r"^([a-z-]+):.*## \S", MAKEFILE, re.MULTILINE))


def test_help_lists_every_target() -> None:
    """`make help` has a line for each target that is no file."""
    [phony] = re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    assert LISTED == set(phony.split())


def test_ci_runs_targets_of_the_makefile() -> None:
    """What CI runs is what a person can type: each of its targets is listed."""
    lines = re.findall(r"\bmake ((?:[a-z-]+ ?)+)$", (ROOT / ".ci" / "run").read_text("utf-8"), re.MULTILINE)
    targets = {target for line in lines for target in line.split()}
    assert {"test", "slow"} <= targets <= LISTED


def test_hooks_need_no_network() -> None:
    """Each hook is a tool of the project's own environment, which the lock has installed."""
    repositories = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"]
    assert ["local"] == [repository["repo"] for repository in repositories]
    hooks = [hook for repository in repositories for hook in repository["hooks"]]
    assert [] == [hook["id"] for hook in hooks if hook["language"] != "system"]
    assert [] == [hook["id"] for hook in hooks if not hook["entry"].startswith(".venv/bin/")]
