"""The reference pages say what the code says."""

import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from service.settings.load import variables
from tests.docs.markdown import ROOT

REFERENCE = ROOT / "docs" / "reference"


def test_the_pages_are_what_the_generator_writes() -> None:
    """Whoever changes a setting, an error, a route or a metric has generated the reference pages anew."""
    done = subprocess.run(
        [sys.executable, "docs/generate.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert 0 == done.returncode, done.stderr


def test_a_page_that_differs_is_named_and_written_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The check fails for an edited page and names it; without the check the page is mended."""
    monkeypatch.syspath_prepend(ROOT / "docs")
    generate = runpy.run_path(str(ROOT / "docs" / "generate.py"))["main"]
    folder = shutil.copytree(REFERENCE, tmp_path / "reference")
    page = folder / "settings.md"
    text = page.read_text("utf-8")
    page.write_text(text.replace("8080", "8081"))
    assert 1 == generate(["--check", "--folder", str(folder)])
    assert [str(page)] == re.findall(r"^(\S+) is not what", capsys.readouterr().err, re.MULTILINE)
    assert 0 == generate(["--folder", str(folder)])
    assert text == page.read_text("utf-8")


def test_every_setting_has_its_row() -> None:
    """The page of settings has each setting of the models once, with its meaning."""
    page = (REFERENCE / "settings.md").read_text("utf-8")
    rows = re.findall(r"^\| `(\w+)` \|.*\| (.*) \|$", page, re.MULTILINE)
    assert sorted((name, meaning) for name, _, meaning in variables()) == sorted(rows)
